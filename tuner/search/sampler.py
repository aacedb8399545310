"""An Optuna sampler that asks one model of the run, fed by the diagnosis of earlier trials, what to train next."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.search_space import intersection_search_space
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from diagnostics.model.message import Message, message
from tuner.messages import text
from tuner.search.advised import advised_move, rule_followed
from tuner.search.attributes import BECAUSE, MOVED_BY, PARENT, RESEED, store_attributes, stored_attributes
from tuner.search.base import default_base, draw_untried
from tuner.search.distributions import Distributions
from tuner.search.proposal import Proposal, incumbent
from tuner.search.proposer import ANOTHER_SEED, RUN_MODEL, Proposer, ProposerKind, advice_of
from tuner.search.replicates import next_seed, pooled
from tuner.search.rescaling import rescaled_by
from tuner.search.run_model.acquire import LITTLE, Choice, best_choice
from tuner.search.run_model.posterior import Posterior, RunModel
from tuner.search.run_model.priors import Normal, stored_rate
from tuner.search.run_model.reasons import reason_of
from tuner.search.trial_view import USUAL_NAMES, TrialView, forgetting_limit, sign_of, trial_view

logger = logging.getLogger("tuner")


class DiagnosisSampler(BaseSampler):
    """A sampler that chooses by the posterior of a model of the run, in which verdicts are evidence.

    Works in any study with one objective: the objective calls ``tuner.record(trial, run)`` before it returns.
    The proposal is a pure function of the trials in the study, so a resumed study continues as if it had not stopped;
    trials that are running count as what is expected of them, so workers differ.

    ``base`` proposes in spaces that hold none of the model's settings (default: ``GPSampler``, or ``TPESampler``
    without torch), and shares the trials where one is given and the model expects no more gain. ``knobs`` maps the
    study's parameter names to those of advice, such as ``{"lr": "learning_rate"}``. ``space`` is the search space where
    it is known before the first trial has finished. ``reseed`` lets the sampler repeat settings on a fresh seed where
    one run each does not show which are the best; the objective must then train with ``tuner.seed_of(trial, seed)``.
    ``rate`` is what is known of the best learning rate beforehand, as decades with their deviation; else trial 0's is
    the guess. ``metric`` names the curve that the study optimizes, where a setting may rescale it.
    """

    def __init__(
        self,
        base: BaseSampler | None = None,
        *,
        seed: int = 0,
        knobs: Mapping[str, str] | None = None,
        space: Distributions | None = None,
        reseed: bool = False,
        rate: Normal | None = None,
        metric: str | None = None,
    ) -> None:
        self._base = base
        self._seed = seed
        self._knobs = dict(knobs or USUAL_NAMES)
        self._space = dict(space or {})
        self._reseed = reseed
        self._warned = False
        self._rate = rate
        self._metric = metric

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
        fixed = self._fixed(unpooled, search_space)
        searched = {name: span for name, span in search_space.items() if name not in fixed}
        space = {self._knob(name): span for name, span in searched.items()}
        model = RunModel(space, self._rate or stored_rate(study.user_attrs)) if RunModel.serves(space) else None
        posterior = model.posterior(unpooled) if model else None
        if posterior is not None:
            may_repeat = self._reseed and "fixed_params" not in trial.system_attrs and not _just_repeated(unpooled)
            choice = best_choice(posterior, unpooled, space, may_repeat=may_repeat)
            if choice is not None and choice.repeats is not None:
                return self._repeat(study, trial, search_space, choice.repeats, next_seed(choice.repeats, unpooled))
            if choice is not None and not self._base_has_turn(posterior, choice, unpooled):
                return self._chosen(study, trial, searched, _proposal(posterior, choice, unpooled, space)) | fixed
        advised = _advised(unpooled, space) if posterior is None else None
        if advised is not None:
            return self._chosen(study, trial, searched, advised) | fixed
        return self._base_settings(study, trial, searched, pooled(unpooled)) | fixed

    def _chosen(
        self, study: Study, trial: FrozenTrial, space: Mapping[str, BaseDistribution], move: Proposal
    ) -> dict[str, Any]:
        self._sign(study, trial, move.proposer, move.because, move.parent)
        return {name: move.settings[self._knob(name)] for name in space if self._knob(name) in move.settings}

    def _fixed(self, trials: Sequence[TrialView], space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
        """The parameters that rescale the metric, at trial 0's values: they stay where they are."""
        if not trials:
            return {}
        first = min(trials, key=lambda one: one.number).settings
        method = next((one.method for one in trials if one.method), None)
        metric = self._metric or next((one.metric for one in trials if one.metric), None)
        rescaling = rescaled_by((self._knob(name) for name in space), method, metric)
        return {
            name: first[self._knob(name)]
            for name in space
            if self._knob(name) in rescaling and self._knob(name) in first
        }

    def _base_has_turn(self, model: Posterior, choice: Choice, trials: Sequence[TrialView]) -> bool:
        """Whether the user's own base sampler proposes: the model expects nothing, and proposed the latest trial."""
        if self._base is None or choice.gain > LITTLE * model.noise:
            return False
        latest = max(trials, key=lambda one: one.number)
        return latest.proposer.kind is not ProposerKind.SAMPLER

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
        sign, limit = sign_of(study), forgetting_limit(study)
        others = [t for t in study.get_trials(deepcopy=False) if t.number != trial.number]
        return [trial_view(t, sign, self._knobs, limit) for t in others]

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
        known = [{name: t.settings.get(self._knob(name)) for name in search_space} for t in trials]
        return draw_untried(base, study, trial, search_space, known, self._hash(trial.number))

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


def _proposal(model: Posterior, choice: Choice, trials: Sequence[TrialView], space: Distributions) -> Proposal:
    """The model's choice with its reason, credited to a rule where it is the first to follow its advice."""
    best = incumbent(pooled(trials)) or min(trials, key=lambda one: one.number)
    rule = rule_followed(best, choice.settings, space)
    if rule and any(trial.parent == best.number and trial.proposer == advice_of(rule) for trial in trials):
        rule = None  # the advice was followed from there: what comes now is the model's own
    proposer = advice_of(rule) if rule else RUN_MODEL
    return Proposal(choice.settings, proposer, reason_of(model, choice, best), best.number)


def _advised(trials: Sequence[TrialView], space: Distributions) -> Proposal | None:
    """What the verdict on the best trial advises."""
    best = incumbent(pooled(trials))
    return advised_move(best, pooled(trials), space) if best is not None else None
