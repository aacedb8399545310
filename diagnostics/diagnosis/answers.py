"""What every rule answered: findings that nothing denies, and what could not be evaluated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from diagnostics.diagnosis.weigh import Fired
from diagnostics.model.evidence import Evidence
from diagnostics.model.message import Message, message
from diagnostics.model.outlook import Outlook
from diagnostics.model.rate_estimate import RateEstimate, RateSide
from diagnostics.model.records import Label, Skipped, Unchecked
from diagnostics.rules import Rule

HEALTH_LABELS = (Label.UNSTABLE, Label.OVERFIT, Label.UNDERFIT)
"""The labels whose rules must have been evaluated before a run is called healthy."""
FEW = "too-few-points"
INFERRED = ("warmup-too-short",)
"""Rules that infer too high a rate; spikes, jumps and jitter are seen, whatever the whole run looks like."""
OF_START = ("start-loss-wrong", "dpo-start-loss-wrong")
"""Rules of a loss that begins where no run begins. A run whose first steps threw it begins there as well: of 25 such
findings on kept runs 22 had a rate far too high, and none a wrong start."""
SHOWN = 0.8
"""The chance of a run that is ill on one side from which the estimate of its rate does not deny that."""


@dataclass(frozen=True)
class Answers:
    """What every rule answered, in the order of the table: evidence, nothing, or why it could not be evaluated."""

    all: tuple[tuple[Rule, Evidence | Message | None], ...]
    rate: RateEstimate | None = None
    outlook: Outlook | None = None

    @cached_property
    def fired(self) -> list[Fired]:
        """The rules that fired, without those whose premise another one, or the estimate of the rate, denies."""
        found = [(rule, answer) for rule, answer in self.all if isinstance(answer, Evidence)]
        found = [(rule, answer) for rule, answer in found if not denied(rule, self.rate, self.outlook)]
        if any(rule.sets_label and not is_a_look(answer) for rule, answer in found):
            found = [(rule, answer) for rule, answer in found if not is_a_look(answer)]
        names = {rule.name for rule, _ in found}
        return [(rule, answer) for rule, answer in found if names.isdisjoint(rule.unless_found)]

    @cached_property
    def skipped(self) -> tuple[Skipped, ...]:
        """The rules that could not be evaluated."""
        return tuple(Skipped(rule.name, why, rule.label) for rule, why in self.all if isinstance(why, Message))

    @cached_property
    def checked(self) -> set[Label]:
        """The labels of which at least one rule was evaluated, and none that is essential was skipped."""
        asked = {rule.label for rule, found in self.all if rule.sets_label and not isinstance(found, Message)}
        return asked - self._essentials.keys()

    @cached_property
    def _essentials(self) -> dict[Label, Message]:
        """The labels of which an essential rule could not be evaluated, each with the reason."""
        return {rule.label: why for rule, why in self.all if rule.essential and isinstance(why, Message)}

    @cached_property
    def unchecked(self) -> tuple[Unchecked, ...]:
        """The labels that a healthy run should have been checked for and was not, each with a reason.

        The first one; too few points of a curve that is logged before curves that are not.
        """
        first = [(skip.label, skip.reason) for skip in reversed(self.skipped)]
        few = {label: why for label, why in first if why.code == FEW}
        reasons = dict(first) | few | self._essentials
        missing = [label for label in HEALTH_LABELS if label not in self.checked]
        return tuple(Unchecked(label, reasons.get(label, message("no-rule"))) for label in missing)


def is_a_look(found: Evidence) -> bool:
    """Whether only the look of the whole run speaks for a finding: it decides where no sign of a fault does."""
    return "alike" in found.measured


def denied(rule: Rule, rate: RateEstimate | None, outlook: Outlook | None) -> bool:
    """Whether the rule blames a side of the learning rate that the look of the run, or the estimate, denies.

    Nor did a run that looks thrown learn too little, or begin wrong.

    Where the two are at odds the estimate decides from ``CERTAIN`` on in two cases. A look of a slow run raises no rate
    that is too high by prior and curves together: a raise costs more than a cut when it is wrong. And a look of a run
    that went well denies no finding of which the curves alone are as sure.
    """
    if rule.blames is None:
        thrown = rule.label is Label.UNDERFIT or rule.name in OF_START
        return thrown and outlook is not None and outlook.shares(Label.UNSTABLE)
    low, other = rule.blames is RateSide.TOO_LOW, rule.blames.other
    inferred = low or rule.name in INFERRED
    if outlook is not None and inferred and (outlook.denies(rule.blames) or outlook.overrules(rule.label)):
        evident = rate is not None and rate.is_certain(rule.blames) and rate.alone.is_certain(rule.blames)
        if not evident or outlook.chance(other) >= SHOWN:
            return True
    shown = outlook is not None and outlook.chance(rule.blames) >= SHOWN
    return rate is not None and rate.denies(rule.blames) and (not shown or (low and rate.is_certain(other)))
