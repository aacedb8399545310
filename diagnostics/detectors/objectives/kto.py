"""KTO, which judges single answers: a policy that runs away, one that hardly moves, one that memorizes."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.objectives.levels import start_and_end, to_judge
from diagnostics.detectors.preconditions import MIN_EVALS_FOR_END, enough, finite, throughout, whole_run
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
    whole_run(train_loss, settings, min_share_done)
    start, end = start_and_end(train_loss, eval_loss)
    apart = late_mean(to_judge(rewards_margins, eval_rewards_margins))
    if start <= 0.0 or end <= of_start * start or end > (2.0 - of_start) * start or abs(apart) >= margin:
        return None
    return throughout(train_loss, {"start": start, "end": end, "margin": apart})


def kto_memorized(
    train_loss: Curve,
    rewards_margins: Curve,
    eval_loss: Curve | None = None,
    *,
    of_start: float,
    margin: float,
    rise: float,
    min_points: int,
) -> Evidence | None:
    """The training answers are told apart with a saturated sigmoid, and held-out answers gain nothing by it.

    Without held-out losses both the loss and the margin must say so.
    """
    enough(train_loss, min_points, "training losses")
    apart, late = late_mean(rewards_margins), late_mean(train_loss)
    is_low, is_wide = late < of_start * signals.head(train_loss.values), apart > margin
    measured = {"loss": late, "margin": apart}
    if eval_loss is None or len(eval_loss) < MIN_EVALS_FOR_END:
        return throughout(train_loss, measured, 0.6) if is_low and is_wide else None
    found = signals.rise_from_minimum(eval_loss.values)
    if found.relative < rise or not (is_low or is_wide):
        return None
    return Evidence(float(eval_loss.steps[found.onset]), float(train_loss.steps[-1]), finite(measured))
