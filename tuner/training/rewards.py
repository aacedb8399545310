"""The reward functions of a run: the user's own, an installed one, TRL's by name, or a reward model."""

from __future__ import annotations

import functools
import inspect
import math
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner.config.own_code import load_function
from tuner.config.sources import located
from tuner.config.trust import TRL_REWARDS
from tuner.errors import SpecError, error_text

Reward = Callable[..., Any] | str


def reward_functions(parsed: Any, start: Path, where: Path) -> list[Reward]:
    """The reward model's name, if any, and the functions in the file's order; raises ``SpecError``."""
    script = parsed.script
    named = script.reward_model_name_or_path
    found: list[Reward] = [str(located(named, start) or named)] if named else []
    found += [_function(name, parsed.training, start, f"{where}: reward_funcs") for name in script.reward_funcs or ()]
    names = [one if isinstance(one, str) else one.__name__ for one in found]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise SpecError(f"{where}: reward_funcs: two functions are called {twice}; their curves need different names")
    return found


def _function(name: str, training: Any, start: Path, where: str) -> Callable[..., Any]:
    if name in TRL_REWARDS:
        return _of_trl(name, training, where)
    function = load_function(name, start, where)
    return function if inspect.iscoroutinefunction(function) else _checked(function, f"{where}: {name}")


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
        try:
            made = function(*args, **kwargs)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            if isinstance(error, TypeError) and last.filename == __file__:
                taken = f"{function.__name__}{inspect.signature(function)}"
                raise SpecError(f"{where}: must take completions and **columns, not {taken}") from error
            at = f"{Path(last.filename).name}, line {last.lineno}"
            raise SpecError(f"{where}: {type(error).__name__}: {error_text(error)} ({at})") from error
        return _rewards(made, len(kwargs.get("completions") or args[0]), where)

    if not hasattr(function, "__name__"):
        scored.__name__ = type(function).__name__
    return scored


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
