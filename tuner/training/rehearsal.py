"""What the trainer will refuse, tried before the model is loaded: the optimizer, its schedule, packages, devices."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from tuner.config.trl_schema import Unfit, as_type
from tuner.errors import SpecError, brief, error_text, nearest

CHECKPOINTING: Mapping[str, Any] = {
    **dict.fromkeys(("use_reentrant", "preserve_rng_state", "debug", "early_stop"), bool),
    "determinism_check": Literal["default", "none"],
}
"""What ``torch.utils.checkpoint`` takes of what can stand in a file."""


def rehearse(training: Any, where: Path) -> None:
    """Raise ``SpecError`` for parsed options that the trainer refuses once the model is loaded."""
    for key, fault in _faults(training):
        raise SpecError(f"{where}: {key}: {fault}")
    if training.torch_compile and (says := _refusal(_compiled, training)):
        raise SpecError(f"{where}: torch_compile: {says}")
    for key, build in (("optim", _optimizer), ("lr_scheduler_type", _schedule)):
        says = _refusal(build, training)
        if says:
            raise SpecError(f"{where}: {key}: {getattr(training, key).value}: {says}")


def check_tokens(training: Any, tokenizer: Any, where: Path) -> None:
    """Raise ``SpecError`` for a special token that the model does not have."""
    words = getattr(tokenizer, "tokenizer", tokenizer)  # a processor's own
    for key in ("eos_token", "pad_token"):
        token = getattr(training, key, None)
        if token is not None and token not in words.get_vocab():
            raise SpecError(f"{where}: {key}: {brief(token)} is no token of the model; its own is {words.eos_token!r}")


def _faults(training: Any) -> Iterator[tuple[str, str]]:
    from transformers.utils import is_liger_kernel_available

    limit, packs = getattr(training, "max_length", None), getattr(training, "packing", False)
    if training.use_liger_kernel and not is_liger_kernel_available():
        yield "use_liger_kernel", "needs the package liger-kernel, which is not installed"
    if any(part.count("=") != 1 for part in (training.optim_args or "a=1").split(",")):
        yield "optim_args", "must be name=value, with commas between several"
    if training.fsdp and int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield "fsdp", "works only in distributed training; remove it"
    if packs and limit is None:
        yield "packing", "needs a max_length"
    if getattr(training, "padding_free", False) and not packs and limit is not None:
        yield "padding_free", "needs packing: true, or max_length: null"
    yield from (
        ("generation_kwargs", why) for why in _not_generating(getattr(training, "generation_kwargs", None) or {})
    )
    if training.torch_compile:
        yield from (("torch_compile", why) for why in _no_compiler(training.torch_compile_backend or "inductor"))
    if getattr(training, "activation_offloading", False) and not _has_accelerator():
        yield "activation_offloading", "this machine has no GPU to take them from; remove it"
    for name, value in (
        (training.gradient_checkpointing_kwargs or {}).items() if training.gradient_checkpointing else ()
    ):
        yield from (("gradient_checkpointing_kwargs", why) for why in _not_checkpointing(name, value))


def _not_checkpointing(name: str, value: Any) -> Iterator[str]:
    if name not in CHECKPOINTING:
        yield f"has no key {brief(name)}{nearest(str(name), CHECKPOINTING)}"
        return
    try:
        as_type(value, CHECKPOINTING[name])
    except Unfit as error:
        yield f"{name}: {error}"


def _not_generating(given: Mapping[str, Any]) -> Iterator[str]:
    """What transformers does not know of answers, or fails on with the model at work."""
    from transformers import GenerationConfig

    known = [name for name in vars(GenerationConfig()) if not name.startswith("_")]
    for name, value in given.items():
        if name not in known:
            yield f"has no key {brief(name)}{nearest(str(name), known)}"
        elif isinstance(value, (int, float)) and value < (1 if name in ("num_beams", "num_return_sequences") else 0):
            yield f"{name}: must not be {brief(value)}"


def _no_compiler(backend: str) -> Iterator[str]:
    """Why torch cannot compile here: it would say so at the first step."""
    import torch

    if backend not in torch.compiler.list_backends(()):  # those of developers, too
        known = torch.compiler.list_backends()
        yield f"there is no backend {brief(backend)}{nearest(backend, known) or '; there is ' + ', '.join(known)}"
    if backend != "inductor":
        return
    compiler = os.environ.get("CXX") or {"darwin": "clang++", "win32": "cl"}.get(sys.platform, "g++")
    if shutil.which(compiler) is None:
        yield f"needs the C++ compiler {compiler}, which is not installed; install it, or remove the line"
    if torch.cuda.is_available() and find_spec("triton") is None:
        yield "needs the package triton, which is not installed"


def _has_accelerator() -> bool:
    import torch

    return bool(torch.accelerator.is_available())


def _refusal(build: Callable[[Any], object], training: Any) -> str | None:
    """What building says when it fails, else None."""
    try:
        build(training)
    except (ImportError, ValueError, TypeError, RuntimeError) as error:
        return error_text(error, 300)
    return None


def _compiled(training: Any) -> None:
    """Wrap a module that is never called: its mode is read, and nothing is compiled."""
    import torch

    torch.compile(torch.nn.Identity(), backend=training.torch_compile_backend, mode=training.torch_compile_mode)


def _optimizer(training: Any) -> None:
    """Have transformers choose the optimizer's class: it looks for packages and reads ``optim_args``."""
    from transformers import Trainer
    from transformers.training_args import OptimizerNames as Names

    of_a_model = (Names.GALORE_ADAMW, Names.GALORE_ADAMW_8BIT, Names.GALORE_ADAFACTOR, Names.APOLLO_ADAMW)
    layerwise = [name for name in Names if "layerwise" in name.value]
    if training.optim in (*of_a_model, *layerwise):
        _need_package(training.optim.value)
        return  # the rest depends on the layers of the model
    Trainer.get_optimizer_cls_and_kwargs(training)


def _need_package(optimizer: str) -> None:
    from transformers.utils import is_apollo_torch_available, is_galore_torch_available

    apollo = "apollo" in optimizer
    if not (is_apollo_torch_available() if apollo else is_galore_torch_available()):
        raise ImportError(f"needs the package {'apollo_torch' if apollo else 'galore_torch'}, which is not installed")


def _schedule(training: Any) -> None:
    """Build the schedule for a weight that nobody trains: it reads ``lr_scheduler_kwargs``."""
    import torch
    from transformers import get_scheduler

    weight = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=training.learning_rate)
    get_scheduler(
        training.lr_scheduler_type,
        optimizer,
        num_warmup_steps=1,
        num_training_steps=10,
        scheduler_specific_kwargs=dict(training.lr_scheduler_kwargs or {}),
    )
