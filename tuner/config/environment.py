"""The variables under ``env`` of a study file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.errors import SpecError, brief

MAX_VALUE = 32_768
"""Characters of a variable: the system refuses to start a program with one of 131,072 or more."""


def environment(config: Mapping[str, Any]) -> dict[str, str]:
    """The variables under ``env``, as text; whoever trains sets them."""
    env = config.get("env")
    return {str(name): str(value) for name, value in env.items()} if isinstance(env, Mapping) else {}


def check_environment(raw: Mapping[str, Any], path: Path) -> None:
    """Raise ``SpecError`` for an ``env`` that cannot be set."""
    env = raw.get("env")
    if not isinstance(env, Mapping | None):
        # Its text may be a password.
        given = env if isinstance(env, (int, float)) else type(env).__name__
        raise SpecError(f"{path}: env: must map names to values, not {given}")
    for name, value in (env or {}).items():
        if not isinstance(name, str) or not name or "=" in name or not name.isprintable():
            raise SpecError(f"{path}: env: {brief(name)} cannot be the name of a variable")
        if value is None or not isinstance(value, (str, int, float)) or len(str(value)) > MAX_VALUE:
            raise SpecError(
                f"{path}: env.{brief(name)}: must be a text or a number of at most {MAX_VALUE:,} characters"
            )
