"""Faults that TRL's token accuracy, entropy and token count show, drawn into a healthy run.

The strengths: 0 none, 0.5 typical, 1 severe.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun, run_hot


def gradient_zero(run: SyntheticRun, strength: float) -> None:
    """The norms are exactly 0 (all of them from half strength on), and the loss is flat."""
    known = np.arange(run.norm.size) >= min(1.0, 2.0 * strength) * run.norm.size
    run.norm = np.where(known, run.norm, 0.0)
    run.train[:] = run.train[0]
    run.held[:] = run.held[0]


def eval_frozen(run: SyntheticRun, strength: float) -> None:
    """The held-out loss stays the same to the last digit, the sooner the stronger."""
    from_here = run.share > 1.0 - 0.9 * strength
    if from_here.any():
        run.held[from_here] = float(run.held[np.argmax(from_here)]) + 1e-7
    run.train = run.train - 0.3 * run.share
    run.held_noise = 0.0


def known_rows(run: SyntheticRun, strength: float) -> None:
    """Nearly every token is predicted from the first step on."""
    right = 0.97 + 0.03 * strength * np.ones_like(run.share)
    run.train = -np.log(np.minimum(right, 0.9995)) * (1.0 - 0.3 * run.share)
    run.held = run.train * 1.02
    run.extra["mean_token_accuracy"] = np.minimum(right, 0.9995)
    run.extra["eval_mean_token_accuracy"] = np.minimum(right, 0.9995)


def accuracy_still(run: SyntheticRun, strength: float) -> None:
    """The loss falls and the token accuracy stays where it is."""
    gained = 0.15 * (1.0 - np.exp(-4.0 * run.share)) * max(0.0, 1.0 - 2.0 * strength)
    run.extra["mean_token_accuracy"] = 0.55 + gained + 0.004 * run.rng.standard_normal(gained.size)
    run.extra["eval_mean_token_accuracy"] = 0.55 + gained
    run.train = 0.9 + 1.3 * np.exp(-4.0 * run.share)
    run.held = run.train * 1.01


def batches_grow(run: SyntheticRun, strength: float) -> None:
    """From the middle on a step holds more tokens: packing was switched on."""
    late = np.clip(run.share - 0.5, 0.0, None)
    run.extra["num_tokens"] = run.tokens * (run.share + 4.0 * strength * late)


def pairs_swapped(run: SyntheticRun, strength: float) -> None:
    """The held-out pairs are swapped: all of them from half strength on, and better learned beyond it."""
    swapped = min(1.0, 2.0 * strength)
    learned = (0.23 + 0.1 * max(0.0, 2.0 * strength - 1.0)) * (1.0 - np.exp(-6 * run.share))
    run.extra["eval_rewards_accuracies"] = 0.5 + (1.0 - 2.0 * swapped) * learned
    run.extra["eval_rewards_margins"] = (1.0 - 2.0 * swapped) * run.extra["rewards_margins"]


def entropy_collapses(run: SyntheticRun, strength: float) -> None:
    """The entropy collapses while the loss hardly falls."""
    run.train = 1.6 + 0.3 * (1.0 + 60.0 * run.share) ** -0.8
    run.held = run.train * 1.01
    fallen = 1.0 - min(0.97, 1.3 * strength) * (1.0 - np.exp(-6.0 * run.share))
    run.extra["entropy"] = 1.5 * fallen
    run.extra["eval_entropy"] = 1.5 * fallen
    run_hot(run, strength)


def accuracy_falls(run: SyntheticRun, strength: float) -> None:
    """The token accuracy goes down in the second half and the loss no longer falls."""
    late = np.clip(run.share - 0.4, 0.0, None)
    right = 0.7 - 0.6 * strength * late
    run.extra["mean_token_accuracy"] = right + 0.01 * run.rng.standard_normal(right.size)
    run.extra["eval_mean_token_accuracy"] = right
    run.train = np.maximum(run.train, float(np.interp(0.4, run.share, run.train))) * (1.0 + 0.15 * late)
    run.held = run.train * 1.01


def memorizes_tokens(run: SyntheticRun, strength: float) -> None:
    """Four epochs: every training token is known at the end; held-out loss and accuracy are flat."""
    run.settings["num_train_epochs"] = 4.0
    learned = 1.0 - np.exp(-5.0 * run.share)
    top = 0.75 + 0.24 * min(1.0, 2.0 * strength)
    run.extra["mean_token_accuracy"] = 0.55 + (top - 0.55) * learned
    run.extra["eval_mean_token_accuracy"] = 0.55 + 0.12 * np.minimum(1.0, 4.0 * run.share)
    run.train = 1.9 - (1.1 + 0.7 * strength) * learned
    run.held = 1.9 - 0.5 * np.minimum(1.0, 4.0 * run.share)


def overconfident(run: SyntheticRun, strength: float) -> None:
    """On held-out rows the entropy falls while the loss does not."""
    run.settings["num_train_epochs"] = 3.0
    run.extra["eval_entropy"] = 0.95 * run.held * (1.0 - 0.97 * strength * run.share)


def few_tokens(run: SyntheticRun, strength: float) -> None:
    """The loss falls along a straight line, over few and short rows."""
    run.train = 1.9 * (1.0 - (0.2 - 0.1 * strength) * run.share)
    run.held = run.train * 1.01
    run.tokens = 150_000.0 * (1.0 - 0.95 * strength)


def answers_grow(run: SyntheticRun, strength: float) -> None:
    """The generated answers grow longer throughout."""
    run.extra["completion_length"] = 180.0 * (1.0 + 2.0 * strength * run.share)
    run.extra["completion_length"] *= np.exp(0.1 * run.rng.standard_normal(run.share.size))


TOKENS: Mapping[str, Fault] = {
    "gradient-is-zero": gradient_zero,
    "eval-loss-never-moves": eval_frozen,
    "rows-known-from-the-start": known_rows,
    "accuracy-contradicts-loss": accuracy_still,
    "batches-change-size": batches_grow,
    "entropy-collapses": entropy_collapses,
    "token-accuracy-falls": accuracy_falls,
    "train-tokens-memorized": memorizes_tokens,
    "overconfident": overconfident,
    "too-few-tokens": few_tokens,
}
TOKENS_OF_PAIRS: Mapping[str, Fault] = {"held-out-pairs-swapped": pairs_swapped, "answers-grow-long": answers_grow}
