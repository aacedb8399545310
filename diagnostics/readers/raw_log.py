"""What a log file holds before it becomes a run: series by the log's own tags, its settings, and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.message import Message


class Series(NamedTuple):
    """The points of one tag in the order they were written; ``times`` in seconds since 1970 where known."""

    steps: FloatArray
    values: FloatArray
    times: FloatArray | None = None

    @classmethod
    def of(cls, steps: Sequence[float], values: Sequence[float]) -> Series:
        """A series of plain numbers."""
        return cls(np.asarray(steps, dtype=np.float64), np.asarray(values, dtype=np.float64))


@dataclass(frozen=True, eq=False)
class Log:
    """What a log holds by its own names.

    ``options`` are settings, those named in ``derived`` only a consequence of others; ``total_steps`` is the planned
    length of the run; ``discontinuities`` are the steps at which it was started again.
    """

    series: Mapping[str, Series]
    options: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[Message, ...] = ()
    total_steps: float | None = None
    derived: frozenset[str] = frozenset()
    discontinuities: tuple[float, ...] = ()

    def with_notes(self, *notes: Message) -> Log:
        """This log with more notes, none of them twice."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *notes))))
