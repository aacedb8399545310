"""Runs that learn the training rows, drawn into a healthy sketch. The strengths: 0 none, 0.5 typical, 1 severe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.sketch import Fault, SyntheticRun


def overfits(sketch: SyntheticRun, strength: float) -> None:
    """Four epochs: the held-out loss turns and rises while the training loss goes on."""
    sketch.settings["num_train_epochs"] = 4.0
    turn = 0.5 - 0.2 * strength
    rise = np.clip(sketch.share - turn, 0.0, None)
    sketch.held += 0.8 * strength * rise
    sketch.train -= 0.6 * rise


def staircase(sketch: SyntheticRun, strength: float) -> None:
    """Three epochs of which each starts a step lower, without a held-out loss."""
    repeats_memorized(sketch, strength)
    sketch.at = np.empty(0, dtype=int)


def repeats_memorized(sketch: SyntheticRun, strength: float) -> None:
    """Three epochs of which each starts a step lower; the held-out loss is flat."""
    sketch.settings["num_train_epochs"] = 3.0
    sketch.train = 1.4 * (1.0 - 0.55 * strength) ** np.floor(np.minimum(sketch.epoch, 2.999))


def gap_grows(sketch: SyntheticRun, strength: float) -> None:
    """Three epochs: after the first the held-out loss stays and the training loss goes on falling."""
    sketch.settings["num_train_epochs"] = 3.0
    later = np.clip(sketch.share - 1.0 / 3.0, 0.0, None)
    sketch.held = np.maximum(sketch.held, float(np.interp(1.0 / 3.0, sketch.share, sketch.held)))
    sketch.train = np.maximum(sketch.train, float(np.interp(1.0 / 3.0, sketch.share, sketch.train))) - strength * later


def tiny_rate(sketch: SyntheticRun, strength: float) -> None:
    """Six epochs of two rows a batch at a tiny rate; the gap grows while the held-out loss is flat."""
    sketch.settings |= {"num_train_epochs": 6.0, "batch_size": 2, "learning_rate": 5e-5}
    sketch.train -= 0.6 * strength * sketch.share
    sketch.held = np.full_like(sketch.held, 1.4)


def train_alone(sketch: SyntheticRun, strength: float) -> None:
    """Within one epoch the training loss falls and the held-out loss stays."""
    sketch.train = 1.6 * (1.0 - 0.8 * strength * np.sqrt(sketch.share))
    sketch.held = np.full_like(sketch.held, 1.62)


OVERFIT: Mapping[str, Fault] = {
    "eval-loss-rises": overfits,
    "loss-steps-down-at-epochs": staircase,
    "repeats-memorized": repeats_memorized,
    "gap-grows": gap_grows,
    "tiny-rate-many-epochs": tiny_rate,
    "train-falls-alone": train_alone,
}
