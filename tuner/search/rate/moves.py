"""The next learning rate, from the verdict and from the losses of the trials beside the best one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import FloatDistribution

from diagnostics.model.message import message
from diagnostics.model.records import Advice
from tuner.search.distributions import Distributions, alike
from tuner.search.noise import noise_between
from tuner.search.proposal import RATE, Proposal, incumbent, loss_of, propose, reason, target_value
from tuner.search.rate.sweep import LrSweep
from tuner.search.rate.trust_region import STEP_DECADES, expected_gain, next_step
from tuner.search.trial_view import TrialView

COARSE_STEP_DECADES = 0.4
"""A finer step of the rate gains half a percent at most (3.1 % per decade squared in 548 LoRA runs), so the other
settings come first."""
GAIN_OF_OTHER_SETTING = 0.0114
"""What one step of another setting may save of the loss: half of what the best rank saves at a good rate (2.28 % in 548
LoRA runs). A rate that promises more comes first."""
EDGE_EXCESS_LOSS = 0.2
"""An unstable run this much worse than the best one, as a share of its loss, lies past the edge of stability. It says
nothing about the rates below the edge, where the best one often lies (Cohen 2021)."""
MAX_CLIMB_LOSS = 0.03
"""A rate ten times too low costs 2 to 4 % of the loss: within that, a verdict weighs more than a loss."""


def settled(trials: Sequence[TrialView], space: Distributions) -> bool:
    """Whether the learning rate is resolved to a few tenths of a decade for some values of the other settings."""
    if not has_rate(space):
        return True
    return any(
        sum(t.usable for t in trials if _beside(t, trial, space)) >= 2
        and not is_coarse(rate_move(trial, trials, space), trial, trials, space)
        for trial in trials
        if trial.usable and trial is incumbent([t for t in trials if _beside(t, trial, space)])
    )


def is_coarse(move: Proposal | None, best: TrialView, trials: Sequence[TrialView], space: Distributions) -> bool:
    """Whether a change of the learning rate is more than a refinement.

    It is the first one, goes far beyond what was tried, or into a gap that promises more than another setting.
    """
    if move is None:
        return False
    step = _decades(move.settings, best)
    beside = [t for t in trials if t.usable and _beside(t, best, space) and not _over_the_edge(t, best)]
    if len(beside) < 2:
        return True
    if any(_beyond(t, best) * step > 0 for t in beside):
        return expected_gain(rate_sweep(best, trials, space)) > GAIN_OF_OTHER_SETTING
    return abs(step) > COARSE_STEP_DECADES


def rate_move(best: TrialView, trials: Sequence[TrialView], space: Distributions) -> Proposal | None:
    """The next learning rate, everything else as in the best trial."""
    advice = _rate_advice(best)
    target = target_value(advice, best) if advice else None
    advised = math.log10(target / best.settings[RATE]) if isinstance(target, float) and target > 0 else 0.0
    sweep = rate_sweep(best, trials, space)
    if not sweep.points:
        return _retreat(best, advised, advice, trials, space)
    onward = _onward(best, advised, sweep, trials, space)
    if onward is not None:
        return onward
    step = next_step(sweep, advised)
    if step is None:
        return None
    follows = advice is not None and advised * step.direction(sweep) > 0
    why = reason(advice, best) if follows and advice else step.why
    return propose(best, RATE, 10**step.position, why, advice if follows else None, trials, space)


def has_rate(space: Distributions) -> bool:
    """Whether the learning rate is searched on a continuous range."""
    return isinstance(space.get(RATE), FloatDistribution)


def _rate_advice(trial: TrialView) -> Advice | None:
    """What the trial's verdict advises about the learning rate."""
    return next((advice for advice in trial.advice if advice.knob == RATE), None)


def _onward(
    best: TrialView, advised: float, sweep: LrSweep, trials: Sequence[TrialView], space: Distributions
) -> Proposal | None:
    """A step from the furthest trial in the advised direction, where its verdict points further; else None.

    Runs that have hardly begun to learn differ by chance: the best of them is not a reason to stay.
    """
    if not advised:
        return None
    further = [t for t in trials if t.usable and _beside(t, best, space) and _beyond(t, best) * advised > 0]
    further = [t for t in further if loss_of(t) - loss_of(best) <= MAX_CLIMB_LOSS * abs(loss_of(best))]
    furthest = max(further, key=lambda t: abs(_beyond(t, best)), default=None)
    advice = _rate_advice(furthest) if furthest else None
    target = target_value(advice, furthest) if advice and furthest else None
    if furthest is None or advice is None or not isinstance(target, float) or target <= 0:
        return None
    step = math.log10(target / furthest.settings[RATE])
    position = min(max(math.log10(target), sweep.low), sweep.top)
    if step * advised <= 0 or (position - math.log10(furthest.settings[RATE])) * advised <= 0:
        return None
    return propose(furthest, RATE, 10**position, reason(advice, furthest), advice, trials, space)


def _retreat(
    worst: TrialView,
    advised: float,
    advice: Advice | None,
    trials: Sequence[TrialView],
    space: Distributions,
) -> Proposal | None:
    """Down from a trial that diverged when nothing else is known: by what the verdict says, at least to a third."""
    rate = worst.settings[RATE] * 10 ** min(advised, -STEP_DECADES)
    return propose(worst, RATE, rate, message("every-rate-diverged"), advice if advised < 0 else None, trials, space)


def rate_sweep(best: TrialView, trials: Sequence[TrialView], space: Distributions) -> LrSweep:
    """The trials that differ from the best one in the learning rate alone, as positions in decades."""
    span = space[RATE]
    assert isinstance(span, FloatDistribution)
    beside = [t for t in trials if _beside(t, best, space)]
    usable = [t for t in beside if t.usable and not _over_the_edge(t, best)]
    too_high = [t.settings[RATE] for t in trials if (t.diverged or _over_the_edge(t, best)) and _as_risky(best, t)]
    too_high = [rate for rate in too_high if not usable or rate > best.settings[RATE]]
    pending = [math.log10(t.settings[RATE]) for t in beside if t.running]
    points = [(math.log10(t.settings[RATE]), loss_of(t)) for t in usable]
    bound = math.log10(min(too_high)) if too_high else None
    return LrSweep(points, math.log10(span.low), math.log10(span.high), bound, noise_between(*usable), pending)


def _over_the_edge(trial: TrialView, best: TrialView) -> bool:
    """Whether a trial at a higher rate was unstable and far worse."""
    if not trial.usable or trial.label != "unstable" or RATE not in trial.settings:
        return False
    return _beyond(trial, best) > 0 and loss_of(trial) - loss_of(best) > EDGE_EXCESS_LOSS * abs(loss_of(best))


def _beside(trial: TrialView, other: TrialView, space: Distributions) -> bool:
    """Whether a trial differs from another one in the learning rate alone, and is not a repeat on another seed."""
    return not trial.seed and all(
        knob in trial.settings and knob in other.settings and alike(trial.settings[knob], other.settings[knob], span)
        for knob, span in space.items()
        if knob != RATE
    )


def _as_risky(candidate: TrialView, diverged: TrialView) -> bool:
    """Whether the candidate has no more warm-up, clipping or batch than one that diverged, and the same beta."""

    def knob(trial: TrialView, name: str, default: float) -> float:
        value = trial.settings.get(name, default)
        return float(value) if isinstance(value, (int, float)) else default

    if RATE not in diverged.settings:
        return False
    longer = knob(candidate, "warmup_ratio", 0) > 1.5 * knob(diverged, "warmup_ratio", 0) + 0.005
    tighter = knob(candidate, "max_grad_norm", 1) < 0.7 * knob(diverged, "max_grad_norm", 1)
    bigger = knob(candidate, "batch_size", 1) > knob(diverged, "batch_size", 1)
    other = candidate.settings.get("beta") != diverged.settings.get("beta")
    return not (longer or tighter or bigger or other)


def _decades(settings: Mapping[str, Any], other: TrialView) -> float:
    """How many decades the rate of some settings lies above a trial's."""
    return math.log10(settings[RATE] / other.settings[RATE])


def _beyond(trial: TrialView, other: TrialView) -> float:
    """How many decades a trial's rate lies above another's."""
    return _decades(trial.settings, other)
