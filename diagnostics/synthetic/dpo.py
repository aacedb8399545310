"""Faults of preference runs (DPO), drawn into a healthy run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun, draw_accuracy, draw_rewards

LN2 = float(np.log(2.0))


def start_wrong(run: SyntheticRun, strength: float) -> None:
    """The reference is another model: the loss starts far above ln 2."""
    run.train += 1.5 * strength
    run.held += 1.5 * strength


def never_moves(run: SyntheticRun, strength: float) -> None:
    """The policy is its own reference."""
    run.train[:] = LN2
    run.held[:] = LN2
    run.train_noise = run.held_noise = 0.0
    draw_rewards(run, np.zeros_like(run.steps), np.zeros_like(run.steps))


def collapses(run: SyntheticRun, strength: float) -> None:
    """Both answers lose most of their log-probability."""
    fall = 150.0 * (0.5 + strength) * run.share
    draw_rewards(run, -0.1 * fall, -0.1 * fall - run.share)


def rewards_fall(run: SyntheticRun, strength: float) -> None:
    """Both rewards run far below 0 and stay together; the loss is that of a policy that never moved."""
    fall = (2.0 + 20.0 * strength) * np.minimum(1.0, 2.0 * run.share)
    draw_rewards(run, -fall, -1.03 * fall, size=1000.0)
    draw_accuracy(run, np.full_like(fall, 0.5), np.full_like(fall, 0.5))
    run.train = LN2 * (1.0 + 0.1 * strength * run.share * (1.0 - run.share))
    run.held = run.train * 1.005


def not_learned(run: SyntheticRun, strength: float) -> None:
    """The accuracy stays at chance and the loss at ln 2."""
    learned = 0.02 * (1.0 - strength) * run.share
    draw_rewards(run, learned / 2, -learned / 2)
    draw_accuracy(run, np.full_like(learned, 0.51), np.full_like(learned, 0.51))
    run.train = LN2 - learned / 2
    run.held = LN2 - learned / 2
    run.settings["learning_rate"] = 1e-6
    run.rate *= 1e-6 / run.rate.max()


def saturates(run: SyntheticRun, strength: float) -> None:
    """The training accuracy reaches 1 while the held-out loss turns and rises."""
    fast = 1.0 - np.exp(-8 * run.share)
    run.settings["num_train_epochs"] = 3.0
    draw_rewards(run, 0.5 * fast, -4.0 * fast)
    draw_accuracy(run, 0.5 + 0.5 * fast, 0.5 + 0.18 * fast)
    run.train = LN2 * (1.0 - 0.97 * fast)
    run.held = LN2 - 0.12 * fast + strength * np.clip(run.share - 0.3, 0.0, None)
    run.extra["rewards_accuracies"] = np.clip(0.52 + 0.5 * fast, 0.0, 1.0)


def chosen_falls(run: SyntheticRun, strength: float) -> None:
    """The chosen answers become much less likely while the margin grows."""
    down = -(0.8 + 2.5 * strength) * run.share
    draw_rewards(run, down * 1.2, down * 1.2 - 1.5 * run.share)


def margins_run(run: SyntheticRun, strength: float) -> None:
    """The rewards grow far beyond what the pairs need."""
    grown = run.share * (4.0 + 8.0 * strength)
    draw_rewards(run, 0.1 * grown, -grown)


DPO_FAULTS: Mapping[str, Fault] = {
    "dpo-start-loss-wrong": start_wrong,
    "policy-never-moves": never_moves,
    "likelihood-collapses": collapses,
    "rewards-fall-together": rewards_fall,
    "preferences-not-learned": not_learned,
    "preferences-saturate": saturates,
    "chosen-likelihood-falls": chosen_falls,
    "margins-run-away": margins_run,
}
