"""``model_init_kwargs``, tried on the model's config and on a model without weights, before the weights are loaded."""

from __future__ import annotations

import os
import re
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tuner.config.model_keys import LOADING
from tuner.config.trl_schema import Unfit, as_type
from tuner.config.trust import TRUST
from tuner.errors import SpecError, brief, error_text, nearest
from tuner.training.refusals import refusal

SPREAD = ("auto", "balanced", "balanced_low_0", "sequential")
"""Ways of accelerate to spread a model over the devices."""
PARTS = re.compile(r"num_(\w+_)?(layers|experts)")
"""Fields of a config that say how many parts a model has: each of them would be built."""


def rehearse_model(name: str, given: Mapping[str, Any], loads_with: str, trusted: bool, where: str) -> None:
    """Raise ``SpecError`` for what the model at ``name`` cannot be loaded with.

    ``loads_with`` is the class of transformers that loads it; ``where`` names the file and the key.
    """
    try:
        for fault in _faults(name, given, loads_with, trusted):
            raise SpecError(f"{where}: {fault}")
    except SpecError:
        raise
    except Exception as error:  # the configs of models raise anything for values that they do not expect
        says = repr(error) if isinstance(error, LookupError) else error_text(error, 300)
        raise SpecError(f"{where}: the model cannot be built with this: {says}") from error


def check_found(name: str, trusted: bool, where: str, revision: str | None = None) -> None:
    """Raise ``SpecError`` for a model beside the trained one that is neither a folder nor on the hub."""
    from transformers import AutoConfig

    try:
        AutoConfig.from_pretrained(name, revision=revision or "main", trust_remote_code=trusted)
    except (OSError, ValueError) as error:
        if TRUST in str(error):
            raise SpecError(f"{where}: {name}: {refusal(error)}") from error
        raise SpecError(f"{where}: cannot load {name}: {error_text(error, 160)}") from error


def _faults(name: str, given: Mapping[str, Any], loads_with: str, trusted: bool) -> Iterator[str]:
    yield from _devices(given)
    yield from _files(Path(name), given)
    quantization = given.get("quantization_config")
    if quantization is not None:
        yield from _quantization(quantization)
    own = {key: value for key, value in given.items() if key not in LOADING}
    building = {key: given[key] for key in ("attn_implementation", "experts_implementation") if given.get(key)}
    if own or building:
        yield from _fields(name, own, building, loads_with, given.get("revision"), trusted)


def _devices(given: Mapping[str, Any]) -> Iterator[str]:
    from accelerate.utils import convert_file_size_to_int

    placed = given.get("device_map")
    for place in placed.values() if isinstance(placed, Mapping) else () if placed is None else (placed,):
        if place not in SPREAD and place != "disk":
            yield from (f"device_map: {fault}" for fault in _no_device(place))
    for device, size in (given.get("max_memory") or {}).items():
        try:
            convert_file_size_to_int(size)
        except (ValueError, TypeError, AttributeError):
            yield f"max_memory: {brief(device)}: must be bytes or a size such as 5GB, not {brief(size)}"
    if (given.get("tp_size") or 1) > 1 and int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield "tp_size: works only in distributed training; remove it"


def _no_device(place: Any) -> Iterator[str]:
    import torch

    here = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
    count = torch.accelerator.device_count()
    try:
        device = torch.device(f"{here.type}:{place}" if isinstance(place, int) and here.type != "cpu" else place)
    except (RuntimeError, TypeError):
        yield f"must be one of {', '.join(SPREAD)}, a device such as cpu or cuda:0, or a mapping, not {brief(place)}"
        return
    if device.type not in ("cpu", here.type) or (device.type != "cpu" and (device.index or 0) >= count):
        yield f"this machine has no {brief(place)}; use auto, or remove it"


def _files(folder: Path, given: Mapping[str, Any]) -> Iterator[str]:
    """What of a local model is not there."""
    if not folder.is_dir():
        return
    inside = folder / (given.get("subfolder") or "")
    wanted = {"gguf_file": "{}", "variant": "*.{}.*", "subfolder": ""}
    for key, pattern in wanted.items():
        value = given.get(key)
        if value and not (inside.is_dir() and (not pattern or any(inside.glob(pattern.format(value))))):
            yield f"{key}: {folder} has no {brief(str(value))}"


def _quantization(given: Mapping[str, Any]) -> Iterator[str]:
    from transformers.quantizers.auto import AutoQuantizationConfig

    if given.get("load_in_4bit") or given.get("load_in_8bit"):
        yield "quantization_config: write load_in_4bit or load_in_8bit as a key of the file"
    try:
        AutoQuantizationConfig.from_dict(dict(given))
    except (ValueError, TypeError, AttributeError, ImportError) as error:
        yield f"quantization_config: {error_text(error, 300)}"


def _fields(
    name: str,
    own: Mapping[str, Any],
    building: Mapping[str, Any],
    loads_with: str,
    revision: str | None,
    trusted: bool,
) -> Iterator[str]:
    """What of the model's config cannot be changed: fields that it does not have, and those that shape its weights."""
    import transformers

    load = {"revision": revision, TRUST: trusted}
    plain = transformers.AutoConfig.from_pretrained(name, **load)
    for key, value in own.items():
        if key not in {*vars(plain), *plain.attribute_map, "num_labels"}:
            yield f"has no key {brief(key)}{nearest(key, [*LOADING, *plain.to_dict()])}"
        yield from _unfit(plain, key, value)
    changed = transformers.AutoConfig.from_pretrained(name, **load, **own)
    before = _shapes(plain, {}, loads_with, trusted)
    after = _shapes(changed, building, loads_with, trusted)
    odd = next((weight for weight, shape in after.items() if before.get(weight) != shape), None)
    if odd is not None:
        was = f"is {before[odd]} there" if odd in before else "is not there"
        yield f"{', '.join(own)}: does not fit the weights of the model ({odd} {was}, and would be {after[odd]})"


def _unfit(plain: Any, key: str, value: Any) -> Iterator[str]:
    """What is wrong with the value of one field: transformers checks those of a model's own class alone."""
    import torch
    from transformers import PreTrainedConfig

    try:
        as_type(value, typing.get_type_hints(PreTrainedConfig, localns={"torch": torch}).get(key, Any))
    except Unfit as error:
        yield f"{key}: {error}"
    has = getattr(plain, key)
    if not PARTS.fullmatch(key) or not isinstance(value, int) or not isinstance(has, int):
        return
    if value < 1:
        yield f"{key}: must be 1 or more, not {brief(value)}"
    elif value > has:
        yield f"{key}: the model has {has}, and no weights for {brief(value)}"


def _shapes(config: Any, building: Mapping[str, Any], loads_with: str, trusted: bool) -> dict[str, tuple[int, ...]]:
    """The shapes of the weights of a model that is built without memory for them, from the class that TRL takes."""
    import torch
    import transformers

    named = getattr(transformers, (config.architectures or [""])[0], None) if "CausalLM" in loads_with else None
    with torch.device("meta"):
        if named is not None:
            model = named._from_config(config, **building)
        else:
            model = getattr(transformers, loads_with).from_config(config, **building, **{TRUST: trusted})
    read = "" if "CausalLM" in loads_with else f"{model.base_model_prefix}."  # the head of another kind of model is new
    return {name: tuple(weight.shape) for name, weight in model.named_parameters() if name.startswith(read)}
