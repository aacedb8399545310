"""The keys of TRL's scripts, read off TRL's own dataclasses, and the value each of them takes."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any, Literal, Union

from tuner.config.methods import TRL_METHODS, TrlMethod
from tuner.errors import brief, nearest


class Unfit(ValueError):
    """A value that a key cannot take; the message says what the key takes."""


@dataclasses.dataclass(frozen=True)
class Key:
    """One key of a TRL config file: its type, its default and, where TRL lists them, its allowed values."""

    name: str
    kind: Any
    default: Any
    choices: tuple[Any, ...] = ()

    def coerced(self, value: Any) -> Any:
        """The value as this key's type; raises ``Unfit``.

        PyYAML reads ``1e-5`` as text and ``no`` as false, so both are read as what the key's type says.
        """
        if value is False and "no" in self.choices:
            return "no"
        made = as_type(value, self.kind)
        for one in made if isinstance(made, list) else [made]:
            if self.choices and one is not None and one not in self.choices:
                known = [str(choice) for choice in self.choices]
                raise Unfit(f"must be one of {', '.join(known)}, not {brief(one)}{nearest(str(one), known)}")
        return made

    @property
    def plain(self) -> type | None:
        """``int``, ``float``, ``bool`` or ``str`` when the key takes one such value, else None."""
        kinds = [kind for kind in _options(self.kind) if kind is not type(None)]
        for plain in (bool, int, float):
            if kinds == [plain]:
                return plain
        takes_text = any(kind is str or kind == list[str] for kind in kinds)
        return str if takes_text or self.choices else None


def as_type(value: Any, kind: Any) -> Any:
    """The value as ``kind`` (a type hint, unions included); raises ``Unfit`` with what was expected."""
    options = _options(kind)
    if value is None:
        if type(None) in options or kind is Any:
            return None
        raise Unfit(f"needs a value: {_wanted(options)}")
    for option in options:
        if option in (bool, int, float, str) and type(value) is option and _is_plain(value):
            return value
    for option in options:
        try:
            return _as_one(value, option)
        except (TypeError, ValueError, OverflowError):
            continue
    raise Unfit(f"must be {_wanted(options)}, not {brief(value)}")


def _is_plain(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def _options(kind: Any) -> tuple[Any, ...]:
    """The alternatives of a type hint, numbers before text, so that ``"3"`` becomes a number where one is taken."""
    if typing.get_origin(kind) in (Union, types.UnionType):
        return tuple(sorted(typing.get_args(kind), key=lambda option: option is str))
    return (kind,)


def _as_one(value: Any, kind: Any) -> Any:
    origin = typing.get_origin(kind)
    if kind is Any:
        return value
    if kind is bool:
        return _as_bool(value)
    if kind in (int, float):
        return _as_number(value, kind)
    if kind is str:
        return _as_text(value)
    if origin is list:
        items = value if isinstance(value, (list, tuple)) else [value]
        return [as_type(item, typing.get_args(kind)[0]) for item in items]
    if kind is dict or origin is dict:
        return _as_dict(value, typing.get_args(kind)[1:])
    return _as_special(value, kind, origin)


def _as_special(value: Any, kind: Any, origin: Any) -> Any:
    if origin is Literal:
        if value in typing.get_args(kind):
            return value
    elif isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value).value
    elif dataclasses.is_dataclass(kind) and isinstance(value, Mapping):
        return _as_record(value, kind)
    raise TypeError(value)


def _as_bool(value: Any) -> bool:
    known = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    return known[value.lower()] if isinstance(value, str) and value.lower() in known else _exactly(value)


def _exactly(value: Any) -> bool:
    if isinstance(value, bool) or value in (0, 1):
        return bool(value)
    raise TypeError(value)


def _as_number(value: Any, kind: type) -> Any:
    if isinstance(value, (bool, list, dict)):
        raise TypeError(value)
    number = float(value)
    if not math.isfinite(number) or (kind is int and not number.is_integer()):
        raise ValueError(value)
    return int(number) if kind is int else number


def _as_text(value: Any) -> str:
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return str(value)
    raise TypeError(value)


def _as_dict(value: Any, kinds: tuple[Any, ...]) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return {key: as_type(item, kinds[0]) if kinds else item for key, item in value.items()}
    raise TypeError(value)


def _as_record(value: Mapping[str, Any], kind: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    for name in value:
        if name not in hints:
            raise Unfit(f"has no key {brief(name)}{nearest(str(name), hints)}")
    return {name: as_type(item, hints[name]) for name, item in value.items()}


def _wanted(options: tuple[Any, ...]) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", dict: "a mapping"}
    names |= {list: "a list"}
    known = [
        f"one of {', '.join(map(str, typing.get_args(kind)))}"
        if typing.get_origin(kind) is Literal
        else names.get(typing.get_origin(kind) or kind, "")
        for kind in options
        if kind is not type(None)
    ]
    return " or ".join(dict.fromkeys(name for name in known if name)) or "something else"


def dataclasses_of(method: TrlMethod) -> tuple[Any, ...]:
    """The dataclasses that ``trl <method>`` parses its config file into, in TRL's order."""
    from trl import DatasetMixtureConfig, ModelConfig

    return (method.script_class, method.config_class, ModelConfig, DatasetMixtureConfig)


@cache
def keys_of(method: str) -> Mapping[str, Key]:
    """Every key that ``trl <method>`` takes, by name; the first call imports TRL, which takes seconds."""
    from tuner.config.library_import import import_trl
    from tuner.config.library_logging import quiet

    with quiet():
        import_trl()
        return _keys_of(TRL_METHODS[method])


def _keys_of(method: TrlMethod) -> Mapping[str, Key]:
    from trl import TrlParser

    parser = TrlParser(dataclasses_of(method))
    listed = {action.dest: tuple(action.choices) for action in parser._actions if action.choices}
    keys = {}
    for owner in dataclasses_of(method):
        hints = typing.get_type_hints(owner)
        for field in dataclasses.fields(owner):
            if field.init:
                is_loss = field.name == "loss_type" and method.loss_types
                choices = method.loss_types if is_loss else listed.get(field.name, ())
                default = method.defaults.get(field.name, _default(field))
                keys[field.name] = Key(field.name, hints[field.name], default, choices)
    return keys


def _default(field: Any) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default.value if isinstance(field.default, Enum) else field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None
