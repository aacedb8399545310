"""SimPO and CPO, which have no reference: no learning, chosen answers that lose their likelihood."""

from __future__ import annotations

from diagnostics import signals
from diagnostics.detectors.objectives.levels import thirds, to_judge
from diagnostics.detectors.preconditions import enough, throughout, whole_run
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def simpo_hardly_learns(
    train_loss: Curve,
    rewards_accuracies: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    eval_rewards_accuracies: Curve | None = None,
    *,
    of_start: float,
    accuracy: float,
    min_points: int,
    min_share_done: float,
) -> Evidence | None:
    """The loss, which starts near softplus(gamma), hardly came down, and no more pairs are ranked right."""
    enough(train_loss, min_points, "training losses")
    whole_run(train_loss, settings, min_share_done)
    start, end = thirds(to_judge(train_loss, eval_loss))
    began, ended = thirds(to_judge(rewards_accuracies, eval_rewards_accuracies))
    if start <= 0.0 or end <= of_start * start or end > (2.0 - of_start) * start or ended - began >= accuracy:
        return None
    return throughout(train_loss, {"start": start, "end": end, "accuracy": ended})


def simpo_degenerates(
    logps_chosen: Curve,
    rewards_margins: Curve,
    eval_logps_chosen: Curve | None = None,
    *,
    fall: float,
    min_points: int,
) -> Evidence | None:
    """The chosen answers lose much of their likelihood a token while the margin grows: nothing holds them up."""
    enough(logps_chosen, min_points, "log-probabilities")
    first, last = thirds(to_judge(logps_chosen, eval_logps_chosen))
    margin = signals.trend(rewards_margins.values)
    if first - last < fall or margin.direction <= 0:
        return None
    return throughout(logps_chosen, {"start": first, "end": last, "fall": first - last})
