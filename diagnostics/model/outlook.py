"""What a run looks like as a whole, as probabilities: the runs of which it was learned have a known end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from diagnostics.model.label import Label
from diagnostics.model.rate_estimate import RateSide

WELL, OTHER = 0.85, 0.8
"""From these chances of a run that went well, or of one that is ill on the other side, a finding is denied."""
SHARED, MAY_BE_WELL = 0.5, 0.75
"""A finding is shared by a look that gives its label this chance. Findings that are not, of runs that so probably went
well, were right in few cases by fits without the task or its kind. Lower limits deny true ones (tables of the search).
"""
MANY_PASSES, WELL_AFTER_MANY = 5.0, 0.2
"""Of rows seen so often, a look shares that a run was too slow only where it gives it at most this chance to have
gone well: a higher rate may memorize such rows sooner, so the best run still falls evenly to its end. (Of 17 findings
with a look of more 7 held, of 37 with such a look after fewer passes all.)"""
ENOUGH_POINTS, SHORTAGE = 20.0, 2.0
"""With fewer points than the first, the odds that a run went well fall with the power ``SHORTAGE`` of their share: that
it is too slow or too hot shows early, that all was learned does not. (Of logs of 6 to 11 points, made of longer ones,
with a chance of 0.8 to 0.9 half went well, of those with less than 0.5 one in a hundred.)"""
LEAST = 1e-6
"""No look rules an outcome out."""


@dataclass(frozen=True)
class Outlook:
    """The chances that a run went well, was too slow, too hot, or overfit; they add up to 1.

    Well: it ends about as low as the same run at the best rate would. Too slow and too hot: at least a quarter of what
    that rate gains is missing, at a rate below it or above it. ``points`` are the logs and evaluations that were seen.
    """

    well: float
    slow: float
    hot: float
    overfit: float
    points: float = inf
    passes: float = 1.0

    @property
    def doubted(self) -> Outlook:
        """The chances as far as so few points can show that a run went well."""
        well = self.well * min(1.0, self.points / ENOUGH_POINTS) ** SHORTAGE
        total = well + self.slow + self.hot + self.overfit
        return replace(
            self, well=well / total, slow=self.slow / total, hot=self.hot / total, overfit=self.overfit / total
        )

    def ends_well(self, share: float) -> float:
        """The chance that a run ends well of which this share is done, and that looks so were it over.

        The log odds of the look times the share: of kept runs of ``benchmarks.fresh`` that were cut off at a quarter,
        at half and at three quarters of their steps as many did, or a few more (``benchmarks.fresh.partial``).
        """
        well = min(max(self.doubted.well, LEAST), 1.0 - LEAST)
        odds = float((well / (1.0 - well)) ** share)
        return odds / (1.0 + odds)

    def chance(self, side: RateSide) -> float:
        """The chance that the run misses much because its rate lies on this side."""
        return self.slow if side is RateSide.TOO_LOW else self.hot

    def of_label(self, label: Label) -> float:
        """The chance of the outcome that the label names, 0 of a label that is none of them."""
        outcomes = {
            Label.HEALTHY: self.well,
            Label.UNDERFIT: self.slow,
            Label.UNSTABLE: self.hot,
            Label.OVERFIT: self.overfit,
        }
        return outcomes.get(label, 0.0)

    def shares(self, label: Label) -> bool:
        """Whether most runs that look so had the fault that the label names."""
        doubtful = label is Label.UNDERFIT and self.passes >= MANY_PASSES and self.well > WELL_AFTER_MANY
        return self.of_label(label) >= SHARED and not doubtful

    def overrules(self, label: Label) -> bool:
        """Whether a run with this label looks as if it had gone well instead."""
        return not self.shares(label) and self.doubted.well >= MAY_BE_WELL

    def denies(self, side: RateSide) -> bool:
        """Whether a finding that blames this side is unlikely to be right: the run looks well, or ill on the other."""
        return self.doubted.well >= WELL or self.chance(side.other) >= OTHER
