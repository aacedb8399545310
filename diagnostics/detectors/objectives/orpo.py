"""ORPO, which adds the odds of an answer to the likelihood: a part that is dead, pairs the wrong way round."""

from __future__ import annotations

from diagnostics.detectors.objectives.levels import thirds, to_judge
from diagnostics.detectors.preconditions import enough, throughout, whole_run
from diagnostics.detectors.preference import late_mean
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence
from diagnostics.model.settings import Settings


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
    whole_run(log_odds_ratio, settings, min_share_done)
    (first, last), (before, after), (began, ended) = (
        thirds(to_judge(train, held))
        for train, held in (
            (log_odds_ratio, eval_log_odds_ratio),
            (chosen_nll, eval_chosen_nll),
            (rewards_accuracies, eval_rewards_accuracies),
        )
    )
    if abs(last - first) > moves or abs(ended - began) > accuracy or before - after < nll_fall * abs(before):
        return None
    return throughout(log_odds_ratio, {"start": first, "end": last, "nll": after})


def rejected_stays_likelier(
    log_odds_chosen: Curve, rewards_accuracies: Curve, *, accuracy: float, log_odds: float, min_points: int
) -> Evidence | None:
    """From the first logs to the last the rejected answers are the likelier ones."""
    enough(log_odds_chosen, min_points, "log odds")
    first, last = thirds(log_odds_chosen)
    if max(thirds(rewards_accuracies)) >= accuracy or max(first, last) >= log_odds:
        return None
    return throughout(log_odds_chosen, {"accuracy": late_mean(rewards_accuracies), "log_odds": last})
