"""Faults that only one loss can have: KTO's saturation, ORPO's dead part, SimPO's drift, reward models, GKD."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import (
    MIN_EVALS_FOR_END,
    MIN_EVALS_FOR_TREND,
    MIN_EVALS_TO_COMPARE,
    enough,
    finite,
    near_its_end,
    throughout,
)
from diagnostics.detectors.preference import late_mean
from diagnostics.detectors.sanity import LN2
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


def _judge(train: Curve, held: Curve | None) -> Curve:
    """The curve on held-out rows where it has two points at least, else that of training."""
    return held if held is not None and len(held) >= MIN_EVALS_TO_COMPARE else train


def _start_and_end(train: Curve, held: Curve | None) -> tuple[float, float]:
    """The levels at which a curve starts and ends, on held-out rows where there are some."""
    values = _judge(train, held).values
    return signals.head(values), signals.tail(values)


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
    start, end = _start_and_end(train_loss, eval_loss)
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
    start, end = _start_and_end(train_loss, eval_loss)
    apart = late_mean(_judge(rewards_margins, eval_rewards_margins))
    if start <= 0.0 or end <= of_start * start or end > (2.0 - of_start) * start or abs(apart) >= margin:
        return None
    return throughout(train_loss, {"start": start, "end": end, "margin": apart})


def odds_ratio_part_dead(
    log_odds_ratio: Curve,
    chosen_nll: Curve,
    rewards_accuracies: Curve,
    settings: Settings,
    eval_log_odds_ratio: Curve | None = None,
    eval_chosen_nll: Curve | None = None,
    eval_rewards_accuracies: Curve | None = None,
    *,
    moves: float,
    accuracy: float,
    nll_fall: float,
    min_points: int,
    min_share_done: float,
) -> Evidence | None:
    """ORPO's likelihood part falls while the part that compares answers stays where it began."""
    enough(log_odds_ratio, min_points, "log odds ratios")
    near_its_end(log_odds_ratio, settings, min_share_done)
    (first, last), (before, after), (began, ended) = (
        _thirds(_judge(train, held))
        for train, held in (
            (log_odds_ratio, eval_log_odds_ratio),
            (chosen_nll, eval_chosen_nll),
            (rewards_accuracies, eval_rewards_accuracies),
        )
    )
    if abs(last - first) > moves or abs(ended - began) > accuracy or before - after < nll_fall * abs(before):
        return None
    return throughout(log_odds_ratio, {"start": first, "end": last, "nll": after})


def _thirds(curve: Curve) -> tuple[float, float]:
    """The means of the first and of the last third; of few evaluations the first and the last."""
    size = len(curve) // 3 if len(curve) > MIN_EVALS_FOR_TREND * 2 else 1
    return float(curve.values[:size].mean()), float(curve.values[-size:].mean())


def rejected_stays_likelier(
    log_odds_chosen: Curve, rewards_accuracies: Curve, *, accuracy: float, log_odds: float, min_points: int
) -> Evidence | None:
    """From the first logs to the last the rejected answers are the likelier ones."""
    enough(log_odds_chosen, min_points, "log odds")
    first, last = _thirds(log_odds_chosen)
    if max(_thirds(rewards_accuracies)) >= accuracy or max(first, last) >= log_odds:
        return None
    return throughout(log_odds_chosen, {"accuracy": late_mean(rewards_accuracies), "log_odds": last})


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
    near_its_end(train_loss, settings, min_share_done)
    start, end = _thirds(_judge(train_loss, eval_loss))
    began, ended = _thirds(_judge(rewards_accuracies, eval_rewards_accuracies))
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
    first, last = _thirds(_judge(logps_chosen, eval_logps_chosen))
    margin = signals.trend(rewards_margins.values)
    if first - last < fall or margin.direction <= 0:
        return None
    return throughout(logps_chosen, {"start": first, "end": last, "fall": first - last})


def scores_at_chance(
    train_loss: Curve,
    rewards_margins: Curve,
    settings: Settings,
    eval_loss: Curve | None = None,
    eval_rewards_margins: Curve | None = None,
    *,
    off: float,
    margin: float,
    min_points: int,
    min_share_done: float,
) -> Evidence | None:
    """A reward model ends at ln 2 and tells no chosen answer from a rejected one."""
    enough(train_loss, min_points, "training losses")
    near_its_end(train_loss, settings, min_share_done)
    end = late_mean(_judge(train_loss, eval_loss))
    apart = late_mean(_judge(rewards_margins, eval_rewards_margins))
    if abs(end - LN2) > off or abs(apart) > margin:
        return None
    return throughout(train_loss, {"loss": end, "margin": apart})


def scores_below_chance(
    train_loss: Curve,
    eval_rewards_accuracies: Curve,
    *,
    accuracy: float,
    loss: float,
    min_evals: int,
    min_points: int,
) -> Evidence | None:
    """A reward model fits its training pairs and ranks held-out pairs worse than a coin."""
    enough(train_loss, min_points, "training losses")
    enough(eval_rewards_accuracies, min_evals, "evaluations")
    late = eval_rewards_accuracies.values[-MIN_EVALS_FOR_END:]
    if late.max() >= accuracy or late_mean(train_loss) >= loss:
        return None
    return throughout(eval_rewards_accuracies, {"accuracy": float(late.mean()), "loss": late_mean(train_loss)})


def accuracy_hides_overfit(
    train_loss: Curve,
    eval_loss: Curve,
    eval_rewards_accuracies: Curve,
    *,
    rise: float,
    noise: float,
    level: float,
    min_evals: int,
) -> Evidence | None:
    """The held-out loss of a reward model rises while its accuracy stays level: it is surer of the same mistakes."""
    enough(eval_loss, min_evals, "evaluations")
    enough(eval_rewards_accuracies, min_evals, "held-out accuracies")
    found = signals.rise_from_minimum(eval_loss.values)
    right = eval_rewards_accuracies
    at_best, at_end = float(right.at([eval_loss.steps[found.onset]])[0]), signals.tail(right.values)
    falls = signals.head(train_loss.values) > signals.tail(train_loss.values)
    if found.relative < rise or found.deviations < noise or abs(at_end - at_best) > level or not falls:
        return None
    measured = {"rise": found.relative, "lowest": found.lowest, "accuracy": at_end}
    return Evidence(float(eval_loss.steps[found.onset]), float(eval_loss.steps[-1]), finite(measured))


def scores_drift(reward: Curve, *, size: float, min_points: int) -> Evidence | None:
    """The mean score of a reward model is far from 0: its loss does not see a shift."""
    enough(reward, min_points, "mean scores")
    level = late_mean(reward)
    if abs(level) < size:
        return None
    far = np.flatnonzero(np.abs(reward.values) >= size)
    return Evidence(float(reward.steps[far[0]] if far.size else 0.0), float(reward.steps[-1]), {"score": level})


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
    near_its_end(train_loss, settings, min_share_done)
    judge = _judge(train_loss, eval_loss)
    start, end = _thirds(judge)
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
