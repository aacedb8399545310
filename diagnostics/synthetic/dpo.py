"""Faults of preference runs (DPO), drawn into a healthy sketch. The strengths: 0 none, 0.5 typical, 1 severe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.sketch import Fault, SyntheticRun, draw_accuracy, draw_rewards

LN2 = float(np.log(2.0))


def start_wrong(sketch: SyntheticRun, strength: float) -> None:
    """The reference is another model: the loss starts far above ln 2."""
    sketch.train += 1.5 * strength
    sketch.held += 1.5 * strength


def never_moves(sketch: SyntheticRun, strength: float) -> None:
    """The policy is its own reference."""
    sketch.train[:] = LN2
    sketch.held[:] = LN2
    draw_rewards(sketch, np.zeros_like(sketch.steps), np.zeros_like(sketch.steps))


def collapses(sketch: SyntheticRun, strength: float) -> None:
    """Both answers lose most of their log-probability."""
    fall = 150.0 * (0.5 + strength) * sketch.share
    draw_rewards(sketch, -0.1 * fall, -0.1 * fall - sketch.share)


def not_learned(sketch: SyntheticRun, strength: float) -> None:
    """The pairs are told apart by chance; the loss stays at ln 2."""
    learned = 0.02 * (1.0 - strength) * sketch.share
    draw_rewards(sketch, learned / 2, -learned / 2)
    draw_accuracy(sketch, np.full_like(learned, 0.51), np.full_like(learned, 0.51))
    sketch.train = LN2 - learned / 2
    sketch.held = LN2 - learned / 2
    sketch.settings["learning_rate"] = 1e-6
    sketch.rate *= 1e-6 / sketch.rate.max()


def saturates(sketch: SyntheticRun, strength: float) -> None:
    """Every training pair is told apart, the held-out loss turns and rises."""
    fast = 1.0 - np.exp(-8 * sketch.share)
    sketch.settings["num_train_epochs"] = 3.0
    draw_rewards(sketch, 0.5 * fast, -4.0 * fast)
    draw_accuracy(sketch, 0.5 + 0.5 * fast, 0.5 + 0.18 * fast)
    sketch.train = LN2 * (1.0 - 0.97 * fast)
    sketch.held = LN2 - 0.12 * fast + strength * np.clip(sketch.share - 0.3, 0.0, None)
    sketch.extra["rewards_accuracies"] = np.clip(0.52 + 0.5 * fast, 0.0, 1.0)


def chosen_falls(sketch: SyntheticRun, strength: float) -> None:
    """The chosen answers become much less likely while the margin grows."""
    down = -(0.8 + 2.5 * strength) * sketch.share
    draw_rewards(sketch, down * 1.2, down * 1.2 - 1.5 * sketch.share)


def margins_run(sketch: SyntheticRun, strength: float) -> None:
    """The rewards grow far beyond what the pairs need."""
    grown = sketch.share * (4.0 + 8.0 * strength)
    draw_rewards(sketch, 0.1 * grown, -grown)


DPO_FAULTS: Mapping[str, Fault] = {
    "dpo-start-loss-wrong": start_wrong,
    "policy-never-moves": never_moves,
    "likelihood-collapses": collapses,
    "preferences-not-learned": not_learned,
    "preferences-saturate": saturates,
    "chosen-likelihood-falls": chosen_falls,
    "margins-run-away": margins_run,
}
