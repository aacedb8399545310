"""Healthy runs of several kinds, on which rules must stay quiet: schedules, epochs, rough noise, resumes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun, schedule


def unchanged(run: SyntheticRun, strength: float) -> None:
    """The healthy run itself."""


def varied(run: SyntheticRun, strength: float) -> None:
    """Start, floor and pace drawn anew, as models and data differ; a cosine schedule."""
    start, floor = run.rng.uniform(1.2, 3.0), run.rng.uniform(0.4, 1.0)
    pace, power = run.rng.uniform(40.0, 150.0), run.rng.uniform(0.7, 1.2)
    run.train = floor + (start - floor) * (1.0 + pace * run.share) ** -power
    run.held = run.train * run.rng.uniform(0.98, 1.05)
    run.rate = 2.5e-4 * 0.5 * (1.0 + np.cos(np.pi * run.share))
    run.settings["lr_scheduler_type"] = "cosine"


def several_epochs(run: SyntheticRun, strength: float) -> None:
    """Three epochs, each a small step lower in training, with a held-out loss that still falls a little."""
    run.settings["num_train_epochs"] = 3.0
    run.train = run.train - 0.05 * np.floor(np.minimum(run.epoch, 2.999))
    run.held = run.held - 0.02 * run.share


def constant_rate(run: SyntheticRun, strength: float) -> None:
    """A constant rate after the warm-up, and a loss that falls like a power of the steps."""
    run.rate = np.minimum(2.5e-4, 2.5e-4 * run.share / 0.03)
    run.settings["lr_scheduler_type"] = "constant_with_warmup"
    run.train = 0.8 + 1.2 * (1.0 + 60.0 * run.share) ** -0.4
    run.held = run.train * 1.01


def cools_down(run: SyntheticRun, strength: float) -> None:
    """Warm-up, a level rate, and a cool-down in the last fifth, in which the loss drops once more."""
    late = np.clip((run.share - 0.8) / 0.2, 0.0, 1.0)
    run.rate = np.minimum(2.5e-4, 2.5e-4 * run.share / 0.03) * (1.0 - late)
    run.settings["lr_scheduler_type"] = "warmup_stable_decay"
    run.train = run.train - 0.08 * late
    run.held = run.train * 1.01 + 0.01


def unlike_batches(run: SyntheticRun, strength: float) -> None:
    """Batches of a few rows that differ a lot: the training loss scatters by a fifth, the held-out loss does not."""
    run.settings |= {"batch_size": 2, "learning_rate": 1e-4}
    run.rate *= 0.4
    run.train = run.train * np.exp(0.2 * run.rng.standard_normal(run.train.size))


def single_rows(run: SyntheticRun, strength: float) -> None:
    """One row a log at a constant rate, without evaluations: short answers differ by a factor of two and more."""
    constant_rate(run, strength)
    run.settings |= {"batch_size": 1, "logging_steps": 1}
    run.at = np.empty(0, dtype=int)
    run.train = run.train * np.exp(0.7 * run.rng.standard_normal(run.train.size))


def rough(run: SyntheticRun, strength: float) -> None:
    """Noise with heavy tails and a memory: neighboring batches resemble each other, and some are odd."""
    white = 0.02 * run.rng.standard_t(4, run.train.size)
    wave = np.convolve(white, 0.5 ** np.arange(6), mode="full")[: white.size]
    run.train = run.train * np.exp(wave)


def one_spike(run: SyntheticRun, strength: float) -> None:
    """A single spike of a few logs that recovers at once: a bad batch, and benign."""
    reach = np.arange(run.train.size) - int(0.6 * run.train.size)
    bump = np.where(reach >= 0, np.exp(-reach / 1.5), 0.0)
    run.train = run.train * (1.0 + 0.8 * bump)
    run.norm = run.norm * (1.0 + 5.0 * bump)


def packed_later(run: SyntheticRun, strength: float) -> None:
    """Packing was switched on at a resume: from there a step holds four times the tokens and scatters less."""
    late = np.clip(run.share - 0.5, 0.0, None)
    run.extra["num_tokens"] = run.tokens * (run.share + 3.0 * late)
    run.train = run.train * np.where(late > 0, 1.3, 1.0)


def short_warmup_dpo(run: SyntheticRun, strength: float) -> None:
    """A preference run with a short warm-up and the mild fall of the chosen answers that is usual."""
    share = run.share
    run.rate = schedule(share, 7e-6, 0.05)
    run.extra["rewards_chosen"] = -0.3 * (1.0 - np.exp(-3.0 * share))
    run.extra["rewards_margins"] = run.extra["rewards_chosen"] - run.extra["rewards_rejected"]
    run.extra["completion_length"] = 200.0 * np.exp(0.1 * run.rng.standard_normal(share.size))


HEALTHY_SFT: Mapping[str, Fault] = {
    "healthy-sft": unchanged,
    "healthy-varied": varied,
    "healthy-epochs": several_epochs,
    "healthy-constant-rate": constant_rate,
    "healthy-cool-down": cools_down,
    "healthy-unlike-batches": unlike_batches,
    "healthy-single-rows": single_rows,
    "healthy-rough": rough,
    "healthy-one-spike": one_spike,
    "healthy-packed-later": packed_later,
}
HEALTHY_DPO: Mapping[str, Fault] = {"healthy-dpo": unchanged, "healthy-dpo-chosen-falls": short_warmup_dpo}
