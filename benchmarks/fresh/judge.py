"""The verdict on each run, asked for as a user would ask, and how it compares with the label."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from benchmarks.fresh.labels import Answer
from diagnostics import read
from diagnostics.diagnosis.diagnose import diagnose_with_basis
from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.rate_estimate import RateEstimate
from diagnostics.model.records import Advice, Diagnosis
from diagnostics.outlook.fitted import Fitted


class Outcome(StrEnum):
    """How a verdict compares with the label."""

    RIGHT = "right"
    ACCEPTABLE = "acceptable"
    WRONG = "wrong"
    REFUSED = "refused"


@dataclass(frozen=True)
class Judged:
    """A run with its label, what was said of it, and what that is worth."""

    style: str
    path: str
    answer: Answer
    said: str
    cause: str | None
    confidence: float
    rate_factor: float | None
    outcome: Outcome
    estimate: RateEstimate | None = None

    @property
    def held(self) -> bool:
        """Whether the verdict was right or acceptable."""
        return self.outcome in (Outcome.RIGHT, Outcome.ACCEPTABLE)


def judged(style: str, path: str, label: Answer, folder: Path, look: Fitted | None = None) -> Judged:
    """What is said of the run at a path below the folder; a log that cannot be read is refused.

    ``look`` replaces the model of what a whole run looks like.
    """
    try:
        return judged_run(style, path, label, read(folder / path), look)
    except BadInput as error:
        return Judged(style, path, label, "unread", str(error), 0.0, None, Outcome.REFUSED)


def judged_run(style: str, path: str, label: Answer, run: Run, look: Fitted | None = None) -> Judged:
    """What is said of a run that was read from that path."""
    verdict, _ = diagnose_with_basis(run, look=look)
    said, factor = str(verdict.label), rate_factor(verdict)
    worth = outcome(label, said, factor)
    return Judged(style, path, label, said, verdict.cause, verdict.confidence, factor, worth, verdict.rate)


def outcome(label: Answer, said: str, factor: float | None = None) -> Outcome:
    """What a verdict is worth; one that sends a wrong rate the wrong way is wrong whatever it is called."""
    if said in ("unknown", "unread"):
        return Outcome.REFUSED
    if label.rate and factor is not None and (factor - 1) * label.rate < 0:
        return Outcome.WRONG
    if said in label.right:
        return Outcome.RIGHT
    return Outcome.ACCEPTABLE if said in label.acceptable else Outcome.WRONG


def rate_factor(verdict: Diagnosis) -> float | None:
    """How many times the learning rate the first advice about it wants, None when there is none."""
    found: Advice | None = next((a for a in verdict.advice if a.knob == "learning_rate" and not a.optional), None)
    return None if found is None else found.factor


def as_dict(one: Judged) -> dict[str, Any]:
    """Plain JSON values."""
    return {
        "style": one.style, "path": one.path, "label": one.answer.to_dict(), "said": one.said, "cause": one.cause,
        "confidence": round(one.confidence, 3), "rate_factor": one.rate_factor, "outcome": str(one.outcome),
    }  # fmt: skip
