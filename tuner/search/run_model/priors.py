"""What is known of a run before the first: from physics, and from runs of two small models (see docs)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.methods import method_record
from tuner.search.attributes import RATE_PRIOR
from tuner.search.run_model.features import COORDINATES
from tuner.search.run_model.form import (
    BAD,
    CENTER,
    DEPTH,
    EXCESS,
    FIRST_SHIFT,
    GAP,
    LEVEL,
    MISFIT,
    PLATEAU,
    SHARPNESS,
    SIGMA,
    SIZE,
    WIDTH,
)

RATE_DEVIATION = 1.5
"""Decades. The user's rate is off by a factor of 30 or so."""


@dataclass(frozen=True)
class Normal:
    """A normal distribution."""

    mean: float
    deviation: float


def stored_rate(attributes: Mapping[str, Any]) -> Normal | None:
    """What a study's attributes hold of the best rate, in decades; None where nothing was known before it."""
    known = attributes.get(RATE_PRIOR)
    return None if known is None else Normal(float(known["decades"]), float(known["deviation"]))


SHIFTS: dict[str, tuple[Normal, Normal, Normal]] = {
    "updates": (Normal(0.9, 0.22), Normal(0.0, 0.05), Normal(0.0, 0.005)),
    "samples": (Normal(0.0, 0.05), Normal(0.0, 0.05), Normal(0.09, 0.05)),
    "batch_size": (Normal(0.0, 0.01), Normal(0.12, 0.2), Normal(0.0, 0.005)),
    "lora_r": (Normal(-0.05, 0.11), Normal(0.14, 0.17), Normal(0.02, 0.05)),
    "lora_alpha": (Normal(0.7, 0.3), Normal(-0.7, 0.3), Normal(0.0, 0.02)),
    "beta": (Normal(1.0, 0.2), Normal(-0.25, 0.4), Normal(0.0, 0.05)),
    "warmup_ratio": (Normal(0.0, 0.02), Normal(0.0, 0.05), Normal(0.0, 0.01)),
}
"""By coordinate, for one unit of it: decades by which the descent begins earlier and the edge lies higher, and how much
deeper the descent goes. Ten times the rows are worth 0.06 to 0.18 of the logarithm of the loss on four tables."""
SHIFTS_COMPARING = SHIFTS | {"batch_size": (Normal(0.0, 0.01), Normal(0.62, 0.25), Normal(0.0, 0.005))}
"""Where answers are compared, the noise of the gradients sets the edge, so it lies higher for a larger batch (0.57 to
0.63 decades a decade on three tables of DPO, 0.10 to 0.20 on five of SFT)."""


NONE = Normal(-20.0, 1e-6)
"""A share of nothing: past the edge a run ends where it began."""
GUESSED = Normal(-1.0, 1.5)
"""The logit of the share of the descent that such a run keeps where the start is worse than a guess: it learns to
guess."""
USUAL = {
    DEPTH: Normal(-0.7, 1.05),
    WIDTH: Normal(0.0, 0.35),
    GAP: Normal(1.6, 0.5),
    SHARPNESS: Normal(-1.8, 0.4),
    # 548 public LoRA runs: a bowl of 3.1 % of the loss per squared decade, where runs learn 30 to 100 % of it.
    EXCESS: Normal(math.log(0.06), 0.9),
    BAD: Normal(0.0, 1e-6),
    SIGMA: Normal(math.log(0.012), math.log(1.8)),
    MISFIT: Normal(0.0, 1.0),
}
"""A loss that is a likelihood of tokens. What is learned is proportional to the rate at first: one decade a decade."""
COMPARING = USUAL | {
    DEPTH: Normal(0.6, 0.96),
    # Such a loss stays at ln 2 until rate x updates has passed a threshold, and may then fall at once.
    WIDTH: Normal(-0.2, 0.5),
    GAP: Normal(1.2, 0.4),
    SIGMA: Normal(math.log(0.08), math.log(2.2)),
}
"""A loss that compares answers: it goes far below ln 2, and its seeds differ by a tenth."""
FAILED_LATE, FAILED_SOON = 3.0, 2.0
"""After so many deviations to the worse side a run has failed, by the loss of tokens and where answers are compared: at
settings that learn most of what there is, 1 % of 264 and 8 % of 525 runs end three usual deviations worse than their
setting's median, 0.4 and 3 % as much better (``benchmarks.search.failures``)."""
NO_LOSS = USUAL | {
    # A metric with a ceiling is reached early, so the edge lies further off; past the edge it falls below its start.
    WIDTH: Normal(0.0, 0.5),
    GAP: Normal(1.9, 0.8),
    BAD: Normal(0.2, 0.2),
}
"""Any other metric, over its size."""


def failed_after(method: str | None) -> float:
    """By how many deviations a run must end worse than expected before it counts as one that failed."""
    return FAILED_SOON if method_record(method).loss_compares_answers else FAILED_LATE


def prior(
    method: str | None, level: Normal, rate: Normal, *, is_loss: bool, wrong_start: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Means and deviations of the form's parameters; ``level`` and ``rate`` (decades) are what this study knows.

    ``wrong_start`` says that runs begin worse than a guess.
    """
    compares = method_record(method).loss_compares_answers
    usual = NO_LOSS if not is_loss else COMPARING if compares else USUAL
    means, deviations = np.zeros(SIZE), np.zeros(SIZE)
    own = {LEVEL: level, CENTER: rate, PLATEAU: GUESSED if wrong_start and is_loss else NONE}
    for column, known in {**usual, **own}.items():
        means[column], deviations[column] = known.mean, known.deviation
    for place, name in enumerate(COORDINATES):
        for kind, known in enumerate((SHIFTS_COMPARING if compares else SHIFTS)[name]):
            column = FIRST_SHIFT + kind * len(COORDINATES) + place
            means[column], deviations[column] = known.mean, known.deviation
    return means, deviations
