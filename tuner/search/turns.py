"""Whose turn it is: the share of the trials that the advisor proposes, beside the base sampler."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tuner.search.distributions import Distributions, alike
from tuner.search.knob_moves import was_changed
from tuner.search.noise import beyond_noise
from tuner.search.proposal import Proposal
from tuner.search.rate.moves import settled
from tuner.search.trial_view import TrialView

ADVISOR_FIRST_TRIALS = 8
"""The advisor proposes this many first trials for as long as the learning rate is not resolved."""
ADVISOR_DECAY = 5.0
"""Later the advisor's share of the trials is this over their number (the decay of piBO, arXiv 2204.11051)."""
ADVISOR_SHARE_BOUNDS = (0.1, 0.5)
MAX_LOSING_STREAK = 3
"""An advisor whose advice brought nothing this many times in a row falls back to the smallest share."""


def advisor_leads(move: Proposal, trials: Sequence[TrialView], space: Distributions) -> bool:
    """Whether the advisor proposes the next trial.

    Early on it does while verdicts advise a change, the rate is not settled, or this setting was never changed from
    there: a model of the space knows nothing of it. Later it takes turns: one of ``1 / share`` trials is the advisor's.
    """
    if len(trials) <= ADVISOR_FIRST_TRIALS and (
        move.proposer.follows_rule or not settled(trials, space) or _is_first(move, trials, space)
    ):
        return True
    others = round(1 / advisor_share(trials)) - 1
    latest = sorted(trials, key=lambda t: t.number)[-others:]
    return not any(trial.proposer.is_advisor for trial in latest)


def _is_first(move: Proposal, trials: Sequence[TrialView], space: Distributions) -> bool:
    """Whether the move changes a setting that was never changed with the other settings as they are here."""
    start = next((trial for trial in trials if trial.number == move.parent), None)
    if start is None:
        return False

    def is_like_start(trial: TrialView, names: Iterable[str]) -> bool:
        here, there = start.settings, trial.settings
        return all(name in here and name in there and alike(here[name], there[name], space[name]) for name in names)

    changed = [knob for knob, value in move.settings.items() if not alike(value, start.settings.get(knob), space[knob])]
    return any(
        not was_changed(knob, [t for t in trials if is_like_start(t, space.keys() - {knob})], space[knob])
        for knob in changed
    )


def advisor_share(trials: Sequence[TrialView]) -> float:
    """The advisor's share of the trials: at most half, less as trials add up, 10 % after three followers in vain."""
    low, high = ADVISOR_SHARE_BOUNDS
    if _losing_streak(trials) >= MAX_LOSING_STREAK:
        return low
    return max(low, min(high, ADVISOR_DECAY / max(1, len(trials))))


def _losing_streak(trials: Sequence[TrialView]) -> int:
    """How many of the latest trials that followed a rule, in a row, were not better than their parent beyond noise."""
    by_number = {trial.number: trial for trial in trials}
    streak = 0
    for trial in sorted(trials, key=lambda t: t.number, reverse=True):
        if trial.running or trial.parent not in by_number or not trial.proposer.follows_rule:
            continue
        if beyond_noise(trial, by_number[trial.parent]):
            break
        streak += 1
    return streak
