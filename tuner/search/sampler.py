"""An Optuna sampler that follows the diagnosis of earlier trials and leaves the rest to a base sampler."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import intersection_search_space
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from diagnostics.model.message import Message, message
from tuner.messages import text
from tuner.search.advisor import next_move
from tuner.search.attributes import BECAUSE, MOVED_BY, PARENT, RESEED, store_attributes, stored_attributes
from tuner.search.base import default_base, draw_untried
from tuner.search.distributions import Distributions
from tuner.search.proposal import RATE, incumbent
from tuner.search.proposer import ANOTHER_SEED, Proposer, ProposerKind
from tuner.search.replicates import in_doubt, next_seed, pooled
from tuner.search.trial_view import TrialView, sign_of, trial_view
from tuner.search.turns import advisor_leads

logger = logging.getLogger("tuner")

SMALL_STUDY_TRIALS = 24
"""Up to this many trials the base sampler stays near the best learning rate; later it has the whole range."""
NEAR_RATE_FACTOR = 3.0
"""Half a decade either way: at that distance 548 LoRA runs lost about 1 %, at a decade 2 to 7 %."""


class DiagnosisSampler(BaseSampler):
    """A sampler that moves along the advice of recorded verdicts and shares the trials with a base sampler.

    Works in any study with one objective: the objective calls ``tuner.record(trial, run)`` before it returns.
    The proposal is a pure function of the trials in the study, so a resumed study continues as if it had not stopped.

    ``base`` proposes the other trials (default: ``GPSampler``, or ``TPESampler`` without torch). ``knobs`` maps the
    study's parameter names to those of advice, such as ``{"lr": "learning_rate"}``. ``space`` is the search space where
    it is known before the first trial has finished. ``reseed`` lets the sampler repeat settings on a fresh seed where
    one run each does not show which are the best; the objective must then train with ``tuner.seed_of(trial, seed)``.
    """

    def __init__(
        self,
        base: BaseSampler | None = None,
        *,
        seed: int = 0,
        knobs: Mapping[str, str] | None = None,
        space: Distributions | None = None,
        reseed: bool = False,
    ) -> None:
        self._base = base
        self._seed = seed
        self._knobs = dict(knobs or {"lr": "learning_rate"})
        self._space = dict(space or {})
        self._reseed = reseed
        self._warned = False

    def infer_relative_search_space(self, study: Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """The parameters that every finished trial had, with the same range."""
        finished = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))
        space = intersection_search_space(finished, include_pruned=True) or self._space
        return {name: span for name, span in space.items() if not span.single()}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """The next settings. Who proposed them, and why, is stored in the trial."""
        if not search_space or len(study.directions) > 1:
            return self._base_settings(study, trial, search_space, [])
        unpooled = self._trials(study, trial)
        trials = pooled(unpooled)
        space = {self._knob(name): span for name, span in search_space.items()}
        move = next_move(trials, space)
        if move is None or not advisor_leads(move, trials, space):
            may_repeat = self._reseed and "fixed_params" not in trial.system_attrs and not _just_repeated(unpooled)
            original = in_doubt(unpooled) if may_repeat else None
            if original is not None:
                return self._repeat(study, trial, search_space, original, next_seed(original, unpooled))
            return self._base_settings(study, trial, search_space, trials)
        self._sign(study, trial, move.proposer, move.because, move.parent)
        return {name: move.settings[self._knob(name)] for name in search_space if self._knob(name) in move.settings}

    def sample_independent(
        self, study: Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """A value from the base sampler: for parameters that not all trials have. A repeat has those of its parent."""
        kept = stored_attributes(study, trial)
        if kept.get(RESEED):
            parent = study.get_trials(deepcopy=False)[kept[PARENT]].params
            if param_name in parent:
                return parent[param_name]
        base = self._base or RandomSampler(seed=self._hash(trial.number, param_name))
        return base.sample_independent(study, trial, param_name, param_distribution)

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Tell the base sampler that a trial begins; say once that verdicts lead no study with several objectives."""
        if len(study.directions) > 1 and not self._warned:
            self._warned = True
            logger.warning(text(message("several-objectives", objectives=len(study.directions))))
        if self._base is not None:
            self._base.before_trial(study, trial)

    def after_trial(self, study: Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None) -> None:
        """Tell the base sampler that a trial has ended."""
        if self._base is not None:
            self._base.after_trial(study, trial, state, values)

    def reseed_rng(self) -> None:
        """Give the base sampler fresh random numbers; this sampler's own depend on the trial's number alone."""
        if self._base is not None:
            self._base.reseed_rng()

    def _trials(self, study: Study, trial: FrozenTrial) -> list[TrialView]:
        """All other trials as the search sees them, with the parameters named as in advice."""
        sign = sign_of(study)
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        return [trial_view(t, sign, self._knobs) for t in others]

    def _knob(self, name: str) -> str:
        return self._knobs.get(name, name)

    def _base_settings(
        self, study: Study, trial: FrozenTrial, search_space: Mapping[str, BaseDistribution], trials: list[TrialView]
    ) -> dict[str, Any]:
        """Settings of the base sampler that no trial had before, if a few attempts find some."""
        base = self._base or default_base(self._hash(trial.number))
        best = incumbent(trials)
        sampler = Proposer(ProposerKind.SAMPLER, type(base).__name__)
        self._sign(study, trial, sampler, None, best.number if best else None)
        if not search_space:
            return base.sample_relative(study, trial, base.infer_relative_search_space(study, trial))
        space = self._near(best, trials, search_space) if len(trials) <= SMALL_STUDY_TRIALS else search_space
        known = [{name: t.settings.get(self._knob(name)) for name in space} for t in trials]
        return draw_untried(base, study, trial, space, known, self._hash(trial.number))

    def _repeat(
        self,
        study: Study,
        trial: FrozenTrial,
        search_space: Mapping[str, BaseDistribution],
        original: TrialView,
        seed: int,
    ) -> dict[str, Any]:
        """The settings of an earlier trial, for a fresh seed."""
        self._sign(study, trial, ANOTHER_SEED, message("another-seed", trial=original.number), original.number)
        store_attributes(study, trial, {RESEED: seed})
        return {name: original.settings[self._knob(name)] for name in search_space}

    def _near(
        self, best: TrialView | None, trials: Sequence[TrialView], space: Mapping[str, BaseDistribution]
    ) -> dict[str, BaseDistribution]:
        """The space with the learning rate near the best trial's and up to half of the lowest that diverged."""
        near = dict(space)
        for name, span in space.items():
            rate = best.settings.get(RATE) if best is not None else None
            if self._knob(name) == RATE and isinstance(span, FloatDistribution) and span.log and rate:
                bounds = [t.settings[RATE] / 2 for t in trials if t.diverged and t.settings.get(RATE, 0) > 2 * rate]
                high = min([span.high, rate * NEAR_RATE_FACTOR, *bounds])
                near[name] = FloatDistribution(max(span.low, rate / NEAR_RATE_FACTOR), high, log=True)
        return near

    def _sign(
        self, study: Study, trial: FrozenTrial, by: Proposer, because: Message | None, parent: int | None
    ) -> None:
        """Store in the trial who proposed it, why, and the trial that it starts from."""
        why = because.to_dict() if because else ""
        store_attributes(study, trial, {MOVED_BY: str(by), BECAUSE: why, PARENT: parent})

    def _hash(self, *parts: object) -> int:
        return zlib.crc32(repr((self._seed, *parts)).encode())


def _just_repeated(trials: Sequence[TrialView]) -> bool:
    """Whether the latest trial was a repeat: at most every second one is."""
    latest = max(trials, key=lambda trial: trial.number, default=None)
    return latest is not None and latest.seed > 0
