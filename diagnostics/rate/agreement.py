"""One estimate of where the rate stands: its features, the look of the whole run, and the verdict agree."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.outlook import Outlook
from diagnostics.model.rate_estimate import OFF, OFFSETS, RateEstimate, RateSide

BESIDE, BLUR = 0.7, 0.12
"""Decades: halfway between the 3.5 times that the rate of a run that ends well may be off, and the 8 times from which
on a run misses much for its rate; and how gradual that is."""
LEAST_CHANCE = 1e-6
"""No reading rules an outcome out."""
WELL = 0
AWAY = {RateSide.TOO_LOW: -np.asarray(OFFSETS), RateSide.TOO_HIGH: np.asarray(OFFSETS)}
"""Decades to a side of the best rate, at each of the ``OFFSETS``."""
_SLOW, _HOT = (1.0 / (1.0 + np.exp((BESIDE - away) / BLUR)) for away in AWAY.values())
OUTCOMES = np.stack([1.0 - _SLOW - _HOT, _SLOW, _HOT])
"""How likely a run ends well, too slow, and too hot, at each of the ``OFFSETS``; shape (3, offsets)."""


def with_look(rate: RateEstimate, look: Outlook) -> RateEstimate:
    """The estimate once the look of the whole run has had its say beside the evidence.

    Two readings of one log: their chances of a run that ends well, too slow and too hot are pooled with equal weights
    (the logarithmic opinion pool; Genest and Zidek, Statistical Science 1986). An overfit run says nothing of its rate.
    """
    read, look = _outcomes_of(rate.alone), look.doubted
    pooled = np.sqrt(read * np.maximum([look.well, look.slow, look.hot], LEAST_CHANCE))
    return _moved(rate, OUTCOMES, read, look.overfit * read + (1.0 - look.overfit) * pooled / pooled.sum())


def with_verdict(rate: RateEstimate, blames: RateSide | None, confidence: float) -> RateEstimate:
    """The estimate beside a verdict that is so sure: that the rate lies on a side, or for None that the run is well.

    A verdict only makes surer. A finding that blames a side blames all of it; how far the rate is off it does not say.
    """
    named = OUTCOMES[WELL] if blames is None else np.where(AWAY[blames] > OFF, 1.0, 0.0)
    read = float(np.clip(named @ rate.density, LEAST_CHANCE, 1.0 - LEAST_CHANCE))
    sure = max(confidence, read)
    return _moved(rate, np.stack([named, 1.0 - named]), np.array([read, 1.0 - read]), np.array([sure, 1.0 - sure]))


def _outcomes_of(rate: RateEstimate) -> FloatArray:
    """The chances of the outcomes by an estimate; they add up to 1."""
    read = np.maximum(OUTCOMES @ rate.density, LEAST_CHANCE)
    return np.asarray(read / read.sum(), dtype=np.float64)


def _moved(rate: RateEstimate, outcomes: FloatArray, read: FloatArray, chances: FloatArray) -> RateEstimate:
    """The estimate with other chances of the outcomes; within an outcome the offsets stay as likely to one another.

    Jeffrey's rule (The Logic of Decision, 1965).
    """
    return rate.agreeing((np.maximum(chances, LEAST_CHANCE) / read) @ outcomes)
