"""What the processes that train a run together and the worker that started them say to each other."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics.model.curves import Run

KEY = "TUNER_RANK_KEY"
"""The variable with the key to the worker's socket, in hexadecimal digits."""
STOP = "stop"
"""What the worker says to end the run after its step, with a checkpoint."""


@dataclass(frozen=True)
class Hello:
    """The first word of a process."""

    rank: int


@dataclass(frozen=True)
class Evaluated:
    """An evaluation of the run, which waits for an ``Answer``."""

    run: Run
    share: float


@dataclass(frozen=True)
class Answer:
    """Why a run should stop after an evaluation, or None."""

    reason: str | None


@dataclass(frozen=True)
class Ended:
    """The last word of a process whose training ended well, or (``run`` None) was interrupted."""

    run: Run | None
