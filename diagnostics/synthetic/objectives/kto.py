"""Runs of KTO."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.synthetic_run import SyntheticRun, draw_rewards


def kto(run: SyntheticRun, strength: float) -> None:
    """A healthy KTO run: the loss leaves 0.5, the margin grows to 2."""
    gone = 1.0 - np.exp(-8.0 * run.share)
    run.settings |= {"method": "kto", "learning_rate": 5e-6, "beta": 0.1, "loss_type": None}
    run.rate *= 5e-6 / run.rate.max()
    draw_rewards(run, 0.6 * gone, -1.4 * gone)
    run.extra["kl"] = 2.0 * gone
    without_accuracies(run)
    run.train = 0.5 - 0.09 * gone
    run.held = 0.5 - 0.08 * gone


def kto_away(run: SyntheticRun, strength: float) -> None:
    """Both rewards run far below 0 together, and the loss is back at 0.5."""
    kto(run, strength)
    fall = (4.0 + 60.0 * strength) * np.minimum(1.0, 2.0 * run.share)
    draw_rewards(run, -fall, -fall - 0.5)
    without_accuracies(run)
    run.train = 0.5 - 0.02 * run.share * (1.0 - run.share)
    run.held = run.train * 1.001
    run.settings["learning_rate"] = 2e-4
    run.rate *= 2e-4 / run.rate.max()


def kto_still(run: SyntheticRun, strength: float) -> None:
    """The policy hardly leaves its reference."""
    kto(run, strength)
    draw_rewards(run, 0.04 * (1.0 - strength) * run.share, -0.1 * (1.0 - strength) * run.share)
    without_accuracies(run)
    run.train = 0.5 - 0.015 * (1.0 - strength) * run.share
    run.held = run.train.copy()
    run.train_noise = 0.1
    run.settings["learning_rate"] = 5e-8
    run.rate *= 5e-8 / run.rate.max()


def without_accuracies(run: SyntheticRun) -> None:
    """KTO has no pairs, so none are ranked."""
    for tag in ("rewards_accuracies", "eval_rewards_accuracies"):
        run.extra.pop(tag, None)


def kto_memorized(run: SyntheticRun, strength: float) -> None:
    """The training answers are told apart ever more surely, and the held-out loss turns."""
    kto(run, strength)
    run.settings |= {"num_train_epochs": 3.0, "learning_rate": 2e-5}
    run.rate *= 4.0
    draw_rewards(run, (1.0 + 6.0 * strength) * run.share, -(2.0 + 8.0 * strength) * run.share)
    without_accuracies(run)
    run.train = 0.5 * np.exp(-(0.4 + 2.0 * strength) * run.share)
    run.held = 0.5 - 0.08 * np.minimum(1.0, 4.0 * run.share) + 0.3 * strength * np.clip(run.share - 0.3, 0.0, None)
