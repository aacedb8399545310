"""What is known of a rate before its run: how far it lies from where such runs do well."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.methods import method_record
from diagnostics.model.rate_estimate import OFFSETS
from diagnostics.model.rate_prior import LearningRatePrior, rate_prior_of
from diagnostics.model.settings import Settings

TAILS = 4.0
"""Degrees of freedom: a rate far from the usual ones is unlikely to be right, never impossible."""
REFERENCE_BATCH, BATCH_EXPONENT = 16.0, 0.3
"""At equal samples the best rate rises with the batch, by 0.1 to 0.6 of a decade per decade."""
PAIRS_UPDATES, PAIRS_EXPONENT, MOST_SHIFT = 1000.0, 0.5, 0.8
"""The usual rates of preference runs are those of a thousand updates and more. What is learned grows with rate x
updates (one decade per decade), the edge of stability does not: a short run takes a higher rate, by half of that."""
SD, SD_UNKNOWN_WIDTH, SD_FULL, SD_PAIRS, SD_UNKNOWN = 0.45, 0.55, 0.6, 1.0, 1.5
"""Decades: 0.35 between the models of one sweep (548 LoRA runs), more where the width, or all, is unknown. The best
rates of preference runs differ most: with their length, and with beta."""


def log_prior(settings: Settings, rate: float | None) -> FloatArray:
    """The log density on ``OFFSETS`` before any curve is seen; wide around 0 where nothing is known of such runs."""
    known = rate_prior_of(settings)
    center, spread = _center(settings, known, rate)
    z = (np.asarray(OFFSETS) - center) / spread
    return np.asarray(-0.5 * (TAILS + 1.0) * np.log1p(z * z / TAILS), dtype=np.float64)


def _center(settings: Settings, known: LearningRatePrior, rate: float | None) -> tuple[float, float]:
    """Where the offset is expected, and its spread."""
    if not rate or not known.center:
        return 0.0, SD_UNKNOWN
    batch = settings.batch_size or REFERENCE_BATCH
    center = float(np.log10(rate / known.center) - BATCH_EXPONENT * np.log10(batch / REFERENCE_BATCH))
    if method_record(settings.method).loss_compares_answers:
        return center - _shift_of_short_runs(settings.max_steps), SD_PAIRS
    if not (settings.use_peft or settings.lora_r):
        return center, SD_FULL
    return center, SD if settings.hidden_size else SD_UNKNOWN_WIDTH


def _shift_of_short_runs(updates: int | None) -> float:
    """By how many decades the best rate of a preference run of so many updates lies above the usual ones."""
    if not updates:
        return 0.0
    return float(np.clip(PAIRS_EXPONENT * np.log10(PAIRS_UPDATES / updates), 0.0, MOST_SHIFT))
