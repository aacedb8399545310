"""Where a learning rate stands, in words."""

from __future__ import annotations

from diagnostics.formatting import number, percent, setting
from diagnostics.messages.catalog import phrase
from diagnostics.model.rate_estimate import SHARE_TOLD, RateEstimate, RateSide
from diagnostics.model.records import Diagnosis, Label

WIDEST = 3.5
"""Decades: an interval as wide as this, with neither side likely, says nothing."""
RIGHT = 0.35
"""Decades to either side within which a rate is about right."""


def rate_words(diagnosis: Diagnosis) -> str:
    """Where the run's rate stands, and between which rates the best one is.

    Nothing beside a broken log, nor where repeats raised the held-out loss, which looks like a rate that is too high.
    Beside no fault, a rate that may lie on one side is told by the interval, and no other is suggested: a healthy run's
    is to be kept, and of 19 fresh runs without a verdict whose rate seemed to be off only 8 had one that was.
    """
    if diagnosis.label in (Label.BROKEN, Label.OVERFIT) or diagnosis.rate is None:
        return ""
    found = diagnosis.label not in (Label.HEALTHY, Label.UNKNOWN)
    side = next((side for side in RateSide if found and diagnosis.rate.tells(side)), None)
    return " ".join(filter(None, (_stands(diagnosis.rate, side), _suggestion(diagnosis.rate, side))))


def _stands(estimate: RateEstimate, side: RateSide | None) -> str:
    """Where the rate stands, with the interval that is told; empty where that is not known well enough to say it."""
    low, high = estimate.interval()
    told = {"share": percent(SHARE_TOLD)}
    if high < 0.0:
        return phrase("rate-off", least=_times(-high), most=_times(-low), side=str(RateSide.TOO_LOW), **told)
    if low > 0.0:
        return phrase("rate-off", least=_times(low), most=_times(high), side=str(RateSide.TOO_HIGH), **told)
    if side is not None:
        most = _times(-low if side is RateSide.TOO_LOW else high)
        return phrase("rate-up-to", most=most, side=str(side), chance=percent(estimate.chance(side)))
    if high - low > WIDEST:
        return ""
    if max(-low, high) <= RIGHT:
        return phrase("rate-right", most=_times(max(-low, high)), **told)
    return phrase("rate-between", low=_times(-low), high=_times(high), **told)


def _suggestion(estimate: RateEstimate, side: RateSide | None) -> str:
    """Between which rates the best one probably is, where one side is likely; else empty."""
    if estimate.suggested is None or side is None:
        return ""
    low, high = (setting("learning_rate", float(f"{rate:.1g}")) for rate in estimate.suggested)
    return phrase("rate-suggested", low=low, high=high)


def _times(decades: float) -> str:
    """A factor as people say it: 1.6, 7, 30, 300."""
    factor = 10.0**decades
    return number(float(f"{factor:.1g}" if factor >= 5.0 else f"{factor:.2g}"))
