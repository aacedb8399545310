"""Reading a YAML mapping with errors that name the line: duplicate keys, tabs, bad indentation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tuner.errors import SpecError


class _Loader(yaml.SafeLoader):
    """SafeLoader that rejects a duplicate key; PyYAML silently keeps the last one."""


class _Twice(yaml.MarkedYAMLError):
    """The same key twice in one mapping."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, int] = {}
    for key, _ in node.value:
        name = loader.construct_object(key, deep=True)
        if key.tag != "tag:yaml.org,2002:merge" and isinstance(name, str):
            line = key.start_mark.line + 1
            if name in seen:
                raise _Twice(problem=f"{name} is given twice, in lines {seen[name]} and {line}; keep one")
            seen[name] = line
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; raises ``SpecError`` that names file and line when it is not one."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file; `tuner init sft` writes one to start from") from None
    except IsADirectoryError:
        raise SpecError(f"{path}: is a folder; give a study file, such as {path / 'sft.yaml'}") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SpecError(f"{path}: line {line}: not UTF-8; save the file as UTF-8") from None
    try:
        loaded = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise SpecError(_described(path, error, text)) from None
    if not isinstance(loaded, dict):
        raise SpecError(f"{path}: must be a mapping of `key: value` lines, such as `method: sft`")
    for key in loaded:
        if not isinstance(key, str):
            raise SpecError(f"{path}: the key {key!r} must be a text; quote it or remove it")
    return loaded


def _described(path: Path, error: yaml.YAMLError, text: str) -> str:
    """A YAML error as one line: file, line, what, and what to do."""
    if isinstance(error, _Twice):
        return f"{path}: {error.problem}"
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f"{path}: not YAML: {' '.join(str(error).split())}"
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[: len(line) - len(line.lstrip())].count("\t"):
        return f"{path}: line {mark.line + 1}: indented with a tab; YAML needs spaces"
    problem = getattr(error, "problem", None) or "not YAML"
    return f"{path}: line {mark.line + 1}: not YAML: {problem}; check the indentation and the colons near that line"
