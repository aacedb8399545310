"""Healthy runs of several kinds, so that a silence is worth something: schedules, epochs, rough noise, joins."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.sketch import Fault, SyntheticRun, schedule


def as_it_is(sketch: SyntheticRun, strength: float) -> None:
    """The run of the sketch itself."""


def varied(sketch: SyntheticRun, strength: float) -> None:
    """Start, floor and pace drawn anew, as models and data differ; a cosine schedule."""
    start, floor = sketch.rng.uniform(1.2, 3.0), sketch.rng.uniform(0.4, 1.0)
    pace, power = sketch.rng.uniform(40.0, 150.0), sketch.rng.uniform(0.7, 1.2)
    sketch.train = floor + (start - floor) * (1.0 + pace * sketch.share) ** -power
    sketch.held = sketch.train * sketch.rng.uniform(0.98, 1.05)
    sketch.rate = 2.5e-4 * 0.5 * (1.0 + np.cos(np.pi * sketch.share))
    sketch.settings["lr_scheduler_type"] = "cosine"


def several_epochs(sketch: SyntheticRun, strength: float) -> None:
    """Three epochs, each a small step lower in training, with a held-out loss that still falls a little."""
    sketch.settings["num_train_epochs"] = 3.0
    sketch.train = sketch.train - 0.05 * np.floor(np.minimum(sketch.epoch, 2.999))
    sketch.held = sketch.held - 0.02 * sketch.share


def constant_rate(sketch: SyntheticRun, strength: float) -> None:
    """A constant rate after the warm-up, and a loss that falls like a power of the steps."""
    sketch.rate = np.minimum(2.5e-4, 2.5e-4 * sketch.share / 0.03)
    sketch.settings["lr_scheduler_type"] = "constant_with_warmup"
    sketch.train = 0.8 + 1.2 * (1.0 + 60.0 * sketch.share) ** -0.4
    sketch.held = sketch.train * 1.01


def cools_down(sketch: SyntheticRun, strength: float) -> None:
    """Warm-up, a level rate, and a cool-down in the last fifth, in which the loss drops once more."""
    late = np.clip((sketch.share - 0.8) / 0.2, 0.0, 1.0)
    sketch.rate = np.minimum(2.5e-4, 2.5e-4 * sketch.share / 0.03) * (1.0 - late)
    sketch.settings["lr_scheduler_type"] = "warmup_stable_decay"
    sketch.train = sketch.train - 0.08 * late
    sketch.held = sketch.train * 1.01 + 0.01


def unlike_batches(sketch: SyntheticRun, strength: float) -> None:
    """Batches of a few rows that differ a lot: the training loss scatters by a fifth, the held-out loss does not."""
    sketch.settings |= {"batch_size": 2, "learning_rate": 1e-4}
    sketch.rate *= 0.4
    sketch.train = sketch.train * np.exp(0.2 * sketch.rng.standard_normal(sketch.train.size))


def single_rows(sketch: SyntheticRun, strength: float) -> None:
    """One row a log at a constant rate, without evaluations: short answers differ by a factor of two and more."""
    constant_rate(sketch, strength)
    sketch.settings |= {"batch_size": 1, "logging_steps": 1}
    sketch.at = np.empty(0, dtype=int)
    sketch.train = sketch.train * np.exp(0.7 * sketch.rng.standard_normal(sketch.train.size))


def rough(sketch: SyntheticRun, strength: float) -> None:
    """Noise with heavy tails and a memory: neighboring batches resemble each other, and some are odd."""
    white = 0.02 * sketch.rng.standard_t(4, sketch.train.size)
    wave = np.convolve(white, 0.5 ** np.arange(6), mode="full")[: white.size]
    sketch.train = sketch.train * np.exp(wave)


def one_spike(sketch: SyntheticRun, strength: float) -> None:
    """A single spike of a few logs that recovers at once: a bad batch, and benign."""
    reach = np.arange(sketch.train.size) - int(0.6 * sketch.train.size)
    bump = np.where(reach >= 0, np.exp(-reach / 1.5), 0.0)
    sketch.train = sketch.train * (1.0 + 0.8 * bump)
    sketch.norm = sketch.norm * (1.0 + 5.0 * bump)


def packed_later(sketch: SyntheticRun, strength: float) -> None:
    """Packing was switched on at a resume: from there a step holds four times the tokens and scatters less."""
    late = np.clip(sketch.share - 0.5, 0.0, None)
    sketch.extra["num_tokens"] = sketch.tokens * (sketch.share + 3.0 * late)
    sketch.train = sketch.train * np.where(late > 0, 1.3, 1.0)


def short_warmup_dpo(sketch: SyntheticRun, strength: float) -> None:
    """Another healthy preference run: a mild fall of the chosen answers, as is usual, and a cosine schedule."""
    share = sketch.share
    sketch.rate = schedule(share, 7e-6, 0.05)
    sketch.extra["rewards_chosen"] = -0.3 * (1.0 - np.exp(-3.0 * share))
    sketch.extra["rewards_margins"] = sketch.extra["rewards_chosen"] - sketch.extra["rewards_rejected"]
    sketch.extra["completion_length"] = 200.0 * np.exp(0.1 * sketch.rng.standard_normal(share.size))


HEALTHY_SFT: Mapping[str, Fault] = {
    "healthy-sft": as_it_is,
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
HEALTHY_DPO: Mapping[str, Fault] = {"healthy-dpo": as_it_is, "healthy-dpo-chosen-falls": short_warmup_dpo}
