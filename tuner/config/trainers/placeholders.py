"""The command of a run: the words of a template, each ``{name}`` in them replaced; no shell reads it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.config.search_space import Space
from tuner.config.secret_keys import is_secret, masked
from tuner.config.trainers.dotted import Flat, as_overrides
from tuner.config.trainers.driver import Driver
from tuner.errors import SpecError, nearest

PLACE = re.compile(r"\{([A-Za-z_][\w.]*)\}")
PLACES = ("config", "run", "output", "gpus", "method", "checkpoint", "overrides", "study")
"""What a command may ask for beside settings. ``{run}`` and ``{output}`` are the same: the folder that a run writes."""


def words(template: str, values: Mapping[str, Any], overrides: Flat) -> list[str]:
    """The words of the command; ``{overrides}`` alone becomes one ``key=value`` for each of these."""
    made: list[str] = []
    for word in shlex.split(template):
        made += as_overrides(overrides) if word == "{overrides}" else [filled(word, values)]
    return made


def filled(word: str, values: Mapping[str, Any]) -> str:
    """The text with the names that are known replaced; other braces stay."""
    return PLACE.sub(lambda found: _text(values[found[1]]) if found[1] in values else found[0], word)


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def check_command(config: Flat, driver: Driver, space: Space, path: Path) -> None:
    """Raise ``SpecError`` for a command that is no command line, asks for what is not known, or ignores the space."""
    where = f"{path}: study.command"
    try:
        parts = shlex.split(driver.command) + shlex.split(driver.resume)
    except ValueError as error:
        raise SpecError(f"{where}: not a command line: {error}") from None
    secret = _secret_in(parts)
    if secret:
        raise SpecError(f"{where}: {secret}: holds a secret, and the command is stored; put it in a variable")
    asked = {name for part in parts for name in PLACE.findall(part)}
    known = {*PLACES, *config, *map(driver.key, config)}
    for name in asked - known:
        raise SpecError(
            f"{where}: {{{name}}} is not known: no setting of the file, nor one of {_listed(PLACES)}"
            f"{nearest(name, known)}"
        )
    if asked & {"config", "overrides"}:
        return
    for name in space:
        taken = {name, driver.key(name)} | ({"per_device_train_batch_size"} if name == "batch_size" else set())
        if not taken & asked:
            raise SpecError(f"{where}: study.space.{name} does not reach it; add {{{name}}}, or {{config}}")


def _secret_in(parts: Sequence[str]) -> str:
    """The option of a command that is given a secret itself, as ``--hub_token abc`` is; empty where none is."""
    for part, after in zip(parts, [*parts[1:], ""], strict=True):
        name, sign, value = part.partition("=")
        given = value if sign else after if part.startswith("-") and not after.startswith("-") else ""
        if is_secret(name.lstrip("-+").replace("-", "_").rpartition(".")[2]) and given and "{" not in given:
            return name
    return next((part.split("://")[0] for part in parts if masked(part) != part), "")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)
