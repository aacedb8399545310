"""An Optuna pruner: it stops diverged runs at once, and those whose end is hardly worth reaching early on."""

from __future__ import annotations

import logging
import zlib

from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import FrozenTrial

from diagnostics.model.message import Message, message
from diagnostics.model.methods import method_record
from diagnostics.model.training_method import TrainingMethod
from diagnostics.rules import NO_WAY_BACK
from tuner.messages import text
from tuner.search.attributes import (
    DIAGNOSIS,
    DIVERGED,
    METHOD,
    RESEED,
    SHARE,
    SPARED,
    STOPPED,
    store_attributes,
    stored_attributes,
)
from tuner.search.early_look import chances_at
from tuner.search.forecast import Chances, Noise, noise_of, ranks_late
from tuner.search.progress import rivals_of

logger = logging.getLogger("tuner")

LOOK_EARLY, LOOK_EARLY_COMPARING = 0.2, 0.5
"""The first look, as a share of the schedule. On 880 LoRA runs the four best SFT settings at a fifth of the schedule
always held one within 0.05 % of the best; of DPO settings they lost up to 28 % before 40 %."""
STANDING = 4
"""So many better runs must stand at the same share ..."""
EARLIEST_SHARE = 0.4
"""... before this one. From here on the best run alone may do: early losses mislead, for a low rate looks best at first
(Wu 2018), and a high early loss can end best (Pareja 2024)."""
LATEST_SHARE = 0.9
"""Later there is nothing left to save."""
MAX_CHANCE = 0.05
"""A run with a better chance to be the best goes on."""
RUN_PRICE = 0.5
"""What a run is worth, in deviations between seeds: a study ends when two more together promise less than one."""
AT_ONCE = ("diverged", "no-way-back")
"""Reasons that no run is spared from."""
SPARED_ONE_IN = 8
"""One in so many runs that would be stopped goes on, to show what stopping loses."""


class DiagnosisPruner(BasePruner):
    """A pruner that reads the recorded verdict and compares at equal shares of the schedule.

    The objective calls ``tuner.record(trial, run, share=...)`` and ``trial.report(value, step)`` at each evaluation. A
    run that diverged, or whose reward cannot come back, is stopped at once. Any other run stops when its settings are
    the best with a probability below 5 % (to within ``margin``, relative, and the noise between seeds of its method),
    and less is expected to be lost than the rest of the run is worth: at one evaluation where four better runs stand,
    else at ``patience`` in a row. It is asked from ``after`` (a share of the schedule) on; by default that is 0.2 where
    four better runs stand, else 0.4, and 0.5 for methods that compare answers, such as DPO. One in eight goes on all
    the same, as a check. The reason is kept in the trial's user attribute ``stopped``, or ``spared`` where it goes on,
    as a code and values.
    """

    def __init__(self, *, after: float | None = None, patience: int = 2, margin: float = 0.003) -> None:
        if not 0 <= (after or 0.0) <= 1 or patience < 1 or margin < 0:
            raise ValueError(f"after {after} must be a share, patience {patience} 1 or more, margin {margin} 0 or more")
        self._after, self._patience, self._margin = after, patience, margin
        self._warned = False

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether to stop the trial now."""
        if trial.user_attrs.get(SHARE) is not None and trial.last_step is None and not self._warned:
            self._warned = True
            logger.warning(text(message("nothing-reported")))
        reason = self.reason(study, trial)
        if reason is None:
            return False
        kept = stored_attributes(study, trial)
        spared = reason.code not in AT_ONCE and (SPARED in kept or _is_spared(study, trial))
        if not spared:
            store_attributes(study, trial, {STOPPED: reason.to_dict()})
        elif SPARED not in kept:
            store_attributes(study, trial, {SPARED: reason.to_dict()})
        return not spared

    def reason(self, study: Study, trial: FrozenTrial) -> Message | None:
        """Why the trial should stop; None while it may win."""
        if DIAGNOSIS not in trial.user_attrs:
            return None
        if trial.user_attrs.get(DIVERGED):
            return message("diverged")
        lost = next(
            (one["rule"] for one in trial.user_attrs[DIAGNOSIS]["findings"] if one["rule"] in NO_WAY_BACK), None
        )
        if lost is not None:
            return message("no-way-back", rule=lost)
        share = trial.user_attrs.get(SHARE)
        # A repeat is worth its full length. A live trial does not hold what the sampler wrote into it.
        if stored_attributes(study, trial).get(RESEED):
            return None
        if share is None or trial.last_step is None or not 0 < share <= LATEST_SHARE:
            return None
        return self._unlikely(study, trial, share)

    def _unlikely(self, study: Study, trial: FrozenTrial, share: float) -> Message | None:
        """The reason when the trial was hardly worth finishing at each of its last evaluations."""
        rivals = rivals_of(study, trial)
        if rivals is None:
            return None
        method = method_record(trial.user_attrs.get(METHOD))
        noise = noise_of(method, is_loss=rivals.scale.is_log, evaluations=rivals.noise)
        first = self._after if self._after is not None else first_look(method)
        many = rivals.standing(share) >= STANDING
        looks = rivals.run.shares[rivals.run.shares <= share + 1e-9][-1 if many else -self._patience :]
        if looks[0] < (first if many or self._after is not None else max(first, EARLIEST_SHARE)):
            return None
        if not many and len(looks) < self._patience:
            return None
        found = chances_at(looks, study, trial, rivals, method, self._margin)
        if not all(_hopeless(one, at, noise) for one, at in zip(found, looks, strict=True)):
            return None
        value, other = (rivals.value(one.at(share)) for one in (rivals.run, rivals.whole[0]))
        return message(
            "out-of-reach", value=value, share=share, trial=rivals.leader, other=other, chance=found[-1].best
        )


def first_look(method: TrainingMethod) -> float:
    """The share of the schedule from which on runs of a method can be ranked at all."""
    return LOOK_EARLY_COMPARING if ranks_late(method) else LOOK_EARLY


def _hopeless(found: Chances, share: float, noise: Noise) -> bool:
    """Whether settings are hardly the best, and finishing the run is expected to gain less than it costs."""
    return found.best < MAX_CHANCE and found.loss < (1 - share) * RUN_PRICE * noise.seeds


def _is_spared(study: Study, trial: FrozenTrial) -> bool:
    """Whether this run goes on as a check: one in eight, by study and number, so that a resumed study agrees."""
    return zlib.crc32(f"{study.study_name} {trial.number}".encode()) % SPARED_ONE_IN == 0
