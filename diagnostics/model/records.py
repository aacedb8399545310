"""The records that a diagnosis is made of. They know nothing of rules, readers or reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics.model.comparison import Comparison
from diagnostics.model.label import Label as Label
from diagnostics.model.message import Message
from diagnostics.model.rate_estimate import RateEstimate

RENAMED_RULES: Mapping[str, str] = {
    "loss-thrown-up": "loss-overshoots",
    "repeats-memorised": "repeats-memorized",
    "learned-by-heart": "train-tokens-memorized",
    "surer-than-right": "overconfident",
    "regularised-too-much": "regularization-too-strong",
}
"""Rules by the names under which earlier versions stored them."""


def current_rule_name(stored: object) -> str:
    """A stored rule's name as it is now."""
    return RENAMED_RULES.get(str(stored), str(stored))


def _escaped(sentence: str) -> str:
    """A finished sentence as a template that reads the same."""
    return sentence.replace("{", "{{").replace("}", "}}")


@dataclass(frozen=True)
class Finding:
    """One rule that fired: where on the curve, and what was measured.

    ``template`` is the rule's message with places for the measured numbers; ``diagnostics.messages`` fills them.
    ``steps`` are the single steps that the rule counted, such as spikes.
    """

    rule: str
    label: Label
    first_step: float
    last_step: float
    measured: Mapping[str, float]
    template: str = ""
    confidence: float = 0.5
    steps: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The finding as plain JSON values, without words made from them; ``steps`` only where it counted some."""
        return {
            "rule": self.rule,
            "label": str(self.label),
            "first_step": self.first_step,
            "last_step": self.last_step,
            "measured": {key: float(value) for key, value in self.measured.items()},
            "template": self.template,
            "confidence": round(self.confidence, 3),
            **({"steps": list(self.steps)} if self.steps else {}),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Finding:
        """The finding that ``to_dict`` wrote, or an earlier version that stored the finished message."""
        old = _escaped(str(raw.get("message", "")))
        return cls(
            rule=current_rule_name(raw["rule"]),
            label=Label(raw["label"]),
            first_step=float(raw["first_step"]),
            last_step=float(raw["last_step"]),
            measured=dict(raw.get("measured") or {}),
            template=str(raw.get("template", old)),
            confidence=float(raw.get("confidence", 0.5)),
            steps=tuple(map(float, raw.get("steps") or ())),
        )


@dataclass(frozen=True)
class Advice:
    """One change for the next run: ``knob`` from ``old`` to ``new``.

    ``old`` and ``new`` are None when the log does not hold the old value or the advice is not a setting (``data``,
    ``checkpoint``, ``eval_set``); then ``factor`` or the action says what to do. ``fix`` is the rule's own description
    of the change, ``expect`` what it should bring, ``nominal`` the factor as the rule names it, which rounding and caps
    may have changed. ``optional`` advice comes from a finding that does not set the label: it may be worth a try, and a
    healthy run does not need it. ``usual`` is the range in which the knob usually lies for such a run, where known.
    """

    knob: str
    old: float | str | None
    new: float | str | None
    factor: float | None
    because: str
    expect: str
    confidence: float
    fix: str = ""
    nominal: float | None = None
    optional: bool = False
    usual: tuple[float, float] | None = None

    def to_dict(self) -> dict[str, Any]:
        """The advice as plain JSON values, without words made from them; ``optional`` and ``usual`` where given."""
        return {
            "knob": self.knob,
            "old": self.old,
            "new": self.new,
            "factor": self.factor,
            "because": self.because,
            "expect": self.expect,
            "confidence": round(self.confidence, 3),
            "fix": self.fix,
            "nominal": self.nominal,
            **({"optional": True} if self.optional else {}),
            **({"usual": list(self.usual)} if self.usual else {}),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Advice:
        """The advice that ``to_dict`` wrote, or an earlier version that stored the finished line."""
        factor, old_line, usual = raw.get("factor"), str(raw.get("message", "")), raw.get("usual")
        old_fix = _escaped(old_line if raw.get("new") is None else old_line.partition(": ")[2])
        return cls(
            knob=str(raw["knob"]),
            old=raw.get("old"),
            new=raw.get("new"),
            factor=factor,
            because=current_rule_name(raw.get("because", "")),
            expect=str(raw.get("expect", "")),
            confidence=float(raw.get("confidence", 0.5)),
            fix=str(raw.get("fix", old_fix)),
            nominal=raw.get("nominal", factor),
            optional=bool(raw.get("optional", False)),
            usual=(float(usual[0]), float(usual[1])) if usual else None,
        )


@dataclass(frozen=True)
class Skipped:
    """A rule that could not be evaluated, and why."""

    rule: str
    reason: Message
    label: Label = Label.UNKNOWN

    def to_dict(self) -> dict[str, Any]:
        """The skipped rule as plain JSON values."""
        return {"rule": self.rule, "reason": self.reason.to_dict(), "label": str(self.label)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Skipped:
        """The skipped rule that ``to_dict`` wrote, or an earlier version that stored the reason as text."""
        reason = Message.from_stored(raw.get("reason", raw.get("why", "")))
        return cls(current_rule_name(raw["rule"]), reason, Label(raw.get("label", Label.UNKNOWN)))


@dataclass(frozen=True)
class Unchecked:
    """A kind of fault that no rule could look for on this log, and why."""

    label: Label
    reason: Message

    def to_dict(self) -> dict[str, Any]:
        """The kind and the reason as plain JSON values."""
        return {"label": str(self.label), "reason": self.reason.to_dict()}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Unchecked:
        """What ``to_dict`` wrote."""
        return cls(Label(raw["label"]), Message.from_dict(raw["reason"]))


@dataclass(frozen=True)
class Diagnosis:
    """The verdict on one run: its label, the findings behind it, and what to change.

    ``unchecked`` are the kinds of fault that no rule could look for; ``borderline`` is a fault that a healthy run shows
    only under looser limits. ``rate`` says where the learning rate stands, None where no loss can tell.
    """

    run: str
    label: Label
    cause: str | None
    confidence: float
    best_step: float | None
    findings: tuple[Finding, ...] = ()
    advice: tuple[Advice, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[Message, ...] = ()
    unchecked: tuple[Unchecked, ...] = ()
    borderline: Finding | None = None
    baseline: Comparison | None = None
    rate: RateEstimate | None = None

    def to_dict(self) -> dict[str, Any]:
        """The diagnosis as data that ``from_dict`` reads back; ``diagnostics.report.as_json`` adds the words."""
        return {
            "run": self.run,
            "label": str(self.label),
            "cause": self.cause,
            "confidence": round(self.confidence, 3),
            "best_step": self.best_step,
            "findings": [finding.to_dict() for finding in self.findings],
            "advice": [advice.to_dict() for advice in self.advice],
            "skipped": [skipped.to_dict() for skipped in self.skipped],
            "notes": [note.to_dict() for note in self.notes],
            **({"unchecked": [kind.to_dict() for kind in self.unchecked]} if self.unchecked else {}),
            **({"borderline": self.borderline.to_dict()} if self.borderline else {}),
            **({"baseline": self.baseline.to_dict()} if self.baseline else {}),
            **({"rate": self.rate.to_dict()} if self.rate else {}),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Diagnosis:
        """The diagnosis that ``to_dict`` wrote, or that an earlier version stored.

        Raises ``KeyError``, ``ValueError`` or ``TypeError`` for anything else.
        """
        near, baseline, rate = (raw.get(name) for name in ("borderline", "baseline", "rate"))
        return cls(
            run=str(raw["run"]),
            label=Label(raw["label"]),
            cause=None if raw.get("cause") is None else current_rule_name(raw["cause"]),
            confidence=float(raw.get("confidence", 0.0)),
            best_step=raw.get("best_step"),
            findings=tuple(Finding.from_dict(one) for one in raw.get("findings") or ()),
            advice=tuple(Advice.from_dict(one) for one in raw.get("advice") or ()),
            skipped=tuple(Skipped.from_dict(one) for one in raw.get("skipped") or ()),
            notes=tuple(Message.from_stored(note) for note in raw.get("notes") or ()),
            unchecked=tuple(Unchecked.from_dict(one) for one in raw.get("unchecked") or ()),
            borderline=Finding.from_dict(near) if near else None,
            baseline=Comparison.from_dict(baseline) if baseline else None,
            rate=RateEstimate.from_dict(rate) if rate else None,
        )
