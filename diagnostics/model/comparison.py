"""What a comparison of a run with a good one is made of: plain records, which reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import inf
from typing import Any

from diagnostics.model.message import Message


class Question(StrEnum):
    """What both runs are compared by."""

    FLOOR = "floor"
    DESCENT = "descent"
    SPEED = "speed"
    GRADIENT_NORM = "gradient norm"


class Outcome(StrEnum):
    """How the run compares with the baseline; a gradient norm is neither better nor worse."""

    BETTER = "better"
    ALIKE = "alike"
    WORSE = "worse"
    HIGHER = "higher"
    LOWER = "lower"


@dataclass(frozen=True)
class Compared:
    """The answer to one question: the two numbers, the outcome, and the evidence as a message."""

    question: Question
    mine: float
    baseline: float
    outcome: Outcome
    evidence: Message

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain JSON values, without words."""
        return {
            "question": str(self.question),
            "mine": self.mine,
            "baseline": self.baseline,
            "verdict": str(self.outcome),
            "evidence": self.evidence.to_dict(),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Compared:
        """The answer that ``to_dict`` wrote; JSON holds no infinity, so that null stands for it."""
        mine, baseline = (inf if raw[key] is None else float(raw[key]) for key in ("mine", "baseline"))
        return cls(
            Question(raw["question"]),
            mine,
            baseline,
            Outcome(raw["verdict"]),
            Message.from_stored(raw.get("evidence", raw.get("message", ""))),
        )


@dataclass(frozen=True)
class Comparison:
    """All answers against a baseline; ``skipped`` maps a question that could not be answered to why.

    ``refused`` says why the losses cannot be compared at all; None when they can. ``until`` is the step up to which the
    baseline was read, for a run that is not over yet.
    """

    baseline: str
    curve: str | None
    answers: tuple[Compared, ...] = ()
    skipped: Mapping[Question, Message] = field(default_factory=dict)
    refused: Message | None = None
    until: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The comparison as plain JSON values, without words."""
        return {
            "run": self.baseline,
            "curve": self.curve,
            "answers": [answer.to_dict() for answer in self.answers],
            "skipped": [{"question": str(key), "reason": why.to_dict()} for key, why in self.skipped.items()],
            "refused": self.refused.to_dict() if self.refused else None,
            "until": self.until,
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Comparison:
        """The comparison that ``to_dict`` wrote, or that an earlier version stored with its sentences."""
        refused = raw.get("refused")
        return cls(
            str(raw["run"]),
            raw.get("curve"),
            tuple(Compared.from_dict(one) for one in raw.get("answers") or ()),
            {
                Question(one["question"]): Message.from_stored(one.get("reason", one.get("why", "")))
                for one in raw.get("skipped") or ()
            },
            None if refused is None else Message.from_stored(refused),
            raw.get("until"),
        )
