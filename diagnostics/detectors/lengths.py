"""Generated answers that grow long."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import TREND_P, enough, throughout
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence

MIN_POINTS_FOR_PAIRS = 8
"""From so many points on the first two are held against the last two, else the first against the last."""


def answers_grow(
    completion_length: Curve | None = None,
    eval_completion_length: Curve | None = None,
    *,
    times: float,
    sigma: float,
    min_evals: int,
    min_points: int,
) -> Evidence | None:
    """The generated answers end ``times`` as long as they began, along a trend and beyond their noise."""
    held = eval_completion_length
    judged_by_eval = held is not None and len(held) >= min_evals
    curve = held if judged_by_eval else completion_length
    if curve is None:
        raise NotEnoughPoints("curve-missing", curves="completion_length")
    enough(curve, min_evals if judged_by_eval else min_points, "answer lengths")
    parts = signals.block_means(curve.values)
    edge = 2 if parts.size >= MIN_POINTS_FOR_PAIRS else 1
    first, last = float(np.mean(parts[:edge])), float(np.mean(parts[-edge:]))
    direction, p = signals.mann_kendall(parts)
    noise = signals.difference_noise(parts)
    if first <= 0.0 or last < times * first or direction < 1 or p >= TREND_P or last - first < sigma * noise:
        return None
    measured = {"start": first, "end": last, "times": last / first}
    return throughout(curve, measured, min(1.0, 0.5 + 0.2 * last / first))
