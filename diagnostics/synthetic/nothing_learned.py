"""Runs that end no better than they began, drawn into a healthy run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun, run_hot

TEN_CLASSES = float(np.log(10.0))
UNKNOWN_RATE: Mapping[str, object] = {"learning_rate": None, "lr_scheduler_type": None, "warmup_ratio": None}


def still(run: SyntheticRun, strength: float) -> None:
    """From early on every training loss is the same to the last digit, the sooner the stronger."""
    run.train = np.where(run.share > 0.9 - 0.8 * strength, TEN_CLASSES, TEN_CLASSES + 0.2 * np.sin(40.0 * run.share))
    run.held = TEN_CLASSES + 0.01 * np.cos(40.0 * run.share)
    run.train_noise = 0.0


def worse(run: SyntheticRun, strength: float) -> None:
    """Both losses end above their start, by a tenth at most."""
    run.at = np.unique(np.concatenate([[0], run.at]))
    run.train = 1.9 * (1.0 + 0.095 * strength * np.minimum(1.0, 3.0 * run.share))
    run.held = run.train * 1.005
    run_hot(run, strength)


def gradient_dies(run: SyntheticRun, strength: float) -> None:
    """At a third of the run the gradient is gone, and the loss stays where it began."""
    run.train = np.full_like(run.share, 2.3)
    run.held = run.train * 1.001
    run.norm = np.where(run.share > 0.35, 10.0 ** (-5.0 * strength), 1.0) * run.norm
    run_hot(run, strength)


def chance(run: SyntheticRun, strength: float) -> None:
    """The loss comes down from a bad start to that of a guess among ten classes, and stays there."""
    run.settings |= {**UNKNOWN_RATE, "method": None, "vocab_size": None}
    run.unlogged = frozenset({"learning_rate"})
    run.train = TEN_CLASSES + 2.0 * np.exp(-(20.0 + 80.0 * strength) * run.share) + 0.02 * max(0.0, 0.5 - strength)
    run.held = run.train.copy()


def untrained(run: SyntheticRun, strength: float) -> None:
    """The held-out loss ends where it was before training, and the training loss shows no more.

    The same rows and the same weights give the same loss, whatever the batches differ by.
    """
    run.held_noise = 0.01
    run.at = np.unique(np.concatenate([[0], run.at]))
    run.train = 1.9 * (1.0 - 0.01 * (1.0 - strength) * run.share)
    run.held = 1.9 * (1.0 - 0.004 * (1.0 - strength) * run.share)


def follows_rate(run: SyntheticRun, strength: float) -> None:
    """Both losses fall in proportion to the rate that a cosine has spent; the log does not hold the rate."""
    run.settings |= UNKNOWN_RATE
    run.unlogged = frozenset({"learning_rate"})
    spent = run.share + np.sin(np.pi * run.share) / np.pi
    run.train = 2.4 - (0.1 + 0.4 * strength) * spent
    run.held = run.train * 1.01


def not_shown(run: SyntheticRun, strength: float) -> None:
    """The loss hardly falls beneath loud noise, at an unknown rate and without evaluations."""
    run.settings |= UNKNOWN_RATE
    run.unlogged = frozenset({"learning_rate"})
    run.at = np.empty(0, dtype=int)
    run.train = 1.9 * (1.0 - 0.04 * (1.0 - strength) * run.share)
    run.train_noise = 6.0


NOTHING_LEARNED: Mapping[str, Fault] = {
    "loss-never-moves": still,
    "worse-than-untrained": worse,
    "gradient-dies": gradient_dies,
    "no-better-than-chance": chance,
    "no-better-than-untrained": untrained,
    "fall-follows-rate": follows_rate,
    "fall-not-shown": not_shown,
}
