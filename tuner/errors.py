"""Errors for mistakes of the user, one line each: where, what, and what to do."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from reprlib import Repr

from diagnostics.errors import BadInput

LONGEST_NAME = 200
"""Characters of a name that are shown, and compared with the known ones: the comparison takes their square."""
STOPPED = "stopped; run the same command again to continue"
"""What the commands that train say after Ctrl-C."""


class SpecError(BadInput):
    """A study file (or what it points to) that cannot be used; the message is one line for the person who wrote it."""


class Unfinished(Exception):
    """Work that something other than the input ended early; the message is one line, and the same command continues."""


def nearest(word: str, known: Iterable[str], prefix: str = "") -> str:
    """``; did you mean …?`` with the nearest known name, or nothing when none is near."""
    close = get_close_matches(word[:LONGEST_NAME], list(known), n=1, cutoff=0.6)
    return f"; did you mean {prefix}{close[0]}?" if close else ""


@dataclass(frozen=True)
class Broken:
    """An error that ended another process; ``trace`` is its traceback as text."""

    error: Exception
    trace: str

    @classmethod
    def now(cls, error: Exception) -> Broken:
        """The error that is being handled: as it is where it is made for the user and can be sent, else its text."""
        return cls(_sendable(error), traceback.format_exc())


def _sendable(error: Exception) -> Exception:
    if isinstance(error, (BadInput, Unfinished, OSError)):
        with suppress(Exception):
            return type(error)(*pickle.loads(pickle.dumps(error)).args)
    return RuntimeError(f"{type(error).__name__}: {error}")


_brief = Repr()
_brief.maxstring = _brief.maxother = 80
_brief.maxlist = _brief.maxtuple = _brief.maxdict = 6
_brief.maxlevel = 3


def brief(value: object) -> str:
    """A value of any size as a part of one short line."""
    return " ".join(_brief.repr(value).split())


def brief_name(name: object) -> str:
    """A key or a path as it is; of one that is long or not printable a part."""
    return name if isinstance(name, str) and len(name) <= LONGEST_NAME and name.isprintable() else brief(name)


def error_text(error: BaseException, longest: int | None = 200) -> str:
    """What an error says, on one line of at most ``longest`` characters; its type where it says nothing."""
    says = str(error).split("[SQL:")[0].split("(Background on")[0]  # SQLAlchemy appends its statement and a link
    return (" ".join(says.split()) or type(error).__name__)[:longest]
