"""Distillation: a teacher that is not approached, a distance above its bound."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.objectives.levels import thirds, to_judge
from diagnostics.detectors.preconditions import enough, throughout, whole_run
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def teacher_not_approached(
    train_loss: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    *,
    fall: float,
    min_points: int,
    min_share_done: float,
) -> Evidence | None:
    """The distance to the teacher hardly came down, beyond what unlike batches scatter."""
    enough(train_loss, min_points, "training losses")
    whole_run(train_loss, settings, min_share_done)
    judge = to_judge(train_loss, eval_loss)
    start, end = thirds(judge)
    scatter = signals.difference_noise(judge.values) / np.sqrt(max(len(judge) / 3.0, 1.0))
    if start <= 0.0 or start - end >= fall * start or end > (1.0 + fall) * start or 2.0 * scatter > fall * start:
        return None
    return throughout(judge, {"start": start, "end": end})


def distance_above_bound(train_loss: Curve, settings: Settings, *, bound: float, min_points: int) -> Evidence | None:
    """A Jensen-Shannon divergence above its bound, ln 2 for equal weights: it is summed, or the vocabularies differ."""
    enough(train_loss, min_points, "training losses")
    if settings.beta is None:
        raise NotEnoughPoints("setting-unknown", settings="beta")
    if not 0.0 < settings.beta < 1.0:
        return None
    weights = np.array([settings.beta, 1.0 - settings.beta])
    most = bound * float(-(weights * np.log(weights)).sum())
    early = float(train_loss.values[: max(1, len(train_loss) // 3)].mean())
    if early <= most:
        return None
    return throughout(train_loss, {"loss": early, "bound": most / bound})
