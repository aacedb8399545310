"""Keys to set in a study file, as lines to paste into it; and the lines of an earlier version as keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from tuner.config.yaml_text import read_plain

BLOCKS = ("study", "space")
"""Keys whose values stand on lines of their own, each key a line; other mappings and lists stand on one line."""


def patch_lines(patch: Mapping[str, Any], indent: str = "") -> str:
    """The lines of YAML that set these keys, which may hold ``study`` and in it ``space``; empty without keys."""
    lines = ""
    for key, value in patch.items():
        if key in BLOCKS and isinstance(value, Mapping):
            lines += f"{indent}{key}:\n{patch_lines(value, indent + '  ')}"
        else:
            lines += f"{indent}{key}: {_flow(value)}\n"
    return lines


def _flow(value: Any) -> str:
    """A range, a list or a value as it stands on a line of a study file."""
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {plain(one)}' for key, one in value.items())}}}"
    return f"[{', '.join(map(plain, value))}]" if isinstance(value, (list, tuple)) else plain(value)


def plain(value: Any) -> str:
    """A value as YAML reads it back: ``1.0e-05`` needs its dot to be a number."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return str(yaml.safe_dump(value, default_flow_style=True)).split("\n")[0]
    if isinstance(value, int) or (value == int(value) and abs(value) < 1e6):
        return str(int(value))
    text = f"{value:.12g}"
    return text if "e" not in text or "." in text else text.replace("e", ".0e")


def patch_of(lines: str | None) -> dict[str, Any]:
    """The keys that lines of YAML set; nothing where they are not readable as keys."""
    try:
        keys = read_plain(lines or "")
    except ValueError:
        return {}
    return keys if isinstance(keys, dict) else {}
