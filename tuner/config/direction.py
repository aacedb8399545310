"""Which way a study's metric is meant to go."""

from __future__ import annotations

from enum import StrEnum


class Direction(StrEnum):
    """Whether a lower or a higher metric is better."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"

    @property
    def sign(self) -> float:
        """+1 where a lower metric is better, -1 where a higher one is: ``sign * value`` is a loss."""
        return 1.0 if self is Direction.MINIMIZE else -1.0

    def gain(self, before: float, after: float) -> float:
        """How much better ``after`` is than ``before``, in the metric's unit; negative when it is worse."""
        return self.sign * (before - after)
