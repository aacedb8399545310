"""Runs that blow up, jump or jitter, drawn into a healthy sketch. The strengths: 0 none, 0.5 typical, 1 severe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.synthetic.sketch import Fault, SyntheticRun, run_hot


def not_finite(sketch: SyntheticRun, strength: float) -> None:
    """The loss is nan from some point on, the sooner the stronger."""
    cut = round((1.0 - 0.9 * strength) * sketch.train.size)
    sketch.train[cut:] = np.nan
    sketch.held[cut:] = np.nan
    sketch.norm[cut:] = np.nan
    run_hot(sketch, strength)


def diverges(sketch: SyntheticRun, strength: float) -> None:
    """The loss climbs without an end from a third of the run on."""
    climb = np.clip(sketch.share - 0.3, 0.0, None)
    sketch.train += 10.0 * strength * climb
    sketch.held += 10.0 * strength * climb
    run_hot(sketch, strength)


def thrown_up(sketch: SyntheticRun, strength: float) -> None:
    """In a few logs both losses are thrown above their start, swing wildly, and come back as the rate decays."""
    keep = np.unique(np.linspace(0, sketch.steps.size - 1, 16).round().astype(int))
    for name in ("steps", "train", "held", "rate", "norm"):
        setattr(sketch, name, getattr(sketch, name)[keep])
    sketch.at = np.arange(0, keep.size, 3)
    hot = np.where(sketch.share > 0.05, sketch.rate / sketch.rate.max(), 0.0) ** 3
    sketch.train *= np.exp(2.0 * strength * hot * np.where(np.arange(keep.size) % 3, 1.0, -0.2))
    sketch.held *= np.exp(2.0 * strength * hot)
    run_hot(sketch, strength)


def spikes(sketch: SyntheticRun, strength: float) -> None:
    """Two to eight sudden jumps that decay within a few logs."""
    count = 2 + round(6 * strength)
    for start in np.linspace(0.2, 0.9, count) * sketch.train.size:
        reach = np.arange(sketch.train.size) - round(start)
        bump = np.where(reach >= 0, np.exp(-reach / 1.5), 0.0)
        sketch.train *= 1.0 + (0.5 + strength) * bump
        sketch.norm *= 1.0 + 10.0 * bump
    run_hot(sketch, strength)


def joint_jitter(sketch: SyntheticRun, strength: float) -> None:
    """Both losses swing with the learning rate."""
    scale = 0.25 * strength * (sketch.rate / sketch.rate.max()) ** 0.5
    swing = np.exp(scale * sketch.rng.standard_normal(scale.size))
    sketch.train *= swing
    sketch.held *= np.exp(scale * sketch.rng.standard_normal(scale.size))
    run_hot(sketch, strength)


def swings(sketch: SyntheticRun, strength: float) -> None:
    """The training loss goes up as often as down, by a large share of itself, and the held-out loss with it."""
    swing = strength * sketch.rng.standard_normal((2, sketch.train.size))
    sketch.train, sketch.held = 1.8 * np.exp(swing)
    run_hot(sketch, strength)


def jitter_grows(sketch: SyntheticRun, strength: float) -> None:
    """The loss stays where it is and jitters ever more."""
    scale = 0.02 + 0.5 * strength * sketch.share
    sketch.train = 1.5 * np.exp(scale * sketch.rng.standard_normal(scale.size))
    sketch.held[:] = 1.5
    run_hot(sketch, strength)


def short_warmup(sketch: SyntheticRun, strength: float) -> None:
    """The first tenth jumps up and down, then the run is calm."""
    early = sketch.share < 0.12
    sketch.train[early] *= np.exp(strength * sketch.rng.standard_normal(int(early.sum())))
    sketch.settings["warmup_ratio"] = 0.01


def zigzags(sketch: SyntheticRun, strength: float) -> None:
    """The training loss goes up and down in turn."""
    turn = np.where(np.arange(sketch.train.size) % 2, 1.0, -1.0)
    sketch.train = sketch.train * (1.0 + 0.2 * strength * turn)


def gradients_grow(sketch: SyntheticRun, strength: float) -> None:
    """The gradient norm grows in the second half while the loss stays flat."""
    late = np.clip(sketch.share - 0.5, 0.0, None)
    sketch.norm *= np.exp(10.0 * strength * late)
    sketch.train = np.maximum(sketch.train, float(np.interp(0.45, sketch.share, sketch.train))) + 0.05 * late


def gradients_spike(sketch: SyntheticRun, strength: float) -> None:
    """Five single steps have a far larger gradient, and the loss does not show it."""
    for start in np.linspace(0.2, 0.9, 5) * sketch.norm.size:
        sketch.norm[round(start)] *= 1.0 + 16.0 * strength


def eval_jitters(sketch: SyntheticRun, strength: float) -> None:
    """The held-out loss jitters more than the training loss."""
    sketch.held *= np.exp(0.06 * strength * sketch.rng.standard_normal(sketch.held.size))


def clips_most(sketch: SyntheticRun, strength: float) -> None:
    """Nearly every step is clipped."""
    sketch.norm *= 1.0 + 6.0 * strength


def jumps(sketch: SyntheticRun, strength: float) -> None:
    """The loss jumps at 60 % of the run and stays there."""
    late = sketch.share > 0.6
    sketch.train[late] *= 1.0 + 0.5 * strength
    sketch.held[late] *= 1.0 + 0.5 * strength
    run_hot(sketch, strength)


UNSTABLE: Mapping[str, Fault] = {
    "loss-not-finite": not_finite,
    "loss-diverges": diverges,
    "loss-overshoots": thrown_up,
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
