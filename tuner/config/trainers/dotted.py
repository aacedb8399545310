"""Nested configs as flat ones: ``optimizer: {lr: 1}`` is ``optimizer.lr: 1``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Flat = Mapping[str, Any]


def flat(config: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Every value of a nested config under its dotted name; lists and empty mappings are values."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and _is_nested(value):
            found |= flat(value, f"{before}{key}.")
        else:
            found[f"{before}{key}"] = value
    return found


def _is_nested(value: Mapping[Any, Any]) -> bool:
    """Whether a mapping can be told by dotted names: one whose own keys have dots, or are no texts, is a value."""
    return bool(value) and all(isinstance(key, str) and "." not in key for key in value)


def nested(values: Flat) -> dict[str, Any]:
    """The nested config of flat values, in their order; the inverse of ``flat``."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        place, parts = made, name.split(".")
        for part in parts[:-1]:
            inner = place.get(part)
            place[part] = place = inner if isinstance(inner, dict) else {}
        place[parts[-1]] = value
    return made


def as_overrides(values: Flat) -> Iterator[str]:
    """Flat values as ``key=value``, as hydra reads them."""
    for name, value in values.items():
        yield f"{name}={_plain(value)}"


def _plain(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (list, tuple)):
        return f"[{','.join(map(_plain, value))}]"
    if isinstance(value, Mapping):
        return f"{{{','.join(f'{key}:{_plain(one)}' for key, one in value.items())}}}"
    text = str(value)
    special = isinstance(value, str) and any(sign in text for sign in ",[]{}:=()'\"\\ ")
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'" if special else text
