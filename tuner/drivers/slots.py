"""The slot of a process: the GPUs that its trials may use, held until the last process of a trial has ended."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Slot:
    """The numbers of the GPUs (none: all there are) and the open files whose locks hold them."""

    devices: tuple[str, ...] = ()
    handles: tuple[int, ...] = field(default=(), compare=False)


_mine = Slot()


def mine() -> Slot:
    """The slot that this process holds; one without devices where it holds none."""
    return _mine


def try_take(group: Sequence[str], places: int) -> Slot | None:
    """Hold one of so many places on each GPU of the group for this process; None while one of them has none free.

    The locks are the open files', so that whatever inherits those keeps the place when this process is killed: the
    keeper of a trainer, and the data loaders of our own. ``CUDA_VISIBLE_DEVICES`` of this process becomes the group.
    """
    global _mine
    handles: list[int] = []
    for device in sorted(group):
        handle = next(filter(None, (_try_lock(device, place) for place in range(places))), None)
        if handle is None:
            for one in handles:
                os.close(one)
            return None
        handles.append(handle)
    _mine = Slot(tuple(group), tuple(handles))
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(group)
    return _mine


def release() -> None:
    """Give the slot of this process back, as far as nothing that it started still holds it."""
    global _mine
    for handle in _mine.handles:
        os.close(handle)
    _mine = Slot()


def _try_lock(device: str, place: int) -> int | None:
    """The open file whose lock is that place on the device, None while another process holds it."""
    folder = Path(tempfile.gettempdir()) / f"tuner-gpus-{os.getuid() if hasattr(os, 'getuid') else 0}"
    folder.mkdir(mode=0o700, exist_ok=True)
    handle = os.open(folder / f"{_name(device)}.{place}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return None
    return handle


def _name(device: str) -> str:
    """What the GPU is called on the whole machine: two containers may number it differently."""
    return _uuids().get(device, f"gpu-{device}").replace("/", "_")


@cache
def _uuids() -> dict[str, str]:
    """The GPUs' own names by their numbers, where ``nvidia-smi`` tells."""
    command = ["nvidia-smi", "--query-gpu=index,uuid", "--format=csv,noheader"]
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
        pairs = (line.partition(", ") for line in said.splitlines())
        return {number: name for number, _, name in pairs if name}
    return {}
