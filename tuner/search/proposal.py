"""Settings for the next trial: who proposes them and why, and the trial that they start from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import FloatDistribution, IntDistribution

from diagnostics.model.message import Message, Value
from diagnostics.model.records import Advice
from tuner.search.distributions import Distributions, nearest_in_space, tried_before
from tuner.search.noise import beyond_noise
from tuner.search.proposer import Proposer, advice_of
from tuner.search.trial_view import TrialView

RATE = "learning_rate"


@dataclass(frozen=True)
class Proposal:
    """Settings for the next trial, who proposes them and why; ``parent`` is the trial that they start from."""

    settings: Mapping[str, Any]
    proposer: Proposer
    because: Message
    parent: int


def incumbent(trials: Sequence[TrialView]) -> TrialView | None:
    """The best trial so far; among near ties an unstable one gives way. None without a usable trial.

    Where seeds were compared a loss counts with its standard error: settings that ran once must be that much better. Of
    repeated settings the first trial counts.
    """
    usable = [trial for trial in trials if trial.usable and not trial.seed]
    if not usable:
        return None
    best = min(usable, key=_upper_loss)
    ties = [trial for trial in usable if not beyond_noise(best, trial)]
    stable = [trial for trial in ties if trial.label not in ("unstable", "broken")]
    return min(stable or [best], key=_upper_loss)


def _upper_loss(trial: TrialView) -> float:
    """The loss plus its standard error."""
    return loss_of(trial) + trial.stderr


def loss_of(trial: TrialView) -> float:
    """The trial's loss; infinite where it has none."""
    return math.inf if trial.loss is None else trial.loss


def propose(
    best: TrialView,
    knob: str,
    value: Any,
    why: Message,
    advice: Advice,
    trials: Sequence[TrialView],
    space: Distributions,
) -> Proposal | None:
    """The best trial's settings with one changed; None when the space does not hold it or it was tried before."""
    fitting = nearest_in_space(_round(value, space[knob]), space[knob])
    settings = {**{name: best.settings[name] for name in space if name in best.settings}, knob: fitting}
    if fitting is None or tried_before(settings, [t.settings for t in trials], space):
        return None
    return Proposal(settings, advice_of(advice.because), why, best.number)


def _round(value: Any, span: object) -> Any:
    """A rate to two digits, as a person would write it; other values as they are."""
    if isinstance(span, (FloatDistribution, IntDistribution)) and isinstance(value, float) and value:
        return float(f"{value:.1e}") if isinstance(span, FloatDistribution) and span.log else value
    return value


def target_value(advice: Advice, best: TrialView) -> Any:
    """The value that the advice calls for, from its factor or its new value; None when it is in words only."""
    now, new = best.settings.get(advice.knob), advice.new
    if advice.factor is not None and isinstance(now, (int, float)) and not isinstance(now, bool) and now:
        return float(now) * float(advice.factor)
    return float(new) if isinstance(new, (int, float)) and not isinstance(new, bool) else new


def reason(advice: Advice, best: TrialView) -> Message:
    """Why the advice was given: the rule, the trial where it fired, and what was measured there."""
    where: dict[str, Value] = {"rule": advice.because, "trial": best.number}
    found = next((finding for finding in best.findings if finding.rule == advice.because), None)
    if found is None:
        return Message("rule-advises", where)
    return Message("rule-measured", {**found.measured, **where, "template": found.template})
