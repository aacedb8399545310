"""A bound on the time that one run may take, where others wait for it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from diagnostics.errors import BadInput


class TooSlow(BadInput):
    """A run took longer than it may."""


@contextmanager
def time_limit(seconds: float, run: str) -> Iterator[None]:
    """A block that ends with ``TooSlow`` after so many seconds.

    Without a bound where the system has no such timer, outside of the main thread, and where the timer is in use.
    """
    able = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()
    if not able or signal.getitimer(signal.ITIMER_REAL)[0]:
        yield
        return

    def late(number: int, frame: object) -> None:
        raise TooSlow(f"{run}: not judged within {seconds:g} s, so that the others are; give it alone to wait for it")

    before = signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
