"""What following each rule's advice has brought, counted over the trials of a study and summed over studies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diagnostics.model.records import current_rule_name
from tuner.search.noise import beyond_noise
from tuner.search.trial_view import TrialView


@dataclass(frozen=True)
class RuleRecord:
    """How often a rule gave advice, and how the trials that followed it compare with those they started from.

    ``advised`` counts verdicts; ``helped`` and ``hurt`` count followers beyond noise, ``even`` those within it. One
    verdict can have several followers, each a step further.
    """

    rule: str
    advised: int
    helped: int
    hurt: int
    even: int

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> RuleRecord:
        """The record that a study stored; raises ``KeyError`` or ``ValueError`` when a count is missing or wrong."""
        counts = {name: raw[name] for name in ("advised", "helped", "hurt", "even")}
        if not all(isinstance(count, int) and count >= 0 for count in counts.values()):
            raise ValueError(f"the counts of {raw['rule']} must be whole numbers")
        return cls(current_rule_name(raw["rule"]), **counts)

    @property
    def followed(self) -> int:
        """How many trials followed the advice."""
        return self.helped + self.hurt + self.even


def rule_records(trials: Sequence[TrialView]) -> dict[str, RuleRecord]:
    """The record of each rule that gave advice or was followed, by its name.

    A trial that is running, or that failed for a reason of its own (a bug, a full disk), says nothing about a rule.
    """
    advised = Counter(rule for trial in trials for rule in _advising(trial))
    by_number = {trial.number: trial for trial in trials}
    outcomes: Counter[tuple[str, str]] = Counter()
    for trial in trials:
        parent = None if trial.parent is None else by_number.get(trial.parent)
        outcome = _outcome(trial, parent)
        if outcome is not None:
            outcomes[trial.proposer.name, outcome] += 1
    rules = sorted({*advised, *(rule for rule, _ in outcomes)})
    return {
        rule: RuleRecord(rule, advised[rule], outcomes[rule, "helped"], outcomes[rule, "hurt"], outcomes[rule, "even"])
        for rule in rules
    }


def summed(records: Iterable[RuleRecord]) -> dict[str, RuleRecord]:
    """Records of several studies as one for each rule, by its name."""
    total: dict[str, RuleRecord] = {}
    for one in sorted(records, key=lambda record: record.rule):
        known = total.get(one.rule, RuleRecord(one.rule, 0, 0, 0, 0))
        total[one.rule] = RuleRecord(
            one.rule,
            known.advised + one.advised,
            known.helped + one.helped,
            known.hurt + one.hurt,
            known.even + one.even,
        )
    return total


def _advising(trial: TrialView) -> set[str]:
    """The rules whose advice the trial's verdict holds."""
    return {advice.because for advice in trial.advice if advice.because}


def _outcome(child: TrialView, parent: TrialView | None) -> str | None:
    """``helped``, ``hurt`` or ``even`` for a trial that followed advice; None when it says nothing."""
    if not child.proposer.follows_rule or parent is None or _says_nothing(child) or _says_nothing(parent):
        return None
    if not child.usable or not parent.usable:
        return "helped" if child.usable else "even" if not parent.usable else "hurt"
    return "helped" if beyond_noise(child, parent) else "hurt" if beyond_noise(parent, child) else "even"


def _says_nothing(trial: TrialView) -> bool:
    return trial.running or (trial.failed and not trial.diverged)
