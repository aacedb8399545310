"""CPU threads for a run: a small model trains on one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SMALL = 10_000_000
"""Parameters below which the threads of one operation wait for each other longer than they work.

On two idle cores a step of the packaged model takes 42 ms on two threads and 70 ms on one; with any other program on
one of the cores, 1,000 ms and more on two threads, for they spin, and still 70 ms on one.
"""


@contextmanager
def threads_for(model: Any) -> Iterator[None]:
    """A block in which torch uses one thread when the model is small, on a CPU, and OMP_NUM_THREADS is not set."""
    import torch

    before = torch.get_num_threads()
    on_cpu = all(weight.device.type == "cpu" for weight in model.parameters())
    if on_cpu and "OMP_NUM_THREADS" not in os.environ and sum(w.numel() for w in model.parameters()) < SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
