"""Logs and set-ups that cannot be right, drawn into a healthy sketch. The strengths: 0 none, 0.5 typical, 1 severe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.sketch import Fault, SyntheticRun


def loss_is_zero(sketch: SyntheticRun, strength: float) -> None:
    """The loss drops to exactly 0, the sooner the stronger."""
    cut = round((1.0 - strength) * sketch.train.size)
    sketch.train[cut:] = 0.0
    sketch.held[cut:] = 0.0


def rate_is_zero(sketch: SyntheticRun, strength: float) -> None:
    """The scheduler gives 0 all along, and the loss stays."""
    sketch.rate[:] = 0.0
    sketch.train[:] = sketch.train[0]
    sketch.held[:] = sketch.held[0]


def start_loss_wrong(sketch: SyntheticRun, strength: float) -> None:
    """The loss is logged many times too large."""
    sketch.train *= 1.0 + 20.0 * strength
    sketch.held *= 1.0 + 20.0 * strength


def scaled_by_accumulation(sketch: SyntheticRun, strength: float) -> None:
    """The training loss is multiplied by the accumulation steps."""
    times = max(2, round(8 * strength))
    sketch.settings["gradient_accumulation_steps"] = times
    sketch.settings["vocab_size"] = None
    sketch.train *= times


def epoch_end_low(sketch: SyntheticRun, strength: float) -> None:
    """The last log of each of four epochs is too small."""
    sketch.settings["num_train_epochs"] = 4.0
    for edge in (0.25, 0.5, 0.75, 1.0):
        sketch.train[int(np.argmin(np.abs(sketch.share - edge)))] *= 1.0 - 0.9 * strength


def eval_differs(sketch: SyntheticRun, strength: float) -> None:
    """The held-out rows are of another kind from the start."""
    sketch.at = np.unique(np.concatenate([[1], sketch.at]))
    sketch.train[:3] = sketch.train[0]
    sketch.held = sketch.held * (1.0 + strength)


BROKEN: Mapping[str, Fault] = {
    "loss-is-zero": loss_is_zero,
    "rate-is-zero": rate_is_zero,
    "start-loss-wrong": start_loss_wrong,
    "loss-scaled-by-accumulation": scaled_by_accumulation,
    "epoch-end-log-low": epoch_end_low,
    "eval-differs-at-start": eval_differs,
}
