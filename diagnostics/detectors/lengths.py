"""Answers that grow long, and preference pairs whose two sides are exchanged."""

from __future__ import annotations

import numpy as np

from diagnostics import signals
from diagnostics.detectors.preconditions import enough, finite
from diagnostics.detectors.preference import late_mean
from diagnostics.model.curves import Curve, NotEnoughPoints
from diagnostics.model.evidence import Evidence


def answers_grow(
    completion_length: Curve | None = None,
    eval_completion_length: Curve | None = None,
    *,
    times: float,
    noises: float,
    evals: int,
    points: int,
) -> Evidence | None:
    """The generated answers end ``times`` as long as they began, along a trend and beyond ``noises`` noises."""
    held = (
        eval_completion_length if eval_completion_length is not None and len(eval_completion_length) >= evals else None
    )
    curve = held or completion_length
    if curve is None:
        raise NotEnoughPoints("curve-missing", curves="completion_length")
    enough(curve, evals if held is not None else points, "answer lengths")
    parts = signals.block_means(curve.values)
    edge = 1 if parts.size < 8 else 2
    first, last = float(np.mean(parts[:edge])), float(np.mean(parts[-edge:]))
    direction, p = signals.mann_kendall(parts)
    noise = signals.difference_noise(parts)
    if first <= 0.0 or last < times * first or direction < 1 or p >= 0.1 or last - first < noises * noise:
        return None
    measured = {"start": first, "end": last, "times": last / first}
    return Evidence(float(curve.steps[0]), float(curve.steps[-1]), finite(measured), min(1.0, 0.5 + 0.2 * last / first))


def pairs_exchanged(
    rewards_accuracies: Curve,
    eval_rewards_accuracies: Curve,
    eval_rewards_margins: Curve | None = None,
    *,
    train: float,
    held: float,
    evals: int,
) -> Evidence | None:
    """The training pairs are told apart and the held-out ones the wrong way round, with a negative margin there."""
    enough(rewards_accuracies, 8, "accuracies")
    enough(eval_rewards_accuracies, evals, "held-out accuracies")
    right, wrong = late_mean(rewards_accuracies), late_mean(eval_rewards_accuracies)
    if right < train or wrong > held or (eval_rewards_margins is not None and late_mean(eval_rewards_margins) >= 0.0):
        return None
    steps = eval_rewards_accuracies.steps
    return Evidence(float(steps[0]), float(steps[-1]), finite({"train": right, "held_out": wrong}))
