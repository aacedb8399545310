"""A time of day that jumps: what ``time.time`` and ``datetime.now`` say is moved by the seconds that a file holds.

Imported before everything else. Clocks that count from the start of the machine do not jump, as on a real one.
"""

from __future__ import annotations

import datetime
import os
import time
from pathlib import Path
from typing import Any

JUMPS = "TUNER_CHAOS_CLOCK"
"""The variable that names the file."""
_real_time, _real_datetime = time.time, datetime.datetime


def _offset() -> float:
    try:
        return float(Path(os.environ[JUMPS]).read_text())
    except (OSError, ValueError):
        return 0.0


class Jumping(datetime.datetime):
    """Dates of the jumping clock."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        """The date and time that the clock shows."""
        return _real_datetime.now(tz) + datetime.timedelta(seconds=_offset())

    @classmethod
    def utcnow(cls) -> Any:
        """The same without a time zone."""
        return cls.now(datetime.UTC).replace(tzinfo=None)


def install() -> None:
    """Let the time jump in this process, where the variable says so."""
    if os.environ.get(JUMPS):
        time.time = lambda: _real_time() + _offset()
        datetime.datetime = Jumping  # type: ignore[misc]


install()
