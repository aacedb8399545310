"""Runs that memorize the training rows, drawn into a healthy run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun


def overfits(run: SyntheticRun, strength: float) -> None:
    """Four epochs: the held-out loss turns and rises while the training loss keeps falling."""
    run.settings["num_train_epochs"] = 4.0
    turn = 0.5 - 0.2 * strength
    rise = np.clip(run.share - turn, 0.0, None)
    run.held += 0.8 * strength * rise
    run.train -= 0.6 * rise


def staircase(run: SyntheticRun, strength: float) -> None:
    """Three epochs, each a step lower than the one before, without a held-out loss."""
    repeats_memorized(run, strength)
    run.at = np.empty(0, dtype=int)


def repeats_memorized(run: SyntheticRun, strength: float) -> None:
    """Three epochs, each a step lower than the one before; the held-out loss is flat."""
    run.settings["num_train_epochs"] = 3.0
    run.train = 1.4 * (1.0 - 0.55 * strength) ** np.floor(np.minimum(run.epoch, 2.999))


def gap_grows(run: SyntheticRun, strength: float) -> None:
    """Three epochs: after the first the held-out loss is flat and the training loss keeps falling."""
    run.settings["num_train_epochs"] = 3.0
    later = np.clip(run.share - 1.0 / 3.0, 0.0, None)
    run.held = np.maximum(run.held, float(np.interp(1.0 / 3.0, run.share, run.held)))
    run.train = np.maximum(run.train, float(np.interp(1.0 / 3.0, run.share, run.train))) - strength * later


def tiny_rate(run: SyntheticRun, strength: float) -> None:
    """Six epochs of two rows a batch at a tiny rate; the gap grows while the held-out loss is flat."""
    run.settings |= {"num_train_epochs": 6.0, "batch_size": 2, "learning_rate": 5e-5}
    run.train -= 0.6 * strength * run.share
    run.held = np.full_like(run.held, 1.4)


def train_alone(run: SyntheticRun, strength: float) -> None:
    """Within one epoch the training loss falls and the held-out loss is flat."""
    run.train = 1.6 * (1.0 - 0.8 * strength * np.sqrt(run.share))
    run.held = np.full_like(run.held, 1.62)


def forgets(run: SyntheticRun, strength: float) -> None:
    """The loss on general text rises with the updates, while the run learns its rows."""
    _watch(run, 1.2 * strength * np.sqrt(run.share))


def forgets_for_nothing(run: SyntheticRun, strength: float) -> None:
    """The held-out loss is flat after a third of the run, and the loss on general text rises until its end."""
    third = float(np.interp(1.0 / 3.0, run.share, run.held))
    run.held = np.maximum(run.held, third)
    _watch(run, 0.5 * strength * run.share)


def _watch(run: SyntheticRun, rise: FloatArray) -> None:
    """A loss on general text that is measured at the evaluations: the same tokens each time, so it hardly scatters."""
    run.extra |= {"eval_general_loss": 2.4 + rise + 0.003 * run.rng.standard_normal(run.train.size)}


OVERFIT: Mapping[str, Fault] = {
    "eval-loss-rises": overfits,
    "loss-steps-down-at-epochs": staircase,
    "repeats-memorized": repeats_memorized,
    "gap-grows": gap_grows,
    "tiny-rate-many-epochs": tiny_rate,
    "train-falls-alone": train_alone,
    "general-text-forgotten": forgets,
    "forgets-for-nothing": forgets_for_nothing,
}
