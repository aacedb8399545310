"""A worker takes a slot on the GPUs of its study, and waits for one where all are held."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from diagnostics.model.message import message
from tuner.config.slots import groups
from tuner.config.study_spec import StudyBlock
from tuner.drivers.slots import release, try_take
from tuner.study.events import Notice, Show

POLL_SECONDS = 0.5


@contextmanager
def slot(block: StudyBlock, show: Show) -> Iterator[None]:
    """A block in which this process holds a slot; a plain block where the study names no GPUs."""
    waits = False
    while block.gpus and not any(try_take(group, block.slots_per_gpu) for group in groups(block)):
        if not waits:
            show(Notice(message("waiting-for-gpus", gpus=",".join(block.gpus))))
        waits = True
        time.sleep(POLL_SECONDS)
    try:
        yield
    finally:
        release()
