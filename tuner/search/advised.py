"""Settings that a verdict advises, where no model says what they bring; and which rule a proposal follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diagnostics.model.records import Advice
from tuner.search.credit import RuleRecord, rule_records
from tuner.search.distributions import Distributions, alike, moved_to
from tuner.search.noise import beyond_noise
from tuner.search.proposal import RATE, Proposal, propose, reason, target_value
from tuner.search.proposer import advice_of
from tuner.search.trial_view import TrialView

CONFIDENCE_IN_TRIALS = 2.0
"""An advice's own confidence weighs as much as this many trials that followed its rule."""


def advised_move(best: TrialView, trials: Sequence[TrialView], space: Distributions) -> Proposal | None:
    """The advice on the best trial that is most likely to help and was not tried; None without one."""
    return next(_advised_moves(best, trials, space), None)


def rule_followed(best: TrialView, settings: Mapping[str, Any], space: Distributions) -> str | None:
    """The rule whose advice on the best trial these settings follow, None where they follow none.

    They follow it where they move its setting its way and change no other one, the learning rate aside.
    """
    changed = [knob for knob in space if not alike(settings.get(knob), best.settings.get(knob), space[knob])]
    for advice in best.advice:
        target, old = target_value(advice, best), best.settings.get(advice.knob)
        alone = set(changed) <= {RATE, advice.knob} or advice.knob == RATE
        if advice.knob in changed and target is not None and alone and _same_way(settings[advice.knob], target, old):
            return advice.because
    return None


def _same_way(value: Any, target: Any, old: Any) -> bool:
    """Whether a value lies on the target's side of the old one."""
    if all(isinstance(one, (int, float)) for one in (value, target, old)):
        return bool((value - old) * (target - old) > 0)
    return bool(value == target)


def _advised_moves(best: TrialView, trials: Sequence[TrialView], space: Distributions) -> Iterator[Proposal]:
    """One proposal for each advice on the best trial, the one most likely to help first."""
    records = rule_records(trials)
    for advice in sorted(best.advice, key=lambda one: -_trust(one, records)):
        knob = advice.knob
        if knob not in space or _failed_twice(advice.because, knob, trials):
            continue
        target = target_value(advice, best)
        value = None if target is None else moved_to(best.settings[knob], target, space[knob])
        if value is not None:
            move = propose(best, knob, value, reason(advice, best), advice, trials, space)
            if move is not None:
                yield move


def _trust(advice: Advice, records: Mapping[str, RuleRecord]) -> float:
    """How likely the advice is to help: its own confidence, and what its rule has brought in this study."""
    known = records.get(advice.because)
    prior = advice.confidence or 0.5
    if known is None:
        return prior
    return (CONFIDENCE_IN_TRIALS * prior + known.helped) / (CONFIDENCE_IN_TRIALS + known.followed)


def _failed_twice(rule: str, knob: str, trials: Sequence[TrialView]) -> bool:
    """Whether this rule's advice on this setting brought nothing the last two times it was followed."""
    by_number = {trial.number: trial for trial in trials}
    tests = [t for t in trials if t.proposer == advice_of(rule) and not t.running and t.parent in by_number]
    tests = [t for t in tests if t.settings.get(knob) != by_number[t.parent or 0].settings.get(knob)]
    return len(tests) >= 2 and not any(beyond_noise(t, by_number[t.parent or 0]) for t in tests[-2:])
