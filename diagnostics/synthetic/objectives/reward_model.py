"""Runs of reward models."""

from __future__ import annotations

import numpy as np

from diagnostics.synthetic.synthetic_run import SyntheticRun

LN2 = float(np.log(2.0))


def reward_model(run: SyntheticRun, strength: float) -> None:
    """A healthy reward model: the loss leaves ln 2, the accuracy reaches 72 %."""
    gone = 1.0 - np.exp(-8.0 * run.share)
    run.settings |= {"method": "reward", "learning_rate": 1e-4, "loss_type": None, "beta": None}
    run.rate *= 1e-4 / run.rate.max()
    _scores(run, 0.9 * gone, 0.5 + 0.24 * gone, 0.5 + 0.22 * gone)
    run.train = LN2 - 0.14 * gone
    run.held = LN2 - 0.12 * gone


def _scores(run: SyntheticRun, margin: np.ndarray, train: np.ndarray, held: np.ndarray) -> None:
    """A reward model's tags, with the scatter of batches."""
    for tag in [tag for tag in run.extra if "rewards" in tag or "logps" in tag]:
        del run.extra[tag]
    wiggle = run.rng.standard_normal((2, margin.size))
    run.extra |= {"accuracy": np.clip(train + 0.03 * wiggle[0], 0.0, 1.0), "eval_accuracy": held}
    run.extra |= {"margin": margin + 0.005 * wiggle[1], "eval_margin": 0.9 * margin, "reward": 0.2 * margin}


def scores_still(run: SyntheticRun, strength: float) -> None:
    """A reward model that tells nothing apart."""
    reward_model(run, strength)
    _scores(run, 0.03 * (1.0 - strength) * run.share, np.full_like(run.share, 0.5), np.full_like(run.share, 0.5))
    run.train = LN2 - 0.01 * (1.0 - strength) * run.share
    run.held = run.train.copy()
    run.train_noise = 0.1
    run.settings |= {"learning_rate": None}
    run.unlogged = frozenset({"learning_rate"})


def scores_below(run: SyntheticRun, strength: float) -> None:
    """Training pairs are fitted, held-out pairs are ranked the wrong way round."""
    reward_model(run, strength)
    gone = 1.0 - np.exp(-3.0 * run.share)
    _scores(run, 3.0 * gone, 0.5 + 0.45 * gone, 0.5 - (0.05 + 0.3 * strength) * gone)
    run.train = LN2 - 0.5 * gone
    run.held = LN2 + 0.01 * gone


def hidden_overfit(run: SyntheticRun, strength: float) -> None:
    """Three epochs: the held-out loss turns and rises, the accuracy stays."""
    reward_model(run, strength)
    run.settings["num_train_epochs"] = 3.0
    run.train = run.train - 0.35 * np.clip(run.share - 0.3, 0.0, None)
    run.held = LN2 - 0.1 * np.minimum(1.0, run.share / 0.3) + 0.3 * strength * np.clip(run.share - 0.4, 0.0, None)
    run.extra["eval_accuracy"] = np.full_like(run.share, 0.7)


def scores_drift(run: SyntheticRun, strength: float) -> None:
    """All scores move away from 0 together."""
    reward_model(run, strength)
    run.extra["reward"] = (5.0 + 20.0 * strength) * run.share
