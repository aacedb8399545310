"""Faults that TRL's token accuracy, entropy and token count tell, drawn into a healthy sketch.

The strengths: 0 none, 0.5 typical, 1 severe.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.sketch import Fault, SyntheticRun, run_hot


def gradient_zero(sketch: SyntheticRun, strength: float) -> None:
    """The norms are exactly 0 (all of them from half strength on), and the loss stands still."""
    known = np.arange(sketch.norm.size) >= min(1.0, 2.0 * strength) * sketch.norm.size
    sketch.norm = np.where(known, sketch.norm, 0.0)
    sketch.train[:] = sketch.train[0]
    sketch.held[:] = sketch.held[0]


def eval_frozen(sketch: SyntheticRun, strength: float) -> None:
    """The held-out loss stays the same to the last digit, the sooner the stronger."""
    from_here = sketch.share > 1.0 - 0.9 * strength
    if from_here.any():
        sketch.held[from_here] = float(sketch.held[np.argmax(from_here)]) + 1e-7
    sketch.train = sketch.train - 0.3 * sketch.share
    sketch.held_noise = 0.0


def known_rows(sketch: SyntheticRun, strength: float) -> None:
    """Nearly every token is predicted from the first step on."""
    right = 0.97 + 0.03 * strength * np.ones_like(sketch.share)
    sketch.train = -np.log(np.minimum(right, 0.9995)) * (1.0 - 0.3 * sketch.share)
    sketch.held = sketch.train * 1.02
    sketch.extra["mean_token_accuracy"] = np.minimum(right, 0.9995)
    sketch.extra["eval_mean_token_accuracy"] = np.minimum(right, 0.9995)


def accuracy_still(sketch: SyntheticRun, strength: float) -> None:
    """The loss falls and the token accuracy stays, the more so the stronger."""
    gained = 0.15 * (1.0 - np.exp(-4.0 * sketch.share)) * max(0.0, 1.0 - 2.0 * strength)
    sketch.extra["mean_token_accuracy"] = 0.55 + gained + 0.004 * sketch.rng.standard_normal(gained.size)
    sketch.extra["eval_mean_token_accuracy"] = 0.55 + gained
    sketch.train = 0.9 + 1.3 * np.exp(-4.0 * sketch.share)
    sketch.held = sketch.train * 1.01


def batches_grow(sketch: SyntheticRun, strength: float) -> None:
    """From the middle on a step holds more tokens: packing was switched on."""
    late = np.clip(sketch.share - 0.5, 0.0, None)
    sketch.extra["num_tokens"] = sketch.tokens * (sketch.share + 4.0 * strength * late)


def pairs_swapped(sketch: SyntheticRun, strength: float) -> None:
    """The held-out pairs stand the wrong way round: all of them from half strength on, and better learned then."""
    swapped = min(1.0, 2.0 * strength)
    learned = (0.23 + 0.1 * max(0.0, 2.0 * strength - 1.0)) * (1.0 - np.exp(-6 * sketch.share))
    sketch.extra["eval_rewards_accuracies"] = 0.5 + (1.0 - 2.0 * swapped) * learned
    sketch.extra["eval_rewards_margins"] = (1.0 - 2.0 * swapped) * sketch.extra["rewards_margins"]


def entropy_collapses(sketch: SyntheticRun, strength: float) -> None:
    """The entropy goes while the loss stays near where it was."""
    sketch.train = 1.6 + 0.3 * (1.0 + 60.0 * sketch.share) ** -0.8
    sketch.held = sketch.train * 1.01
    fallen = 1.0 - min(0.97, 1.3 * strength) * (1.0 - np.exp(-6.0 * sketch.share))
    sketch.extra["entropy"] = 1.5 * fallen
    sketch.extra["eval_entropy"] = 1.5 * fallen
    run_hot(sketch, strength)


def accuracy_falls(sketch: SyntheticRun, strength: float) -> None:
    """The token accuracy goes down in the second half and the loss no longer falls."""
    late = np.clip(sketch.share - 0.4, 0.0, None)
    right = 0.7 - 0.6 * strength * late
    sketch.extra["mean_token_accuracy"] = right + 0.01 * sketch.rng.standard_normal(right.size)
    sketch.extra["eval_mean_token_accuracy"] = right
    sketch.train = np.maximum(sketch.train, float(np.interp(0.4, sketch.share, sketch.train))) * (1.0 + 0.15 * late)
    sketch.held = sketch.train * 1.01


def by_heart(sketch: SyntheticRun, strength: float) -> None:
    """Four epochs: every training token is known in the end, the held-out loss and accuracy stand still."""
    sketch.settings["num_train_epochs"] = 4.0
    learned = 1.0 - np.exp(-5.0 * sketch.share)
    top = 0.75 + 0.24 * min(1.0, 2.0 * strength)
    sketch.extra["mean_token_accuracy"] = 0.55 + (top - 0.55) * learned
    sketch.extra["eval_mean_token_accuracy"] = 0.55 + 0.12 * np.minimum(1.0, 4.0 * sketch.share)
    sketch.train = 1.9 - (1.1 + 0.7 * strength) * learned
    sketch.held = 1.9 - 0.5 * np.minimum(1.0, 4.0 * sketch.share)


def too_sure(sketch: SyntheticRun, strength: float) -> None:
    """On held-out rows the entropy falls while the loss does not."""
    sketch.settings["num_train_epochs"] = 3.0
    sketch.extra["eval_entropy"] = 0.95 * sketch.held * (1.0 - 0.97 * strength * sketch.share)


def few_tokens(sketch: SyntheticRun, strength: float) -> None:
    """The loss falls along a straight line, over few and short rows."""
    sketch.train = 1.9 * (1.0 - (0.2 - 0.1 * strength) * sketch.share)
    sketch.held = sketch.train * 1.01
    sketch.tokens = 150_000.0 * (1.0 - 0.95 * strength)


def answers_grow(sketch: SyntheticRun, strength: float) -> None:
    """The generated answers grow longer all along."""
    sketch.extra["completion_length"] = 180.0 * (1.0 + 2.0 * strength * sketch.share)
    sketch.extra["completion_length"] *= np.exp(0.1 * sketch.rng.standard_normal(sketch.share.size))


TOKENS: Mapping[str, Fault] = {
    "gradient-is-zero": gradient_zero,
    "eval-loss-never-moves": eval_frozen,
    "rows-known-from-the-start": known_rows,
    "accuracy-contradicts-loss": accuracy_still,
    "batches-change-size": batches_grow,
    "entropy-collapses": entropy_collapses,
    "token-accuracy-falls": accuracy_falls,
    "train-tokens-memorized": by_heart,
    "overconfident": too_sure,
    "too-few-tokens": few_tokens,
}
TOKENS_OF_PAIRS: Mapping[str, Fault] = {
    "held-out-pairs-swapped": pairs_swapped,
    "answers-grow-long": answers_grow,
}
