"""Out of memory: recognized among other errors, and answered with fewer rows per device at the same effective batch."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics.model.message import Message, message
from tuner.config.overrides import setting_value, with_overrides

PHRASES = (
    *("out of memory", "allocate memory", "defaultcpuallocator", "std::bad_alloc", "not enough memory"),
    *("cublas_status_alloc_failed", "memoryerror", "killed by signal: killed"),
)
"""Phrases of allocators: the first of CUDA, ROCm, XPU and MPS, the next two of torch on a CPU, the others of C++ and
cuBLAS; and torch's own when the kernel's out-of-memory killer took a data worker."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or one that it came from, says that memory ran out, on a device or on the machine."""
    return any(_says_so(one) for one in chain(error))


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it came from, the latest first."""
    seen: list[BaseException] = []
    now: BaseException | None = error
    while now is not None and now not in seen:
        seen.append(now)
        now = now.__cause__ or now.__context__
    yield from seen


def _says_so(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError) and error.errno == errno.ENOMEM:
        return True
    text = str(error).lower()
    return isinstance(error, (RuntimeError, OSError)) and any(phrase in text for phrase in PHRASES)


@dataclass(frozen=True)
class DeviceBatch:
    """How many rows one device works on at once, in training and in evaluation."""

    train: int
    evaluation: int

    @property
    def halved(self) -> DeviceBatch | None:
        """Half as many of both, at least one; None when it is one already."""
        if self.train <= 1 and self.evaluation <= 1:
            return None
        return DeviceBatch(max(1, self.train // 2), max(1, self.evaluation // 2))

    @property
    def overrides(self) -> dict[str, int]:
        """The limits as overrides for ``train``."""
        return {"device_batch_limit": self.train, "eval_batch_limit": self.evaluation}


def rows(batch: DeviceBatch) -> str:
    """``4 rows on the device (evaluation: 8)``."""
    each = f" (evaluation: {batch.evaluation})" if batch.evaluation != batch.train else ""
    return f"{batch.train} row{'s' if batch.train != 1 else ''} on the device{each}"


def device_batch(config: Mapping[str, Any], method: str, overrides: Mapping[str, Any]) -> DeviceBatch:
    """What a run with these overrides puts on the device."""
    made = with_overrides(config, overrides)
    train, evaluation = (setting_value(made, method, f"per_device_{kind}_batch_size") for kind in ("train", "eval"))
    return DeviceBatch(int(train), int(evaluation))


def lowered_batch_note(config: Mapping[str, Any], method: str, overrides: Mapping[str, Any]) -> Message | None:
    """The note on a device batch that was lowered to fit in memory; None when it was not."""
    if "device_batch_limit" not in overrides:
        return None
    freely = {key: value for key, value in overrides.items() if not key.endswith("_batch_limit")}
    wanted, fitting = device_batch(config, method, freely), device_batch(config, method, overrides)
    if wanted == fitting:
        return None
    whole = with_overrides(config, overrides)
    times = setting_value(whole, method, "gradient_accumulation_steps")
    return message(
        "device-batch-lowered",
        wanted=wanted.train,
        rows=fitting.train,
        steps=times,
        evaluation=fitting.evaluation,
    )
