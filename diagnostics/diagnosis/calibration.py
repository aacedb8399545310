"""How sure a verdict is: of the verdicts given at 0.8, about 80 % should be right.

A rule's own confidence and the strength of its evidence make a first estimate; one monotone map turns it into the share
of such verdicts that were right on labeled runs. The numbers below are fitted by ``python -m benchmarks.diagnosis``,
which also scores them on sources that had no part in the fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log

PIVOT = 0.3
"""A rule whose evidence is known to be weak has this confidence; the map leaves it there."""
MAX_CONFIDENCE = 0.98
"""No curve makes a verdict surer than this: people disagree even about clear ones."""
MAX_CONFIDENCE_HEALTHY = 0.96
"""A loss that settled too high looks like one that settled: no curve alone makes "healthy" surer than this."""
POINTS_AT_HALF = 0.5
"""Healthy is as sure as points / (points + this) makes it."""
OTHER_SIGN_SHARE = 0.3
"""The share of its confidence with which a second, different sign of the same fault removes doubt."""
LABELS_FACTOR = {3: 1.0, 2: 0.85, 1: 0.65}
"""The factor on "healthy" by how many of unstable, overfit and underfit could be checked."""


@dataclass(frozen=True)
class ConfidenceMap:
    """From a first estimate to a share of right verdicts.

    ``stretch`` pulls the log odds of a fault away from the pivot's; ``healthy`` is how sure a well documented healthy
    run is, and ``near`` the factor where a rule was nearly found.
    """

    stretch: float
    healthy: float
    near: float

    def fault(self, estimate: float) -> float:
        """How sure a fault is, from the rule's confidence times the strength of its evidence."""
        if estimate <= 0.0:
            return 0.0
        odds = _log_odds(PIVOT) + self.stretch * (_log_odds(min(estimate, 0.999)) - _log_odds(PIVOT))
        return MAX_CONFIDENCE / (1.0 + exp(-odds))

    def estimate(self, sure: float) -> float:
        """The first estimate that ``fault`` turned into this confidence."""
        odds = _log_odds(PIVOT) + (_log_odds(min(sure / MAX_CONFIDENCE, 0.999999)) - _log_odds(PIVOT)) / self.stretch
        return 1.0 / (1.0 + exp(-odds))

    def no_fault(self, kinds: int, points: int, nearly: bool) -> float:
        """How sure "healthy" is: less with few points, unchecked labels or a borderline fault."""
        shape = LABELS_FACTOR.get(kinds, 0.0) * points / (points + POINTS_AT_HALF)
        return self.healthy * shape * (self.near if nearly else 1.0)


DEFAULT = ConfidenceMap(stretch=1.85, healthy=0.96, near=0.67)


def combine(own: float, others: Iterable[float]) -> float:
    """The estimate of a fault that shows in its own sign and in others, each of which removes some of the doubt."""
    doubt = 1.0 - own
    for other in others:
        doubt *= 1.0 - OTHER_SIGN_SHARE * other
    return 1.0 - doubt


def _log_odds(share: float) -> float:
    return log(share / (1.0 - share))
