"""How a trainer's process may fail."""

from __future__ import annotations


class TrainerFailed(RuntimeError):
    """The command ended without the run being complete; the message says how, and its last words."""


class OutOfMemoryError(TrainerFailed):
    """The command ended because memory ran out, on a device or on the machine."""


class TrainerKilled(TrainerFailed):
    """Somebody killed the command, as those do who preempt a machine: the run can continue from its last checkpoint."""


class RankFailed(TrainerFailed):
    """One of the processes that train a run together failed; the message says which, and with what."""
