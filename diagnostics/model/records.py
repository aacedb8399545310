"""The records that a diagnosis is made of. They know nothing of rules, readers or reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from diagnostics.model.comparison import Comparison


class Label(StrEnum):
    """What a run is called, in order of precedence."""

    BROKEN = "broken"
    UNSTABLE = "unstable"
    OVERFIT = "overfit"
    UNDERFIT = "underfit"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """One rule that fired: where on the curve, what was measured, in words."""

    rule: str
    label: Label
    first_step: float
    last_step: float
    measured: Mapping[str, float]
    message: str
    confidence: float = 0.5

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain JSON values."""
        return {
            "rule": self.rule,
            "label": str(self.label),
            "first_step": self.first_step,
            "last_step": self.last_step,
            "measured": {key: float(value) for key, value in self.measured.items()},
            "message": self.message,
            "confidence": round(self.confidence, 3),
        }


@dataclass(frozen=True)
class Advice:
    """One change for the next run: ``knob`` from ``old`` to ``new``.

    ``old`` and ``new`` are None when the log does not hold the old value or the advice is no setting (``data``,
    ``checkpoint``, ``eval_set``); then ``factor`` or the message says what to do. ``optional`` advice comes of a
    finding that names no run: it may be worth a try, and a healthy run does not need it.
    """

    knob: str
    old: float | str | None
    new: float | str | None
    factor: float | None
    because: str
    expect: str
    confidence: float
    message: str
    optional: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The advice as plain JSON values; ``optional`` stands there only where it is true."""
        return {
            "knob": self.knob,
            "old": self.old,
            "new": self.new,
            "factor": self.factor,
            "because": self.because,
            "expect": self.expect,
            "confidence": round(self.confidence, 3),
            "message": self.message,
            **({"optional": True} if self.optional else {}),
        }


@dataclass(frozen=True)
class Skipped:
    """A rule that could not be asked, and why."""

    rule: str
    why: str
    label: Label = Label.UNKNOWN

    def to_dict(self) -> dict[str, Any]:
        """The skipped rule as plain JSON values."""
        return {"rule": self.rule, "why": self.why}


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on one run: its label, the findings behind it, and what to change."""

    run: str
    label: Label
    cause: str | None
    confidence: float
    best_step: float | None
    findings: tuple[Finding, ...] = ()
    advice: tuple[Advice, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = field(default_factory=tuple)
    baseline: Comparison | None = None

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as ``tuner diagnose --json`` prints it; ``baseline`` stands there only where one was given."""
        return {
            "run": self.run,
            "label": str(self.label),
            "cause": self.cause,
            "confidence": round(self.confidence, 3),
            "best_step": self.best_step,
            "findings": [finding.to_dict() for finding in self.findings],
            "advice": [advice.to_dict() for advice in self.advice],
            "skipped": [skipped.to_dict() for skipped in self.skipped],
            "notes": list(self.notes),
            **({"baseline": self.baseline.to_dict()} if self.baseline else {}),
        }
