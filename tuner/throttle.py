"""Checks that are spaced so that checking takes at most a given share of the time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

MAX_SHARE = 0.005
"""The share of the time that checks may take: half of the 1 % that watching may cost; logging takes from the rest."""

FIRST_GUESS = 0.005
"""Seconds that the first check is assumed to take."""


class Throttle:
    """Allows checks so that all of them together take less than ``share`` of the time since the start.

    A check costs more the longer the log is, so the next one is assumed to take as long as the last one.
    """

    def __init__(self, share: float = MAX_SHARE) -> None:
        self.share = share
        self.spent = 0.0
        self.last = FIRST_GUESS
        self.began = time.perf_counter()

    def start(self) -> None:
        """Count the time from here."""
        self.spent, self.began = 0.0, time.perf_counter()

    def allows(self) -> bool:
        """Whether another check as long as the last one fits."""
        elapsed = time.perf_counter() - self.began
        return self.spent + self.last <= self.share * (elapsed + self.last)

    @contextmanager
    def check(self) -> Iterator[None]:
        """Count the time spent inside as a check."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.last = time.perf_counter() - began
            self.spent += self.last
