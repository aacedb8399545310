"""Reading a YAML mapping with errors that name the line: duplicate keys, tabs, bad indentation, files without bound."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tuner.config.bounded_read import read_bounded
from tuner.errors import SpecError, brief

MAX_BYTES = 2**20
MAX_NODES = 10_000
MAX_DEPTH = 50
MAX_DIGITS = 60
MAX_EXPANDED = 100_000
"""A study file has a hundred keys. Beyond these bounds it is another file, or one that is made to exhaust its reader;
the last one counts the values with each alias written out."""
MAX_SHOWN = 300
"""Characters of what PyYAML says."""
MERGE, TIMESTAMP, NUMBERS = (
    "tag:yaml.org,2002:merge",
    "tag:yaml.org,2002:timestamp",
    ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float"),
)


class _Loader(yaml.SafeLoader):
    """SafeLoader with bounds that rejects a duplicate key, of which PyYAML silently keeps the last; dates stay text."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node; raises ``_Refused`` beyond the bounds."""
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        self._nodes, self._depth = self._nodes + 1, self._depth + 1
        if self._depth > MAX_DEPTH:
            raise _Refused(problem=f"nested more than {MAX_DEPTH} deep", problem_mark=mark)
        if self._nodes > MAX_NODES:
            raise _Refused(problem=f"contains more than {MAX_NODES:,} values", problem_mark=mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if isinstance(node, yaml.ScalarNode):
            _check_scalar(node)
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The node's value; raises ``_Refused`` for a text that its tag does not fit, as in ``!!bool perhaps``."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError) as error:
            kind = node.tag.rpartition(":")[2]
            raise _Refused(
                problem=f"{brief(node.value)} is not of the type {kind}", problem_mark=node.start_mark
            ) from error


class _Refused(yaml.MarkedYAMLError):
    """Valid YAML that no study file holds."""


class _Twice(_Refused):
    """The same key twice in one mapping."""


def _check_scalar(node: yaml.ScalarNode) -> None:
    if node.tag in NUMBERS and len(node.value) > MAX_DIGITS:
        raise _Refused(problem=f"a number of {len(node.value)} digits", problem_mark=node.start_mark)
    if "\0" in node.value or any("\ud800" <= sign <= "\udfff" for sign in node.value):
        raise _Refused(
            problem="a character that no file can hold (NUL or a lone surrogate)", problem_mark=node.start_mark
        )


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: dict[Any, int] = {}
    for key, _ in node.value:
        if key.tag == MERGE:
            continue
        name = loader.construct_object(key, deep=True)
        if isinstance(name, str):
            line = key.start_mark.line + 1
            if name in seen:
                raise _Twice(problem=f"{name} is given twice, in lines {seen[name]} and {line}; keep one")
            seen[name] = line
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


def _other_kind(loader: _Loader, node: yaml.Node) -> Any:
    raise _Refused(
        problem=f"{node.tag.rpartition(':')[2]}: write a text, a list or a mapping", problem_mark=node.start_mark
    )


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != TIMESTAMP]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
for _kind in ("binary", "timestamp", "omap", "pairs", "set"):
    _Loader.add_constructor(f"tag:yaml.org,2002:{_kind}", _other_kind)


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; raises ``SpecError`` that names file and line when it is not one."""
    text = _text(path)
    try:
        loaded = _loaded(text)
    except yaml.YAMLError as error:
        raise SpecError(_described(path, error, text)) from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise SpecError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(loaded, dict):
        raise SpecError(f"{path}: must be a mapping of `key: value` lines, such as `method: sft`")
    for key in loaded:
        if not isinstance(key, str):
            raise SpecError(f"{path}: the key {brief(key)} must be a text; quote it or remove it")
    return loaded


def _text(path: Path) -> str:
    try:
        raw = read_bounded(path, MAX_BYTES + 1)
        if len(raw) > MAX_BYTES:
            raise SpecError(f"{path}: is larger than {MAX_BYTES // 2**20} MiB, so not a study file")
        return raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise SpecError(f"{path}: no such file; `tuner init sft` writes one to start from") from None
    except IsADirectoryError:
        raise SpecError(f"{path}: is a folder; give a study file, such as {path / 'sft.yaml'}") from None
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise SpecError(f"{path}: line {line}: not UTF-8; save the file as UTF-8") from None


def _loaded(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        if _expanded(node, {}, set()) > MAX_EXPANDED:
            raise _Refused(
                problem=f"its aliases expand to more than {MAX_EXPANDED:,} values", problem_mark=node.start_mark
            )
        return loader.construct_document(node)
    finally:
        loader.dispose()


def _expanded(node: yaml.Node, sizes: dict[int, int], above: set[int]) -> int:
    """How many values a node holds with each alias written out; raises ``_Refused`` for one that holds itself."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in above:
        raise _Refused(problem="an alias that contains itself", problem_mark=node.start_mark)
    if id(node) not in sizes:
        above.add(id(node))
        parts = [one for pair in node.value for one in pair] if isinstance(node, yaml.MappingNode) else node.value
        sizes[id(node)] = 1 + sum(_expanded(part, sizes, above) for part in parts)
        above.remove(id(node))
    return sizes[id(node)]


def _described(path: Path, error: yaml.YAMLError, text: str) -> str:
    """A YAML error as one line: file, line, what, and what to do."""
    if isinstance(error, _Twice):
        return f"{path}: {error.problem}"
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f"{path}: not YAML: {' '.join(str(error).split())}"
    if isinstance(error, _Refused):
        return f"{path}: line {mark.line + 1}: not a study file: {error.problem}"
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    if line[: len(line) - len(line.lstrip())].count("\t"):
        return f"{path}: line {mark.line + 1}: indented with a tab; YAML needs spaces"
    problem = " ".join((getattr(error, "problem", None) or "not YAML")[:MAX_SHOWN].split())
    return f"{path}: line {mark.line + 1}: not YAML: {problem}; check the indentation and the colons near that line"
