"""Functions of the user's own: ``my_rewards.py:correct``, or the dotted name of an installed one.

Only a file that the user wrote may name them; see ``tuner.config.trust``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tuner.config.bounded_read import read_bounded
from tuner.config.sources import at_home, is_there
from tuner.config.trust import RUN_FILES
from tuner.errors import SpecError, brief_name, error_text, nearest

MAX_BYTES = 2**20
"""A file of functions is shorter; what is cut there is no Python."""


def is_reference(name: str) -> bool:
    """Whether a text names a function of a file, or a dotted one."""
    return ".py:" in name or "." in name


def check_function(name: str, start: Path, where: str) -> None:
    """Raise ``SpecError`` when a function's file or the function in it is missing; nothing of it is run."""
    if ".py:" not in name:
        _check_importable(name, where)
        return
    file, function = _file_of(name, start, where)
    try:
        tree = ast.parse(read_bounded(file, MAX_BYTES).decode("utf-8-sig"))
    except (SyntaxError, ValueError, OSError, RecursionError, MemoryError) as error:
        raise SpecError(f"{where}: {file}: not readable as Python: {error_text(error)}") from error
    if function not in (names := _names(tree)):
        there = nearest(function, names) or f"; it has {', '.join(names) or 'no function'}"
        raise SpecError(f"{where}: {file} has no function {brief_name(function)}{there}")


def load_function(name: str, start: Path, where: str) -> Callable[..., Any]:
    """The function itself: its file is run, or its module imported; raises ``SpecError`` when that fails."""
    check_function(name, start, where)
    try:
        if ".py:" in name:
            file, function = _file_of(name, start, where)
            found = getattr(_module_of(file), function, None)
        else:
            module, _, function = name.rpartition(".")
            found = getattr(importlib.import_module(module), function, None)
    except Exception as error:
        raise SpecError(f"{where}: {name}: cannot be loaded: {type(error).__name__}: {error_text(error)}") from error
    if not callable(found):
        raise SpecError(f"{where}: {name}: must be a function")
    return found  # type: ignore[no-any-return]


def absolute(name: str, start: Path) -> str:
    """The reference with the whole path of its file, so that it means the same from another folder."""
    if ".py:" not in name:
        return name
    file, function = _file_of(name, start, name)
    return f"{file}:{function}"


def _file_of(name: str, start: Path, where: str) -> tuple[Path, str]:
    """File and function; the file is looked for beside the study file, then from the working directory."""
    path, _, function = name.rpartition(":")
    given = at_home(path)
    found = next((one for one in (start / given, given) if is_there(one) and one.is_file()), None)
    if found is None:
        raise SpecError(f"{where}: {brief_name(path)}: no such file, from {start} or from here")
    if any((found.resolve().parent / one).exists() for one in RUN_FILES):
        raise SpecError(
            f"{where}: {found}: lies in the folder of a run, which may be anybody's; copy it elsewhere first"
        )
    return found.resolve(), function


def _names(tree: ast.Module) -> list[str]:
    """What the top level of a module defines or imports by name."""
    names: list[str] = []
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.append(node.name)
        elif isinstance(node, ast.Assign):
            names += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.ImportFrom):
            names += [alias.asname or alias.name for alias in node.names]
    return names


def _check_importable(name: str, where: str) -> None:
    module = name.rpartition(".")[0]
    try:
        found = bool(module) and importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        found = False
    if not found:
        raise SpecError(
            f"{where}: {brief_name(name)}: no such module; write a file of your own as my_rewards.py:correct"
        )


def _module_of(file: Path) -> Any:
    """The file as a module, run once in a process for each of its versions."""
    version = hashlib.sha1(str(file).encode() + b"\0" + file.read_bytes()).hexdigest()[:16]
    name = f"_tuner_own_{file.stem}_{version}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is no module")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]
