"""Runs of distillation."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.synthetic_run import SyntheticRun


def distillation(run: SyntheticRun, strength: float) -> None:
    """A healthy GKD run: given answers on one batch, the student's own on the next, whose losses are another's."""
    run.settings |= {"method": "gkd", "learning_rate": 1.5e-4, "beta": 0.0, "lmbda": 0.5}
    run.rate *= 1.5e-4 / run.rate.max()
    own = run.rng.random(run.train.size) < 0.5
    run.held = 0.2 + 1.2 * (1.0 + 40.0 * run.share) ** -0.7
    run.train = run.held * np.where(own, 0.3, 1.0)
    run.unlogged = run.unlogged | {"entropy", "eval_entropy", "mean_token_accuracy", "eval_mean_token_accuracy"}


def teacher_far(run: SyntheticRun, strength: float) -> None:
    """The distance to the teacher hardly falls."""
    distillation(run, strength)
    run.held = 1.4 * (1.0 - 0.05 * (1.0 - strength) * run.share)
    run.train = run.held.copy()
    run.settings |= {"learning_rate": None, "lr_scheduler_type": None}
    run.unlogged = run.unlogged | {"learning_rate"}


def above_bound(run: SyntheticRun, strength: float) -> None:
    """The divergence is summed over the tokens."""
    distillation(run, strength)
    run.settings["beta"] = 0.5
    run.train, run.held = run.train * (1.0 + 30.0 * strength), run.held * (1.0 + 30.0 * strength)
