"""transformers' ``training_args.bin``, read as the list of instructions that it is; nothing in it is carried out.

A pickle is a program for a stack. Here its constants, lists and mappings are put together, and whatever it would
import, call or create stays a name with its arguments.
"""

from __future__ import annotations

import io
import pickletools
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics.model.methods import METHODS

NAME = "training_args.bin"
MAX_BYTES = 1 << 20
"""Real ones have some 6,000 bytes."""

NUMBERS = ("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT")
TEXTS = ("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8")
CONSTANTS = frozenset({*NUMBERS, *TEXTS, "BINBYTES", "SHORT_BINBYTES"})
SINGLE: Mapping[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
EMPTY = {"EMPTY_TUPLE": tuple, "EMPTY_LIST": list, "EMPTY_SET": list, "EMPTY_DICT": dict}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
PASSED_OVER = frozenset({"PROTO", "FRAME"})
MARK = object()


@dataclass(eq=False)
class Named:
    """What a pickle would import, or make by a call with ``arguments``; ``state`` is what it would then be given."""

    name: str
    arguments: Any = ()
    state: Any = None


def options_in(content: bytes) -> dict[str, object]:
    """The arguments by their names, and the training method that their class is of.

    Raises ``ValueError`` when the file is not such a file.
    """
    top = _put_together(_pickle_in(content))
    if not isinstance(top, Named) or not isinstance(top.state, dict):
        raise ValueError("not training arguments")
    found = {key: _plain(value) for key, value in top.state.items() if isinstance(key, str)}
    known: dict[str, object] = {key: value for key, value in found.items() if value is not None}
    kind = next(
        (method.name for method in METHODS.values() if method.config and top.name.endswith(method.config)), None
    )
    return {**known, "method": kind} if kind else known


def _pickle_in(content: bytes) -> bytes:
    """The pickle in torch's archive. Raises ``ValueError`` when there is none of a sane size."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            inside = next((one for one in archive.infolist() if one.filename.endswith("/data.pkl")), None)
            if inside is None or inside.file_size > MAX_BYTES:
                raise ValueError("no pickle of a sane size")
            with archive.open(inside) as file:
                return file.read(MAX_BYTES)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise ValueError(str(error)) from None


def _put_together(program: bytes) -> Any:
    """What the program leaves on its stack. Raises ``ValueError`` for instructions that such a file has not."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    try:
        for code, argument, _ in pickletools.genops(program):
            if code.name == "STOP":
                return stack[-1]
            _step(code.name, argument, stack, memo)
    except (IndexError, KeyError, TypeError, AttributeError, UnicodeDecodeError, OverflowError) as error:
        raise ValueError(f"a damaged pickle ({type(error).__name__})") from None
    raise ValueError("a cut pickle")


def _step(name: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    """Carry out one instruction on the stack, without what it would import or call."""
    if name in CONSTANTS or name in SINGLE:
        stack.append(SINGLE.get(name, argument))
    elif name in EMPTY:
        stack.append(EMPTY[name]())
    elif name == "MARK":
        stack.append(MARK)
    elif name in ("BINPUT", "LONG_BINPUT", "MEMOIZE", "PUT"):
        memo[len(memo) if argument is None else int(argument)] = stack[-1]
    elif name in ("BINGET", "LONG_BINGET", "GET"):
        stack.append(memo[int(argument)])
    elif name in TUPLES:
        stack[-TUPLES[name] :] = [tuple(stack[-TUPLES[name] :])]
    elif name in FROM_MARK:
        stack.append(FROM_MARK[name](_since_mark(stack)))
    elif name in ("APPEND", "APPENDS", "ADDITEMS"):
        items = [stack.pop()] if name == "APPEND" else _since_mark(stack)
        stack[-1].extend(items)
    elif name in ("SETITEM", "SETITEMS"):
        items = [stack.pop(-2), stack.pop()] if name == "SETITEM" else _since_mark(stack)
        stack[-1].update(_pairs(items))
    elif name not in PASSED_OVER:
        _name(name, argument, stack)


def _pairs(items: list[Any]) -> dict[Any, Any]:
    return {key: value for key, value in zip(items[::2], items[1::2], strict=False) if isinstance(key, (str, int))}


FROM_MARK: Mapping[str, Callable[[list[Any]], Any]] = {"TUPLE": tuple, "LIST": list, "DICT": _pairs}


def _name(name: str, argument: Any, stack: list[Any]) -> None:
    """Put what would be imported, called, created or filled on the stack as a name."""
    if name == "GLOBAL":
        stack.append(Named(str(argument)))
    elif name == "STACK_GLOBAL":
        stack[-2:] = [Named(f"{stack[-2]} {stack[-1]}")]
    elif name in ("REDUCE", "NEWOBJ"):
        stack[-2:] = [Named(stack[-2].name, stack[-1])]
    elif name == "BUILD":
        stack[-2].state = stack[-1]
        stack.pop()
    else:
        raise ValueError(f"{name} has no place in training arguments")


def _since_mark(stack: list[Any]) -> list[Any]:
    items: list[Any] = []
    while (item := stack.pop()) is not MARK:
        items.append(item)
    return items[::-1]


def _plain(value: Any) -> object:
    """A plain value, that of an enumeration by its only argument; None for the rest."""
    if isinstance(value, Named) and isinstance(value.arguments, tuple) and len(value.arguments) == 1:
        value = value.arguments[0]
    if isinstance(value, list) and all(isinstance(one, (str, int, float)) for one in value):
        return value
    return value if isinstance(value, (str, int, float)) else None
