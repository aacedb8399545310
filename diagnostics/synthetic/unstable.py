"""Runs that blow up, jump or jitter, drawn into a healthy run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.synthetic_run import Fault, SyntheticRun, run_hot


def not_finite(run: SyntheticRun, strength: float) -> None:
    """The loss is nan from some point on, the sooner the stronger."""
    cut = round((1.0 - 0.9 * strength) * run.train.size)
    run.train[cut:] = np.nan
    run.held[cut:] = np.nan
    run.norm[cut:] = np.nan
    run_hot(run, strength)


def diverges(run: SyntheticRun, strength: float) -> None:
    """The loss climbs without end from a third of the run on."""
    climb = np.clip(run.share - 0.3, 0.0, None)
    run.train += 10.0 * strength * climb
    run.held += 10.0 * strength * climb
    run_hot(run, strength)


def overshoots(run: SyntheticRun, strength: float) -> None:
    """Both losses are thrown above their start, swing wildly, and come back as the rate decays; few logs."""
    keep = np.unique(np.linspace(0, run.steps.size - 1, 16).round().astype(int))
    for name in ("steps", "train", "held", "rate", "norm"):
        setattr(run, name, getattr(run, name)[keep])
    run.at = np.arange(0, keep.size, 3)
    hot = np.where(run.share > 0.05, run.rate / run.rate.max(), 0.0) ** 3
    run.train *= np.exp(2.0 * strength * hot * np.where(np.arange(keep.size) % 3, 1.0, -0.2))
    run.held *= np.exp(2.0 * strength * hot)
    run_hot(run, strength)


def too_hot(run: SyntheticRun, strength: float) -> None:
    """Both losses stay near their start while the rate is high, go back and forth, and come down late."""
    size = run.train.size
    hot = np.where(run.share > 0.02, run.rate / run.rate.max(), 0.0)
    start = float(run.train[0])
    level = start * (1.0 - 0.1 * run.share + 0.12 * strength * hot)
    turns = np.sin(2.0 * np.pi * (5.0 * run.share + run.rng.random()))
    run.held = level * (1.0 + 0.08 * strength * hot * turns)
    run.train = level * np.exp(0.25 * strength * hot * run.rng.standard_normal(size))
    run.held[0] = run.train[0] = start
    run.at = np.arange(0, size, max(1, size // 15))
    run_hot(run, strength)


def spikes(run: SyntheticRun, strength: float) -> None:
    """Two to eight sudden jumps that decay within a few logs."""
    count = 2 + round(6 * strength)
    for start in np.linspace(0.2, 0.9, count) * run.train.size:
        reach = np.arange(run.train.size) - round(start)
        bump = np.where(reach >= 0, np.exp(-reach / 1.5), 0.0)
        run.train *= 1.0 + (0.5 + strength) * bump
        run.norm *= 1.0 + 10.0 * bump
    run_hot(run, strength)


def joint_jitter(run: SyntheticRun, strength: float) -> None:
    """Both losses swing with the learning rate."""
    scale = 0.25 * strength * (run.rate / run.rate.max()) ** 0.5
    swing = np.exp(scale * run.rng.standard_normal(scale.size))
    run.train *= swing
    run.held *= np.exp(scale * run.rng.standard_normal(scale.size))
    run_hot(run, strength)


def swings(run: SyntheticRun, strength: float) -> None:
    """The training loss goes up as often as down, by a large share of itself, and the held-out loss with it."""
    swing = strength * run.rng.standard_normal((2, run.train.size))
    run.train, run.held = 1.8 * np.exp(swing)
    run_hot(run, strength)


def jitter_grows(run: SyntheticRun, strength: float) -> None:
    """The loss is flat and jitters more and more."""
    scale = 0.02 + 0.5 * strength * run.share
    run.train = 1.5 * np.exp(scale * run.rng.standard_normal(scale.size))
    run.held[:] = 1.5
    run_hot(run, strength)


def short_warmup(run: SyntheticRun, strength: float) -> None:
    """The first tenth jumps up and down, then the run is calm."""
    early = run.share < 0.12
    run.train[early] *= np.exp(strength * run.rng.standard_normal(int(early.sum())))
    run.settings["warmup_ratio"] = 0.01


def zigzags(run: SyntheticRun, strength: float) -> None:
    """The training loss goes up and down in turn."""
    turn = np.where(np.arange(run.train.size) % 2, 1.0, -1.0)
    run.train = run.train * (1.0 + 0.2 * strength * turn)


def gradients_grow(run: SyntheticRun, strength: float) -> None:
    """The gradient norm grows in the second half while the loss stays flat."""
    late = np.clip(run.share - 0.5, 0.0, None)
    run.norm *= np.exp(10.0 * strength * late)
    run.train = np.maximum(run.train, float(np.interp(0.45, run.share, run.train))) + 0.05 * late


def gradients_spike(run: SyntheticRun, strength: float) -> None:
    """Five single steps have a far larger gradient, and the loss does not show it."""
    for start in np.linspace(0.2, 0.9, 5) * run.norm.size:
        run.norm[round(start)] *= 1.0 + 16.0 * strength


def eval_jitters(run: SyntheticRun, strength: float) -> None:
    """The held-out loss jitters more than the training loss."""
    run.held *= np.exp(0.06 * strength * run.rng.standard_normal(run.held.size))


def clips_most(run: SyntheticRun, strength: float) -> None:
    """Nearly every step is clipped."""
    run.norm *= 1.0 + 6.0 * strength


def jumps(run: SyntheticRun, strength: float) -> None:
    """The loss jumps at 60 % of the run and stays there."""
    late = run.share > 0.6
    run.train[late] *= 1.0 + 0.5 * strength
    run.held[late] *= 1.0 + 0.5 * strength
    run_hot(run, strength)


UNSTABLE: Mapping[str, Fault] = {
    "loss-not-finite": not_finite,
    "loss-diverges": diverges,
    "loss-overshoots": overshoots,
    "rate-too-high": too_hot,
    "loss-jumps": jumps,
    "loss-spikes": spikes,
    "train-and-eval-jitter": joint_jitter,
    "loss-swings": swings,
    "jitter-grows": jitter_grows,
    "warmup-too-short": short_warmup,
    "loss-zigzags": zigzags,
    "gradients-grow": gradients_grow,
    "gradients-spike": gradients_spike,
    "eval-jitters-more": eval_jitters,
    "clips-most-steps": clips_most,
}
