"""What the count of tokens says: batches that change their size in mid-run, and runs that saw hardly any tokens."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.arguments import Losses
from diagnostics.detectors.preconditions import enough, finite, rate_of, whole_run
from diagnostics.detectors.slow_learning import SlowLimits, learns_slowly
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings


def batches_change(num_tokens: Curve, *, factor: float, sigma: float, min_points: int) -> Evidence | None:
    """The tokens of a step change by ``factor`` (up or down) at some step and stay there.

    The two levels lie at least ``sigma`` times their scatter from each other, with ``min_points`` logs on either side.
    """
    enough(num_tokens, 2 * min_points + 1, "token counts")
    rate = np.diff(num_tokens.values) / np.diff(num_tokens.steps)
    keep = rate > 0  # a counter that starts again at a resume
    steps, logs = num_tokens.steps[1:][keep], np.log(rate[keep])
    if logs.size < 2 * min_points:
        return None
    cuts = np.arange(min_points, logs.size - min_points + 1)
    sums = np.concatenate([[0.0], np.cumsum(logs)])
    jumps = (sums[-1] - sums[cuts]) / (logs.size - cuts) - sums[cuts] / cuts
    cut = int(cuts[int(np.argmax(np.abs(jumps)))])
    before, after = signals.median(logs[:cut]), signals.median(logs[cut:])
    scatter = max(signals.robust_scale(logs[:cut]), signals.robust_scale(logs[cut:]))
    if abs(after - before) < max(float(np.log(factor)), sigma * scatter):
        return None
    step = float(steps[cut])
    return Evidence(step, step, finite({"before": np.exp(before), "after": np.exp(after), "step": step}))


def too_few_tokens(
    losses: Losses,
    num_tokens: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    *,
    min_share_done: float,
    slow: SlowLimits,
    tokens: float,
    max_rate_ratio: float,
) -> Evidence | None:
    """The run learns slowly and saw few tokens; a rate far below its center would explain more and is left to it."""
    whole_run(losses.train_loss, settings, min_share_done)
    enough(num_tokens, 2, "token counts")
    seen, ratio = float(num_tokens.values.max()), rate_prior.relative(rate_of(settings, losses.learning_rate))
    if seen >= tokens or (ratio is not None and ratio <= max_rate_ratio):
        return None
    found = learns_slowly(losses, slow)
    return found.with_measured(tokens=seen) if found else None
