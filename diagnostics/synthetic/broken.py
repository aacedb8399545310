"""Logs and set-ups that cannot be right, drawn into a healthy run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun


def loss_is_zero(run: SyntheticRun, strength: float) -> None:
    """The loss drops to exactly 0, the sooner the stronger."""
    cut = round((1.0 - strength) * run.train.size)
    run.train[cut:] = 0.0
    run.held[cut:] = 0.0


def rate_is_zero(run: SyntheticRun, strength: float) -> None:
    """The scheduler gives 0 all along, and the loss stays."""
    run.rate[:] = 0.0
    run.train[:] = run.train[0]
    run.held[:] = run.held[0]


def start_loss_wrong(run: SyntheticRun, strength: float) -> None:
    """The loss is logged many times too large."""
    run.train *= 1.0 + 20.0 * strength
    run.held *= 1.0 + 20.0 * strength


def scaled_by_accumulation(run: SyntheticRun, strength: float) -> None:
    """The training loss is multiplied by the accumulation steps."""
    times = max(2, round(8 * strength))
    run.settings["gradient_accumulation_steps"] = times
    run.settings["vocab_size"] = None
    run.train *= times


def epoch_end_low(run: SyntheticRun, strength: float) -> None:
    """The last log of each of four epochs is too small."""
    run.settings["num_train_epochs"] = 4.0
    for edge in (0.25, 0.5, 0.75, 1.0):
        run.train[int(np.argmin(np.abs(run.share - edge)))] *= 1.0 - 0.9 * strength


def eval_differs(run: SyntheticRun, strength: float) -> None:
    """The held-out rows are of another kind from the start."""
    run.at = np.unique(np.concatenate([[1], run.at]))
    run.train[:3] = run.train[0]
    run.held = run.held * (1.0 + strength)


BROKEN: Mapping[str, Fault] = {
    "loss-is-zero": loss_is_zero,
    "rate-is-zero": rate_is_zero,
    "start-loss-wrong": start_loss_wrong,
    "loss-scaled-by-accumulation": scaled_by_accumulation,
    "epoch-end-log-low": epoch_end_low,
    "eval-differs-at-start": eval_differs,
}
