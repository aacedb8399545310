"""What the count of tokens says: batches that change their size in mid-run, and runs that saw hardly any."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite, near_its_end, rate_of
from diagnostics.detectors.slow_learning import learns_slowly
from diagnostics.model.curves import Curve
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings


def batches_change(num_tokens: Curve, *, factor: float, apart: float, points: int) -> Evidence | None:
    """The tokens of a step change by ``factor`` (up or down) at some step and stay there.

    The two levels must lie ``apart`` times their scatter from each other, with ``points`` logs on either side.
    """
    enough(num_tokens, 2 * points + 1, "token counts")
    rate = np.diff(num_tokens.values) / np.diff(num_tokens.steps)
    keep = rate > 0  # a counter that starts again at a resume
    steps, logs = num_tokens.steps[1:][keep], np.log(rate[keep])
    if logs.size < 2 * points:
        return None
    cuts = np.arange(points, logs.size - points + 1)
    sums = np.concatenate([[0.0], np.cumsum(logs)])
    jumps = (sums[-1] - sums[cuts]) / (logs.size - cuts) - sums[cuts] / cuts
    cut = int(cuts[int(np.argmax(np.abs(jumps)))])
    before, after = float(np.median(logs[:cut])), float(np.median(logs[cut:]))
    scatter = max(signals.robust_scale(logs[:cut]), signals.robust_scale(logs[cut:]))
    if abs(after - before) < max(float(np.log(factor)), apart * scatter):
        return None
    step = float(steps[cut])
    return Evidence(step, step, finite({"before": np.exp(before), "after": np.exp(after), "step": step}))


def too_few_tokens(
    train_loss: Curve,
    num_tokens: Curve,
    settings: Settings,
    rate_prior: LearningRatePrior,
    eval_loss: Curve | None = None,
    learning_rate: Curve | None = None,
    *,
    done: float,
    tokens: float,
    below: float,
    **slow: float,
) -> Evidence | None:
    """The run hardly learns and saw fewer than ``tokens`` tokens; a rate ``below`` (over the center) explains more."""
    near_its_end(train_loss, settings, done)
    enough(num_tokens, 2, "token counts")
    seen, ratio = float(num_tokens.values.max()), rate_prior.relative(rate_of(settings, learning_rate))
    if seen >= tokens or (ratio is not None and ratio <= below):
        return None
    found = learns_slowly(train_loss, eval_loss, learning_rate, **slow)
    if found is None:
        return None
    return Evidence(found.first_step, found.last_step, {**found.measured, "tokens": seen}, found.strength)
