"""The ``peft`` block of a study file: any adapter of PEFT, by PEFT's own keys, read with PEFT's own config classes.

Without ``peft_type`` the block adds keys to the LoRA of TRL's ``lora_*`` keys: ``peft: {init_lora_weights: pissa}``.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tuner.config.search_space import PEFT_PREFIX, Range, Span
from tuner.config.trl_schema import Key, Unfit, as_type
from tuner.errors import SpecError, brief, brief_name, error_text, nearest

KIND = "peft_type"
LORA = "LORA"
LORA_PLUS: Mapping[str, Any] = {"loraplus_lr_ratio": float, "loraplus_lr_embedding": float}
"""LoRA+ is an optimizer of PEFT's: the rate of the B matrices over that of the A matrices, and the embedding's rate."""
SET_BY_PEFT = (
    "base_model_name_or_path",
    "revision",
    "auto_mapping",
    "inference_mode",
    "peft_version",
    "runtime_config",
)
TRL_KEYS: Mapping[str, str] = {
    "r": "lora_r",
    "lora_alpha": "lora_alpha",
    "lora_dropout": "lora_dropout",
    "target_modules": "lora_target_modules",
    "target_parameters": "lora_target_parameters",
    "modules_to_save": "lora_modules_to_save",
    "task_type": "lora_task_type",
    "use_rslora": "use_rslora",
    "use_dora": "use_dora",
}
"""Keys of PEFT's LoRA that TRL has under a name of its own."""


def kind_of(block: Mapping[str, Any]) -> str:
    """PEFT's name of the adapter, in capitals."""
    return str(block.get(KIND) or LORA).upper()


def config_class(kind: str) -> Any:
    """PEFT's config class of an adapter; raises ``KeyError`` for a kind that it has not."""
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    return {str(key.value): value for key, value in PEFT_TYPE_TO_CONFIG_MAPPING.items()}[kind]


def in_space(config: Mapping[str, Any], names: Iterable[Any], path: Path) -> dict[str, Key]:
    """The keys of the file's adapter that a space may hold, as ``peft.key``; ``names`` are those of the space.

    A key of LoRA that TRL has under a name of its own is left to that name, unless the block itself sets it. Raises
    ``SpecError`` for a name that can be no key of the block.
    """
    block = config.get("peft") or {}
    kind = kind_of(block)
    left_to_trl = {name for name in TRL_KEYS if kind == LORA and name not in block}
    for name in (str(name).removeprefix(PEFT_PREFIX) for name in names if str(name).startswith(PEFT_PREFIX)):
        at = f"{path}: study.space.{PEFT_PREFIX}{brief_name(name)}"
        if name in left_to_trl:
            raise SpecError(f"{at}: cannot be tuned: tune {TRL_KEYS[name]}, TRL's name of it")
        if name == KIND or not block:
            raise SpecError(f"{at}: cannot be tuned: {'a study has one adapter' if block else 'the file has no peft'}")
    if not block:
        return {}
    keys = {name: hint for name, hint in _keys_of(kind, path).items() if name not in left_to_trl}
    named = {name: Key(f"{PEFT_PREFIX}{name}", hint, default_of(block, name)) for name, hint in keys.items()}
    return {key.name: key for key in named.values()}


def default_of(block: Mapping[str, Any], name: str) -> Any:
    """PEFT's own value of a key of the block's adapter; None where it has none."""
    field = config_class(kind_of(block)).__dataclass_fields__.get(name)
    if field is None or field.default is not dataclasses.MISSING:
        return None if field is None else field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else None


def check_peft_space(config: Mapping[str, Any], space: Mapping[str, Span], path: Path) -> None:
    """Raise ``SpecError`` where PEFT's own class refuses a value of the space beside the file's other ones."""
    block = config.get("peft") or {}
    keys = {name: value for name, value in block.items() if name != KIND}
    for name, span in space.items():
        if name.startswith(PEFT_PREFIX):
            ends = (span.low, span.high) if isinstance(span, Range) else span.values
            for value in ends:
                made = {**keys, name.removeprefix(PEFT_PREFIX): value}
                _check_whole(kind_of(block), made, f"{path}: study.space.{name}")


def check_peft(config: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """The config with its ``peft`` block read; raises ``SpecError`` that names the key at fault."""
    block = config.get("peft")
    if not block:
        return dict(config)
    if config.get("use_peft") is False:
        raise SpecError(f"{path}: peft: use_peft is false, and the block asks for an adapter; remove one of the two")
    kind = kind_of(block)
    keys = _keys_of(kind, path)
    made = {name: _read(name, value, keys, kind, path) for name, value in block.items() if name != KIND}
    twice = next((TRL_KEYS[name] for name in made if kind == LORA and TRL_KEYS.get(name) in config), None)
    if twice is not None:
        raise SpecError(f"{path}: {twice} and the peft block both set it; keep one")
    ignored = [name for name in config if name in TRL_KEYS.values() and name != "lora_task_type" and kind != LORA]
    if ignored:
        raise SpecError(f"{path}: {ignored[0]}: is a key of LoRA, and peft.peft_type is {kind}; remove it")
    _check_whole(kind, made, f"{path}: peft")
    return {**config, "use_peft": True, "peft": {**({KIND: kind} if KIND in block else {}), **made}}


def _keys_of(kind: str, path: Path) -> dict[str, Any]:
    """The keys of an adapter and their types."""
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    try:
        owner = config_class(kind)
    except KeyError:
        known = sorted(str(one.value) for one in PEFT_TYPE_TO_CONFIG_MAPPING)
        hint = nearest(kind, known) or f"; PEFT has {', '.join(known)}"
        raise SpecError(f"{path}: peft.peft_type: unknown adapter {brief_name(kind)}{hint}") from None
    hints = typing.get_type_hints(owner)
    keys = {field.name: hints[field.name] for field in dataclasses.fields(owner) if field.init}
    own = {name: hint for name, hint in keys.items() if name not in (KIND, *SET_BY_PEFT)}
    return {**own, **LORA_PLUS} if kind == LORA else own


def _read(name: str, value: Any, keys: Mapping[str, Any], kind: str, path: Path) -> Any:
    if name not in keys:
        raise SpecError(f"{path}: peft: {kind} has no key {brief_name(name)}{nearest(str(name), keys)}")
    try:
        return as_type(value, keys[name])
    except Unfit as error:
        if isinstance(value, (str, int, float, bool)) and "something else" not in str(error):
            raise SpecError(f"{path}: peft.{name}: {error}") from None
        return value  # a type that only PEFT can read


def _check_whole(kind: str, made: Mapping[str, Any], where: str) -> None:
    """Raise ``SpecError`` for what PEFT's own class refuses."""
    try:
        config_class(kind)(**{name: value for name, value in made.items() if name not in LORA_PLUS})
    except (ValueError, TypeError, KeyError, ImportError) as error:
        raise SpecError(f"{where}: {kind} refuses {brief(dict(made))}: {error_text(error)}") from error
