"""The reward functions of a run: the user's own, an installed one, TRL's by name, or a reward model."""

from __future__ import annotations

import functools
import inspect
import math
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from diagnostics.model.curves import part_of
from tuner.config.own_code import load_function
from tuner.config.sources import located
from tuner.config.trust import TRL_REWARDS
from tuner.errors import SpecError, brief_name, error_text, nearest
from tuner.training.model_rehearsal import check_found

Reward = Callable[..., Any] | str
TRL_GIVES = ("prompts", "completions", "completion_ids", "environments", "trainer_state", "log_extra", "log_metric")
"""What TRL hands to a reward function beside the columns of the rows."""


def reward_functions(parsed: Any, start: Path, where: Path) -> list[Reward]:
    """The reward model's name, if any, and the functions in the file's order; raises ``SpecError``."""
    script = parsed.script
    named = script.reward_model_name_or_path
    found: list[Reward] = [str(located(named, start) or named)] if named else []
    if named:
        check_found(str(found[0]), parsed.training.trust_remote_code, f"{where}: reward_model_name_or_path")
    found += [_function(name, parsed.training, start, f"{where}: reward_funcs") for name in script.reward_funcs or ()]
    names = [one if isinstance(one, str) else one.__name__ for one in found]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise SpecError(f"{where}: reward_funcs: two functions are called {twice}; their curves need different names")
    return found


def check_part(metric: str, names: Sequence[str], where: Path) -> None:
    """Raise ``SpecError`` where a study's metric is a part of the reward that no function gives."""
    part = part_of(metric)
    if part is not None and names and part[0] not in names:
        hint = nearest(part[0], names) or f"; there are {', '.join(names)}"
        raise SpecError(f"{where}: study.metric: no reward function is called {brief_name(part[0])}{hint}")


def _function(name: str, training: Any, start: Path, where: str) -> Callable[..., Any]:
    if name in TRL_REWARDS:
        return _of_trl(name, training, where)
    function = load_function(name, start, where)
    checked = _checked_later if inspect.iscoroutinefunction(function) else _checked
    return checked(function, f"{where}: {name}")


def _of_trl(name: str, training: Any, where: str) -> Callable[..., Any]:
    """TRL's own function; the punishment of long answers begins at four fifths of the limit, as in TRL's script."""
    import trl.rewards

    made = getattr(trl.rewards, name)
    if name == "get_soft_overlong_punishment":
        limit = training.max_completion_length
        return made(max_completion_len=limit, soft_punish_cache=limit // 5)  # type: ignore[no-any-return]
    if "accuracy" in name:
        from importlib.util import find_spec

        if find_spec("math_verify") is None:
            raise SpecError(f"{where}: {name} needs the package math-verify: pip install math-verify")
    return made  # type: ignore[no-any-return]


def _checked(function: Callable[..., Any], where: str) -> Callable[..., Any]:
    """The function, whose errors and wrong results are one line that names it."""

    @functools.wraps(function)
    def scored(*args: Any, **kwargs: Any) -> Any:
        _check_columns(function, kwargs, where)
        with _in_one_line(where):
            made = function(*args, **kwargs)
        return _rewards(made, len(kwargs.get("completions") or args[0]), where)

    if not hasattr(function, "__name__"):
        scored.__name__ = type(function).__name__
    return scored


def _checked_later(function: Callable[..., Any], where: str) -> Callable[..., Any]:
    """The same for a function that is awaited."""

    @functools.wraps(function)
    async def scored(*args: Any, **kwargs: Any) -> Any:
        _check_columns(function, kwargs, where)
        with _in_one_line(where):
            made = await function(*args, **kwargs)
        return _rewards(made, len(kwargs.get("completions") or args[0]), where)

    return scored


def _check_columns(function: Callable[..., Any], given: Mapping[str, Any], where: str) -> None:
    """Raise ``SpecError`` where a function that takes any columns needs one that the rows do not have."""
    try:
        takes = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # nothing tells what it takes
        return
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    needed = [one.name for one in takes if one.default is one.empty and one.kind in named]
    lacking = [name for name in needed if name not in given]
    if lacking and any(one.kind is one.VAR_KEYWORD for one in takes):
        columns = ", ".join(name for name in given if name not in TRL_GIVES) or "none beside the prompt"
        raise SpecError(f"{where}: takes {lacking[0]}, which is no column of the rows; they have {columns}")


@contextmanager
def _in_one_line(where: str) -> Iterator[None]:
    """Turn what a function raises, ``SystemExit`` too, into ``SpecError``."""
    try:
        yield
    except (Exception, SystemExit) as error:
        last, what = traceback.extract_tb(error.__traceback__)[-1], error_text(error)
        if isinstance(error, TypeError) and last.filename == __file__:
            raise SpecError(f"{where}: must take completions, and all other columns as **columns: {what}") from error
        at = f"{Path(last.filename).name}, line {last.lineno}"
        raise SpecError(f"{where}: {type(error).__name__}: {what} ({at})") from error


def _rewards(made: Any, count: int, where: str) -> list[float | None]:
    """One finite number or None (not for this answer) for each answer."""
    try:
        rewards = [None if one is None else float(one) for one in made]
    except (TypeError, ValueError):
        raise SpecError(f"{where}: must return a list of numbers, one for each answer") from None
    if len(rewards) != count:
        raise SpecError(f"{where}: returned {len(rewards)} rewards for {count} answers; return one for each")
    if any(one is not None and not math.isfinite(one) for one in rewards):
        raise SpecError(f"{where}: returned a reward that is not finite")
    return rewards
