"""The advisor's next proposal, a pure function of all trials: verdicts give the direction, losses decide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tuner.search.distributions import Distributions
from tuner.search.knob_moves import advised_moves, probes
from tuner.search.proposal import RATE, Proposal, incumbent
from tuner.search.rate.moves import has_rate, is_coarse, rate_move, settled
from tuner.search.trial_view import TrialView


def next_move(trials: Sequence[TrialView], space: Distributions) -> Proposal | None:
    """What to try next: the learning rate first, then the other settings; None when nothing is left to try."""
    best = incumbent(trials)
    if best is None:
        best = min((t for t in trials if t.diverged), key=lambda t: t.settings.get(RATE, 0.0), default=None)
    if best is None:
        return None
    return next(_moves(best, trials, space), None)


def _moves(best: TrialView, trials: Sequence[TrialView], space: Distributions) -> Iterator[Proposal]:
    """All proposals from the best trial, in order."""
    rate = rate_move(best, trials, space) if has_rate(space) else None
    if (
        rate is not None
        and is_coarse(rate, best, trials, space)
        and (rate.proposer.follows_rule or not settled(trials, space))
    ):
        yield rate
    yield from advised_moves(best, trials, space)
    yield from probes(best, trials, space)
    if rate is not None:
        yield rate
