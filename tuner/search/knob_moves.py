"""Proposals for settings other than the learning rate: what the verdict advises, then a step to each side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution

from diagnostics.model.message import message
from diagnostics.model.methods import method_record
from diagnostics.model.records import Advice
from tuner.search.credit import RuleRecord, rule_records
from tuner.search.distributions import Distributions, alike, moved_to, neighbor
from tuner.search.noise import beyond_noise
from tuner.search.proposal import RATE, Proposal, propose, reason, target_value
from tuner.search.proposer import TRUST_REGION, advice_of
from tuner.search.trial_view import TrialView

CONFIDENCE_IN_TRIALS = 2.0
"""An advice's own confidence weighs as much as this many trials that followed its rule."""


def advised_moves(best: TrialView, trials: Sequence[TrialView], space: Distributions) -> Iterator[Proposal]:
    """One proposal for each advice on the best trial, the one most likely to help first."""
    records = rule_records(trials)
    for advice in sorted(best.advice, key=lambda one: -_trust(one, records)):
        knob = advice.knob
        if knob not in space or knob == RATE or _failed_twice(advice.because, knob, trials):
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


def probes(best: TrialView, trials: Sequence[TrialView], space: Distributions) -> Iterator[Proposal]:
    """The neighbors of the best trial, one setting at a time; a setting that was never changed comes first.

    A larger batch comes last: at the same rate and the same samples it takes fewer steps, which costs LoRA loss (LoRA
    without regret, 2025); where one is needed, a verdict advises it.
    """
    knobs = [knob for knob in method_record(best.method).search_order if knob in space]
    knobs += [knob for knob in space if knob not in knobs and knob != RATE]
    knobs.sort(key=lambda one: was_changed(one, trials, space[one]))
    steps = [(knob, way) for knob in knobs for way in _directions(knob)]
    for knob, way in sorted(steps, key=lambda step: step == ("batch_size", 1)):
        value = neighbor(best.settings[knob], way, space[knob])
        if value is not None and not _probed(knob, value, best, trials, space):
            why = message("next-to-best", knob=knob, value=value, trial=best.number)
            move = propose(best, knob, value, why, None, trials, space)
            if move is not None:
                yield move


def was_changed(knob: str, trials: Sequence[TrialView], span: BaseDistribution) -> bool:
    """Whether any two trials differ in a setting."""
    values = [trial.settings[knob] for trial in trials if knob in trial.settings]
    return any(not alike(value, values[0], span) for value in values)


def _probed(knob: str, value: Any, best: TrialView, trials: Sequence[TrialView], space: Distributions) -> bool:
    """Whether this step was tried from another trial and was worse beyond noise: it need not fail again."""
    by_number = {trial.number: trial for trial in trials}
    for trial in trials:
        parent = by_number.get(-1 if trial.parent is None else trial.parent)
        if trial.proposer != TRUST_REGION or parent is None or trial.running:
            continue
        same_step = alike(trial.settings.get(knob), value, space[knob])
        same_start = alike(parent.settings.get(knob), best.settings[knob], space[knob])
        if same_step and same_start and (not trial.usable or _surely_worse(trial, parent)):
            return True
    return False


def _surely_worse(trial: TrialView, parent: TrialView) -> bool:
    """Whether a step lost by more than two seeds may differ, as measured or else as is usual for the method."""
    level = max(abs(t.loss) for t in (trial, parent) if t.loss is not None)
    usual = 0.0 if trial.stderr else 2 * method_record(trial.method).seed_sd * level
    return beyond_noise(parent, trial) and (trial.loss or 0.0) - (parent.loss or 0.0) > usual


def _directions(knob: str) -> tuple[int, int]:
    """The directions of a probe in order: a smaller batch first, for more updates; of the rest, more comes first."""
    return (-1, 1) if knob == "batch_size" else (1, -1)
