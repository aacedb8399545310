"""KTO, which judges single answers: a policy that runs away from its reference, one that hardly leaves it."""

from __future__ import annotations

import numpy as np

from diagnostics.detectors.objectives.levels import start_and_end, to_judge
from diagnostics.detectors.preconditions import (
    enough,
    finite,
    near_its_end,
    throughout,
)
from diagnostics.detectors.preference import late_mean
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def kto_runs_away(
    rewards_chosen: Curve,
    rewards_rejected: Curve,
    train_loss: Curve,
    eval_loss: Curve | None = None,
    *,
    reward: float,
    margin: float,
    of_start: float,
    min_points: int,
) -> Evidence | None:
    """Both implicit rewards run far below 0 and stay together, or the loss is back where it began.

    Where the sigmoid of either reward is saturated its gradient is gone, and the policy stays there.
    """
    enough(rewards_chosen, min_points, "rewards of desirable answers")
    chosen, rejected = late_mean(rewards_chosen), late_mean(rewards_rejected)
    start, end = start_and_end(train_loss, eval_loss)
    if max(chosen, rejected) > -reward or not (chosen - rejected < margin or end >= of_start * start):
        return None
    far = np.flatnonzero(rewards_chosen.values <= -reward)
    first = float(rewards_chosen.steps[far[0]] if far.size else rewards_chosen.steps[0])
    measured = {"chosen": chosen, "rejected": rejected, "loss": end}
    return Evidence(first, float(rewards_chosen.steps[-1]), finite(measured))


def kto_hardly_moves(
    train_loss: Curve,
    rewards_margins: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    eval_rewards_margins: Curve | None = None,
    *,
    of_start: float,
    margin: float,
    min_points: int,
    min_share_done: float,
) -> Evidence | None:
    """The loss is nearly that of a policy that never moved, and desirable answers gained hardly any margin."""
    enough(train_loss, min_points, "training losses")
    near_its_end(train_loss, settings, min_share_done)
    start, end = start_and_end(train_loss, eval_loss)
    apart = late_mean(to_judge(rewards_margins, eval_rewards_margins))
    if start <= 0.0 or end <= of_start * start or end > (2.0 - of_start) * start or abs(apart) >= margin:
        return None
    return throughout(train_loss, {"start": start, "end": end, "margin": apart})
