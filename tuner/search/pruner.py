"""An Optuna pruner: it stops diverged runs at once, and clearly worse ones after 40 % of the schedule."""

from __future__ import annotations

import numpy as np
from optuna.pruners import BasePruner
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from diagnostics.model.message import Message, message
from tuner.search.attributes import (
    DIAGNOSIS,
    DIVERGED,
    NOISE,
    RESEED,
    SHARE,
    STOPPED,
    store_attributes,
    stored_attributes,
)
from tuner.search.trial_view import sign_of

EARLIEST_SHARE = 0.4
"""Early losses mislead: a low rate looks best at first (Wu 2018), and a high early loss can end best (Pareja 2024)."""
LATEST_SHARE = 0.9
"""Later there is nothing left to save."""


class DiagnosisPruner(BasePruner):
    """A pruner that reads the recorded verdict and compares at equal shares of the schedule.

    The objective calls ``tuner.record(trial, run, share=...)`` and ``trial.report(value, step)`` at each evaluation. A
    run that diverged is stopped at once. Any other run stops, from ``after`` (a share of the schedule) on, when at
    ``patience`` evaluations in a row it could not have reached the best trial's end by gaining twice what that one
    gained from there, to within ``margin`` (relative) and twice the noise. The reason is kept in the trial's user
    attribute ``stopped``, as a code and values.
    """

    def __init__(self, *, after: float = EARLIEST_SHARE, patience: int = 2, margin: float = 0.003) -> None:
        if not 0 <= after <= 1 or patience < 1 or margin < 0:
            raise ValueError(f"after {after} must be a share, patience {patience} 1 or more, margin {margin} 0 or more")
        self._after, self._patience, self._margin = after, patience, margin

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Whether to stop the trial now."""
        reason = self.reason(study, trial)
        if reason is not None:
            store_attributes(study, trial, {STOPPED: reason.to_dict()})
        return reason is not None

    def reason(self, study: Study, trial: FrozenTrial) -> Message | None:
        """Why the trial should stop; None while it may win."""
        if DIAGNOSIS not in trial.user_attrs:
            return None
        if trial.user_attrs.get(DIVERGED):
            return message("diverged")
        share = trial.user_attrs.get(SHARE)
        # A repeat is worth its full length. A live trial does not hold what the sampler wrote into it.
        if stored_attributes(study, trial).get(RESEED):
            return None
        if share is None or trial.last_step is None or not self._after <= share <= LATEST_SHARE:
            return None
        return self._out_of_reach(study, trial, share)

    def _out_of_reach(self, study: Study, trial: FrozenTrial, share: float) -> Message | None:
        """The reason when the trial was out of reach of the best one at each of its last evaluations."""
        best = _best_trial(study, trial)
        if best is None or best.last_step is None or trial.last_step is None:
            return None
        sign = sign_of(study)
        shares, losses = _best_so_far(trial, trial.last_step / share, sign)
        known, level = _best_so_far(best, best.last_step, sign)
        late = shares >= self._after
        if late.sum() < self._patience or not known.size:
            return None
        best_then = np.interp(shares, known, level)
        noise = 2 * max(float(t.user_attrs.get(NOISE) or 0.0) for t in (trial, best))
        reach = best_then - level[-1] + np.maximum(self._margin * np.abs(best_then), noise)
        if not (losses - best_then > reach)[late][-self._patience :].all():
            return None
        value, other = float(sign * losses[-1]), float(sign * best_then[-1])
        return message("out-of-reach", value=value, share=share, trial=best.number, other=other)


def _best_trial(study: Study, trial: FrozenTrial) -> FrozenTrial | None:
    """The best finished trial that has evaluations to compare with."""
    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    done = [t for t in done if t.intermediate_values and t.number != trial.number and not t.user_attrs.get(DIVERGED)]
    sign = sign_of(study)
    return min(done, key=lambda t: sign * (t.value if t.value is not None else np.inf), default=None)


def _best_so_far(trial: FrozenTrial, whole: float, sign: float) -> tuple[np.ndarray, np.ndarray]:
    """Shares of the schedule and the lowest loss up to each; steps count up to ``whole``."""
    points = [(step, sign * value) for step, value in sorted(trial.intermediate_values.items()) if np.isfinite(value)]
    table = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    return table[:, 0] / max(whole, 1e-12), np.minimum.accumulate(table[:, 1])
