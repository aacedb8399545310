"""Numbers from plain arrays: noise, trend, spikes, jitter, shape. Nothing here knows a limit of a rule or a cause.

``values`` is one finite series of shape (n,) in the order of its steps, in its own unit; ``steps`` has the same shape.
A share is a fraction between 0 and 1. What is "log" is in natural logarithms: 0.1 is about 10 % of the level.
"""

from diagnostics.signals.bounds import bounded
from diagnostics.signals.fall import Fall, fall_of_shape
from diagnostics.signals.jitter import elasticity, jitter, jitter_ratio, oscillation, ratio_limit
from diagnostics.signals.median import median, quantile
from diagnostics.signals.memo import memo_scope, memoize
from diagnostics.signals.noise import difference_noise, log_level, robust_scale, rounding
from diagnostics.signals.rise import Rise, largest_rise, noise_multiple, onset, rise_from_minimum
from diagnostics.signals.shape import (
    begins_late,
    clipped_share,
    ends_at,
    growth,
    head,
    late_share,
    progress,
    staircase,
    tail,
)
from diagnostics.signals.spikes import Spikes, local_residual, rolling_median, spikes
from diagnostics.signals.trend import (
    Trend,
    block_means,
    late_slope,
    mann_kendall,
    means_from,
    plateau,
    theil_sen,
    trend,
)

__all__ = [
    "Fall",
    "Rise",
    "Spikes",
    "Trend",
    "begins_late",
    "block_means",
    "bounded",
    "clipped_share",
    "difference_noise",
    "elasticity",
    "ends_at",
    "fall_of_shape",
    "growth",
    "head",
    "jitter",
    "jitter_ratio",
    "largest_rise",
    "late_share",
    "late_slope",
    "local_residual",
    "log_level",
    "mann_kendall",
    "means_from",
    "median",
    "memo_scope",
    "memoize",
    "noise_multiple",
    "onset",
    "oscillation",
    "plateau",
    "progress",
    "quantile",
    "ratio_limit",
    "rise_from_minimum",
    "robust_scale",
    "rolling_median",
    "rounding",
    "spikes",
    "staircase",
    "tail",
    "theil_sen",
    "trend",
]
