"""A training loss that steps down where each pass over the rows ends: the model remembers them."""

from __future__ import annotations

from dataclasses import dataclass

from diagnostics import signals
from diagnostics.detectors.arguments import MIN_EVALS_TO_JUDGE_BY, Arguments
from diagnostics.detectors.preconditions import MIN_EVALS_TO_COMPARE, enough, epoch_ends, finite
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence


@dataclass(frozen=True)
class StaircaseLimits(Arguments):
    """How large a step at every epoch end must be."""

    z: float
    """In standard errors of the levels on either side."""
    sigma: float
    """In noises of single training losses."""
    drop: float
    """As a share of the first level."""


def epoch_staircase(
    train_loss: Curve, epoch: Curve, eval_loss: Curve | None = None, *, min_points: int, stairs: StaircaseLimits
) -> Evidence | None:
    """The training loss steps down where each pass over the rows ends, without a held-out loss to judge by."""
    enough(train_loss, min_points, "training losses")
    if eval_loss is not None and len(eval_loss) >= MIN_EVALS_TO_JUDGE_BY:
        return None
    return _steps_at_epochs(train_loss, epoch, stairs)


def repeats_memorized(
    train_loss: Curve, epoch: Curve, eval_loss: Curve, *, min_points: int, stairs: StaircaseLimits
) -> Evidence | None:
    """The training loss steps down where each pass ends, with a held-out loss there to judge by."""
    enough(train_loss, min_points, "training losses")
    enough(eval_loss, MIN_EVALS_TO_COMPARE, "evaluations")
    return _steps_at_epochs(train_loss, epoch, stairs)


def _steps_at_epochs(train_loss: Curve, epoch: Curve, limits: StaircaseLimits) -> Evidence | None:
    """The evidence of a step at every epoch end, or None when one end has none."""
    ends = epoch_ends(epoch)
    if not ends.size:
        raise NotEnoughPoints("no-epoch-end")
    found = signals.staircase(train_loss.steps, train_loss.values, ends)
    noise = signals.difference_noise(train_loss.values)
    level = abs(signals.head(train_loss.values))
    if not found or any(z < limits.z or d < limits.sigma * noise or d < limits.drop * level for _, d, z in found):
        return None
    deepest = max(drop for _, drop, _ in found)
    measured = {"boundaries": len(found), "drop": deepest / level, "z": min(z for *_, z in found)}
    return Evidence(found[0][0], float(train_loss.steps[-1]), finite(measured), 0.9)
