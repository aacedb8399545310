"""Whether another trial is worth its cost: the gain expected from it against what counts as noise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.model.message import Message, message
from tuner.search.distributions import Distributions
from tuner.search.noise import noise_between
from tuner.search.proposal import incumbent
from tuner.search.replicates import pooled
from tuner.search.run_model.acquire import best_choice
from tuner.search.run_model.evidence import MIN_TRIALS
from tuner.search.run_model.posterior import RunModel
from tuner.search.run_model.reasons import saved_share
from tuner.search.trial_view import TrialView

CHECKS_IN_A_ROW = 3
"""No gain must be in sight after each of this many latest trials: a single check may be an accident."""
TRIALS_AHEAD = 2
"""The expected gain is that of this many trials together: one alone seldom brings more than noise late in a study."""


@dataclass(frozen=True)
class StopDecision:
    """The gain that the next few trials are expected to bring, and the difference that counts as noise."""

    expected: float
    noise: float

    def why(self, metric: str) -> Message:
        """The finding as a message that names the metric."""
        return message("no-gain-in-sight", trials=TRIALS_AHEAD, metric=metric, expected=self.expected, noise=self.noise)


def should_stop(
    trials: Sequence[TrialView], space: Distributions, model: RunModel | None = None
) -> StopDecision | None:
    """What is left to gain once that is less than the noise; None while a trial is worth its cost.

    ``trials`` have their own losses, and ``model`` may be one that was asked before. The search may stop when, after
    each of the last few finished trials, the posterior expects of no untried settings an improvement (Jones 1998;
    stopping by it: Nguyen 2017) beyond the noise. In a space of settings that the model does not know it never does.
    """
    ended = sorted((trial for trial in trials if not trial.running), key=lambda trial: trial.number)
    if not RunModel.serves(space) or sum(not trial.seed for trial in ended) < MIN_TRIALS + len(space):
        return None
    if not _all_changed(ended, space):
        return None
    model = model or RunModel(space)
    checks = (outlook(ended[: len(ended) - back], space, model) for back in reversed(range(CHECKS_IN_A_ROW)))
    found: StopDecision | None = None
    for found in checks:
        if found is None or found.expected >= found.noise:
            return None
    return None if found is None or _just_gained(ended, found.noise) else found


def _all_changed(trials: Sequence[TrialView], space: Distributions) -> bool:
    """Whether each setting was tried at two values at least: one that never changed may matter."""
    usable = [trial for trial in trials if trial.usable]
    return all(span.single() or len({trial.settings.get(knob) for trial in usable}) > 1 for knob, span in space.items())


def _just_gained(trials: Sequence[TrialView], noise: float) -> bool:
    """Whether one of the latest trials was better than all before by more than noise: there may be more to find."""
    now, before = incumbent(pooled(trials)), incumbent(pooled(trials[:-CHECKS_IN_A_ROW]))
    return now is None or before is None or (before.loss or 0.0) - (now.loss or 0.0) > noise


def outlook(trials: Sequence[TrialView], space: Distributions, model: RunModel) -> StopDecision | None:
    """What the next few trials are expected to gain, and what counts as noise; None while no run has a value."""
    best, posterior = incumbent(pooled(trials)), model.posterior(trials)
    if best is None or best.loss is None or posterior is None:
        return None
    choice = best_choice(posterior, trials, space, may_repeat=False)
    level, gain = abs(best.loss), 0.0 if choice is None else choice.gain
    noise = max(noise_between(best), saved_share(posterior, posterior.noise, best) * level)
    return StopDecision(TRIALS_AHEAD * saved_share(posterior, gain, best) * level, noise)
