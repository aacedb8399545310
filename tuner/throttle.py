"""Looks that are spaced so that looking takes at most a given share of the time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

SHARE = 0.005
"""Half of the 1 % that watching may cost: keeping the log takes its part of the rest."""

GUESS = 0.005
"""Seconds that a first look is taken to need, until one has been measured."""


class Throttle:
    """Says whether a look may be taken now: it keeps what all looks took below ``share`` of the time since the start.

    A look costs more the longer the log is, so the last one is the measure of the next.
    """

    def __init__(self, share: float = SHARE) -> None:
        self.share = share
        self.spent = 0.0
        self.last = GUESS
        self.began = time.perf_counter()

    def start(self) -> None:
        """Count the time from here."""
        self.spent, self.began = 0.0, time.perf_counter()

    def allows(self) -> bool:
        """Whether another look as long as the last one fits."""
        elapsed = time.perf_counter() - self.began
        return self.spent + self.last <= self.share * (elapsed + self.last)

    @contextmanager
    def check(self) -> Iterator[None]:
        """Count what happens inside as a look."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.last = time.perf_counter() - began
            self.spent += self.last
