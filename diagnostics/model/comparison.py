"""What a comparison of a run with a good one is made of: plain records, which reports show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Compared:
    """One question to both runs: the two numbers, whether the run is better, alike or worse, and in words."""

    question: str
    mine: float
    baseline: float
    verdict: str
    message: str

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain JSON values."""
        return {
            "question": self.question,
            "mine": self.mine,
            "baseline": self.baseline,
            "verdict": self.verdict,
            "message": self.message,
        }


@dataclass(frozen=True)
class Comparison:
    """All answers against a baseline; ``skipped`` maps a question that could not be asked to why.

    ``refused`` says why the losses cannot be compared at all; None when they can. ``until`` is the step up to which the
    baseline was looked at, for a run that is not over yet.
    """

    baseline: str
    curve: str | None
    answers: tuple[Compared, ...] = ()
    skipped: Mapping[str, str] | None = None
    refused: str | None = None
    until: float | None = None

    @property
    def title(self) -> str:
        """What the run is compared with, by which curve, and up to which step: ``good (eval_loss, to step 300)``."""
        told = [self.curve] if self.curve else []
        told += [f"to step {self.until:,.10g}"] if self.until is not None else []
        return f"{self.baseline} ({', '.join(told)})" if told else self.baseline

    def to_dict(self) -> dict[str, Any]:
        """The comparison as ``tuner diagnose --json`` prints it."""
        return {
            "run": self.baseline,
            "curve": self.curve,
            "answers": [answer.to_dict() for answer in self.answers],
            "skipped": [{"question": question, "why": why} for question, why in (self.skipped or {}).items()],
            "refused": self.refused,
            "until": self.until,
        }
