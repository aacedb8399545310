"""One thing that a check found out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from diagnostics.model.message import Message, Value, message


class State(StrEnum):
    """How a check ended; a study works after a warning too."""

    PASSED = "passed"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Check:
    """What was found out, and whether a study would work so."""

    state: State
    message: Message

    def to_dict(self) -> dict[str, Any]:
        """The check as plain values, without words."""
        return {"state": str(self.state), **self.message.to_dict()}


def passed(code: str, **values: Value) -> Check:
    """A check that passed."""
    return Check(State.PASSED, message(code, **values))


def warned(code: str, **values: Value) -> Check:
    """Something to know."""
    return Check(State.WARNED, message(code, **values))


def failed(code: str, **values: Value) -> Check:
    """Something that would not work."""
    return Check(State.FAILED, message(code, **values))


def skipped(code: str, **values: Value) -> Check:
    """Something that could not be looked at here."""
    return Check(State.SKIPPED, message(code, **values))
