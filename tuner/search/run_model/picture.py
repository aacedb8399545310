"""The posterior as a picture: the metric over the learning rate at the best settings, for each batch that was tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from diagnostics.model.curves import FloatArray
from tuner.config.search_space import is_number
from tuner.search.distributions import Distributions
from tuner.search.proposal import RATE
from tuner.search.run_model.posterior import Posterior
from tuner.search.run_model.reasons import rates
from tuner.search.trial_view import TrialView

POINTS = 49
MAX_BATCHES = 3
OUTER_DEVIATIONS = 1.28
"""Four of five values of a normal distribution lie within so many deviations."""
BEYOND_DECADES = 0.5
"""The curve goes on this far beyond the rates that were tried."""


@dataclass(frozen=True)
class RateCurve:
    """What the posterior expects of the metric over the rates, at one batch size (None where it is not searched).

    Between ``low`` and ``high`` lie four of five guesses. ``best`` are the low, middle and high of the best rate and
    ``edge`` those of the edge of stability.
    """

    batch: float | None
    rates: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    best: tuple[float, ...]
    edge: tuple[float, ...]

    def to_dict(self) -> dict[str, Any]:
        """The curve as plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> RateCurve:
        """The curve that ``to_dict`` wrote; raises ``KeyError``, ``TypeError`` or ``ValueError`` for anything else."""
        lists = {name: tuple(map(float, raw[name])) for name in ("rates", "low", "middle", "high", "best", "edge")}
        return cls(batch=None if raw["batch"] is None else float(raw["batch"]), **lists)


def rate_curves(
    model: Posterior, trials: Sequence[TrialView], best: TrialView, space: Distributions, sign: float
) -> tuple[RateCurve, ...]:
    """The curves at the best trial's other settings, its own batch first; ``sign`` is -1 where more is better."""
    tried = [trial.settings[RATE] for trial in trials if is_number(trial.settings.get(RATE))]
    if RATE not in space or len(set(tried)) < 2:
        return ()
    low, high = np.log10(min(tried)) - BEYOND_DECADES, np.log10(max(tried)) + BEYOND_DECADES
    ladder = [float(f"{10**x:.4g}") for x in np.linspace(low, high, POINTS)]
    return tuple(_curve(model, dict(best.settings), batch, ladder, sign) for batch in _batches(trials, best))


def _batches(trials: Sequence[TrialView], best: TrialView) -> Sequence[float | None]:
    """The best trial's batch and those next to it; None where no batch is searched."""
    own = best.settings.get("batch_size")
    if not is_number(own):
        return [None]
    found = {batch for trial in trials if trial.usable and is_number(batch := trial.settings.get("batch_size"))}
    return sorted(found, key=lambda batch: abs(np.log(batch / own)))[:MAX_BATCHES]


def _curve(
    model: Posterior, settings: dict[str, Any], batch: float | None, ladder: Sequence[float], sign: float
) -> RateCurve:
    known = settings if batch is None else {**settings, "batch_size": batch}
    band = _band(model, [{**known, RATE: rate} for rate in ladder])
    values = [tuple(float(f"{sign * one:.6g}") for one in line) for line in (band if sign > 0 else band[::-1])]
    best, edge = rates(model, known)
    return RateCurve(batch, tuple(ladder), values[0], values[1], values[2], tuple(best), tuple(edge))


def _band(model: Posterior, settings: Sequence[Mapping[str, Any]]) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The lower end, the middle and the upper end of the losses at settings."""
    means, variances = model.heights(settings)
    low, middle, high = np.percentile(means, (10, 50, 90), axis=0)
    missed = OUTER_DEVIATIONS**2 * variances.mean(axis=0)
    ends = middle - np.sqrt((middle - low) ** 2 + missed), middle, middle + np.sqrt((high - middle) ** 2 + missed)
    return tuple(model.scale.loss(one) for one in ends)  # type: ignore[return-value]
