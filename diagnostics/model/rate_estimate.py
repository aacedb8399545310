"""Where a run's learning rate stands: a distribution over the decades between it and the best rate for that run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.rate_prior import MAX_RATE_CUT, MAX_RATE_FACTOR

OFFSETS: tuple[float, ...] = tuple(round(-4.0 + 0.1 * k, 1) for k in range(71))
"""log10(rate / best rate): -1 is a rate ten times too low. The ends stand for everything beyond them."""
SPACING = 0.1
NOTHING = (0.0,) * len(OFFSETS)
"""A log density that says nothing."""
EDGES = OFFSETS[0] + SPACING * (np.arange(len(OFFSETS) + 1) - 0.5)
"""Between the ``OFFSETS``, and beyond both ends."""
SHARE_TOLD, SHARE_SUGGESTED = 0.9, 0.5
"""The share of the distribution in the interval that is told, and in the range of rates that is suggested."""

OFF = 0.15
"""Decades: a rate 1.4 times off costs less than seeds do, and counts as right."""
TELLS = 0.75
"""From this probability that a rate lies on one side, a finding that blames the other side is denied, and the size of a
change to the rate is the estimate's."""
CERTAIN = 0.9
"""From here on the usual rates of such runs may decide alone, against what their curve looks like."""
WELL_KNOWN, LEAST_CHANCE = 1.5, 0.6
"""Decades: where the interval is no wider, a finding that blames a low rate needs this probability of it."""
LEAST_STEP = 1.5
"""A change of the rate by less is not worth a run."""


class RateSide(StrEnum):
    """On which side of the best rate a rate lies."""

    TOO_LOW = "too low"
    TOO_HIGH = "too high"

    @property
    def other(self) -> RateSide:
        """The opposite side."""
        return RateSide.TOO_HIGH if self is RateSide.TOO_LOW else RateSide.TOO_LOW


@dataclass(frozen=True)
class RateEstimate:
    """A distribution over ``OFFSETS``: what is known before the run times what its curves show.

    ``prior`` and ``evidence`` are log densities on ``OFFSETS`` up to a constant (highest 0). Who has a prior of his own
    on the best rate, as a search has, multiplies it with the ``evidence`` alone. ``rate`` is the run's learning rate.
    ``agreement`` is another log density: what else is known of the run, its look as a whole and its verdict.
    """

    prior: tuple[float, ...]
    evidence: tuple[float, ...]
    rate: float | None = None
    agreement: tuple[float, ...] = NOTHING

    @classmethod
    def of(cls, prior: FloatArray, evidence: FloatArray, rate: float | None = None) -> RateEstimate:
        """The estimate of two log densities on ``OFFSETS``, in any unit."""
        return cls(_scaled(prior), _scaled(evidence), rate)

    def agreeing(self, ratio: FloatArray) -> RateEstimate:
        """The estimate with its density multiplied by a ratio on ``OFFSETS``."""
        return replace(self, agreement=_scaled(np.asarray(self.agreement) + np.log(ratio)))

    @cached_property
    def density(self) -> FloatArray:
        """The probability of each of the ``OFFSETS``; they add up to 1."""
        known = np.asarray(self.prior) + np.asarray(self.evidence) + np.asarray(self.agreement)
        found = np.exp(known - known.max())
        return np.asarray(found / found.sum(), dtype=np.float64)

    @cached_property
    def _below(self) -> FloatArray:
        """The probability that the offset lies below each of the ``EDGES``."""
        return np.concatenate([[0.0], np.cumsum(self.density)])

    def quantile(self, share: float) -> float:
        """The offset below which this share of the distribution lies."""
        return float(np.interp(share, self._below, EDGES))

    @cached_property
    def median(self) -> float:
        """The offset that is as likely too low as too high."""
        return self.quantile(0.5)

    def interval(self, share: float = SHARE_TOLD) -> tuple[float, float]:
        """The central interval of offsets that holds this share of the distribution."""
        return self.quantile(0.5 - share / 2), self.quantile(0.5 + share / 2)

    def probability_below(self, offset: float) -> float:
        """The probability that log10(rate / best rate) lies below an offset."""
        return float(np.interp(offset, EDGES, self._below))

    def probability_above(self, offset: float) -> float:
        """The probability that log10(rate / best rate) lies above an offset."""
        return 1.0 - self.probability_below(offset)

    def chance(self, side: RateSide) -> float:
        """The probability that the rate is off to this side, by more than costs nothing."""
        return self.probability_below(-OFF) if side == RateSide.TOO_LOW else self.probability_above(OFF)

    def tells(self, side: RateSide) -> bool:
        """Whether the rate lies on this side, and rather on it than on the other without the prior too."""
        alone = self._without_prior
        return self.chance(side) >= TELLS and alone.chance(side) > alone.chance(side.other)

    def is_certain(self, side: RateSide) -> bool:
        """Whether the rate lies on this side so probably that nothing else need say so."""
        return self.chance(side) >= CERTAIN

    def denies(self, side: RateSide) -> bool:
        """Whether a finding that blames this side cannot be right.

        The rate lies on the other side, by prior and evidence or too surely to need both; or it is known well, and
        not too low. (A rate may be right and a batch bad: jumps and spikes stand beside a rate that is not too high.)
        """
        low, high = self.interval()
        right = side is RateSide.TOO_LOW and high - low < WELL_KNOWN and self.chance(side) < LEAST_CHANCE
        return right or self.tells(side.other) or self.is_certain(side.other)

    @cached_property
    def alone(self) -> RateEstimate:
        """The same by the evidence of the curves alone."""
        return RateEstimate(NOTHING, self.evidence, self.rate)

    @cached_property
    def _without_prior(self) -> RateEstimate:
        return replace(self, prior=NOTHING)

    @property
    def factor(self) -> float:
        """What the rate should be multiplied by next: to the best one by the median, within what one change may be."""
        return float(np.clip(10.0**-self.median, 1.0 / MAX_RATE_CUT, MAX_RATE_FACTOR))

    def step(self, side: RateSide) -> float | None:
        """The factor to advise against a rate on that side; None where the estimate does not tell so."""
        if not self.tells(side):
            return None
        found = self.factor
        return max(found, LEAST_STEP) if side == RateSide.TOO_LOW else min(found, 1.0 / LEAST_STEP)

    @property
    def suggested(self) -> tuple[float, float] | None:
        """The rates between which the best one lies as likely as not; None where the run's rate is not known."""
        if self.rate is None:
            return None
        low, high = self.interval(SHARE_SUGGESTED)
        return self.rate * 10.0**-high, self.rate * 10.0**-low

    def to_dict(self) -> dict[str, Any]:
        """Low, median and high of rate / best rate at 90 %, the rates suggested, and the log densities."""
        low, high = self.interval()
        summary = {"low": low, "median": self.median, "high": high}
        return {
            "rate": self.rate,
            **{name: float(f"{10.0**offset:.3g}") for name, offset in summary.items()},
            "share": SHARE_TOLD,
            "suggested": [float(f"{rate:.2g}") for rate in self.suggested] if self.suggested else None,
            "prior": list(self.prior),
            "evidence": list(self.evidence),
            "agreement": list(self.agreement),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> RateEstimate:
        """What ``to_dict`` wrote; raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
        known = [tuple(map(float, raw[name])) for name in ("prior", "evidence")]
        known.append(tuple(map(float, raw.get("agreement", NOTHING))))
        if any(len(density) != len(OFFSETS) for density in known):
            raise ValueError(f"a rate estimate has {len(OFFSETS)} values, got {', '.join(str(len(d)) for d in known)}")
        prior, evidence, agreement = known
        return cls(prior, evidence, None if raw.get("rate") is None else float(raw["rate"]), agreement)


def _scaled(log_density: FloatArray | Sequence[float]) -> tuple[float, ...]:
    """The log density with its highest value at 0, to the digits that are stored."""
    values = np.asarray(log_density, dtype=np.float64)
    values = values - values.max()
    thousandths = 1000.0 * values
    whole = np.rint(thousandths)
    if (np.abs(np.abs(thousandths - whole) - 0.5) < 1e-6).any():  # between two digits only the exact decimals tell
        return tuple(round(value, 3) + 0.0 for value in values.tolist())
    return tuple((whole / 1000.0 + 0.0).tolist())
