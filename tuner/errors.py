"""The error for a mistake in a study file, its data or its model: one line, where, what, and what to do."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from diagnostics.errors import BadInput


class SpecError(BadInput):
    """A study file (or what it points to) that cannot be used; the message is one line for the person who wrote it."""


def nearest(word: str, known: Iterable[str], prefix: str = "") -> str:
    """``; did you mean …?`` with the nearest known name, or nothing when none is near."""
    close = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {prefix}{close[0]}?" if close else ""


STOPPED = "stopped; the same command goes on from here"
"""What Ctrl-C is answered with by the commands that train."""
