"""Faults of supervised fine-tuning, drawn into a healthy sketch. The strengths: 0 none, 0.5 typical, 1 severe."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics.curves import FloatArray
from diagnostics.synthetic.sketch import Fault, Sketch


def loss_is_zero(sketch: Sketch, strength: float) -> None:
    """The loss drops to exactly 0, the sooner the stronger."""
    cut = round((1.0 - strength) * sketch.train.size)
    sketch.train[cut:] = 0.0
    sketch.held[cut:] = 0.0


def rate_is_zero(sketch: Sketch, strength: float) -> None:
    """The scheduler gives 0 all along, and the loss stays."""
    sketch.rate[:] = 0.0
    sketch.train[:] = sketch.train[0]
    sketch.held[:] = sketch.held[0]


def start_loss_wrong(sketch: Sketch, strength: float) -> None:
    """The loss is logged many times too large."""
    sketch.train *= 1.0 + 20.0 * strength
    sketch.held *= 1.0 + 20.0 * strength


def scaled_by_accumulation(sketch: Sketch, strength: float) -> None:
    """The training loss is multiplied by the accumulation steps."""
    times = max(2, round(8 * strength))
    sketch.settings["gradient_accumulation_steps"] = times
    sketch.settings["vocab_size"] = None
    sketch.train *= times


def epoch_end_low(sketch: Sketch, strength: float) -> None:
    """The last log of each of four epochs is too small."""
    sketch.settings["num_train_epochs"] = 4.0
    for edge in (0.25, 0.5, 0.75, 1.0):
        sketch.train[int(np.argmin(np.abs(sketch.share - edge)))] *= 1.0 - 0.9 * strength


def eval_differs(sketch: Sketch, strength: float) -> None:
    """The held-out rows are of another kind from the start."""
    sketch.at = np.unique(np.concatenate([[1], sketch.at]))
    sketch.train[:3] = sketch.train[0]
    sketch.held = sketch.held * (1.0 + strength)


def not_finite(sketch: Sketch, strength: float) -> None:
    """The loss is nan from some point on, the sooner the stronger."""
    cut = round((1.0 - 0.9 * strength) * sketch.train.size)
    sketch.train[cut:] = np.nan
    sketch.held[cut:] = np.nan
    sketch.norm[cut:] = np.nan
    _hot(sketch, strength)


def diverges(sketch: Sketch, strength: float) -> None:
    """The loss climbs without an end from a third of the run on."""
    climb = np.clip(sketch.share - 0.3, 0.0, None)
    sketch.train += 10.0 * strength * climb
    sketch.held += 10.0 * strength * climb
    _hot(sketch, strength)


def spikes(sketch: Sketch, strength: float) -> None:
    """Two to eight sudden jumps that decay within a few logs."""
    count = 2 + round(6 * strength)
    for start in np.linspace(0.2, 0.9, count) * sketch.train.size:
        reach = np.arange(sketch.train.size) - round(start)
        bump = np.where(reach >= 0, np.exp(-reach / 1.5), 0.0)
        sketch.train *= 1.0 + (0.5 + strength) * bump
        sketch.norm *= 1.0 + 10.0 * bump
    _hot(sketch, strength)


def joint_jitter(sketch: Sketch, strength: float) -> None:
    """Both losses swing with the learning rate."""
    scale = 0.25 * strength * (sketch.rate / sketch.rate.max()) ** 0.5
    swing = np.exp(scale * sketch.rng.standard_normal(scale.size))
    sketch.train *= swing
    sketch.held *= np.exp(scale * sketch.rng.standard_normal(scale.size))
    _hot(sketch, strength)


def swings(sketch: Sketch, strength: float) -> None:
    """The training loss goes up as often as down, by a large share of itself, and the held-out loss with it."""
    swing = strength * sketch.rng.standard_normal((2, sketch.train.size))
    sketch.train, sketch.held = 1.8 * np.exp(swing)
    _hot(sketch, strength)


def jitter_grows(sketch: Sketch, strength: float) -> None:
    """The loss stays where it is and jitters ever more."""
    scale = 0.02 + 0.5 * strength * sketch.share
    sketch.train = 1.5 * np.exp(scale * sketch.rng.standard_normal(scale.size))
    sketch.held[:] = 1.5
    _hot(sketch, strength)


def short_warmup(sketch: Sketch, strength: float) -> None:
    """The first tenth jumps up and down, then the run is calm."""
    early = sketch.share < 0.12
    sketch.train[early] *= np.exp(strength * sketch.rng.standard_normal(int(early.sum())))
    sketch.settings["warmup_ratio"] = 0.01


def gradients_grow(sketch: Sketch, strength: float) -> None:
    """The gradient norm grows in the second half while the loss stays flat."""
    late = np.clip(sketch.share - 0.5, 0.0, None)
    sketch.norm *= np.exp(10.0 * strength * late)
    sketch.train = np.maximum(sketch.train, float(np.interp(0.45, sketch.share, sketch.train))) + 0.05 * late


def eval_jitters(sketch: Sketch, strength: float) -> None:
    """The held-out loss jitters more than the training loss."""
    sketch.held *= np.exp(0.06 * strength * sketch.rng.standard_normal(sketch.held.size))


def clips_most(sketch: Sketch, strength: float) -> None:
    """Nearly every step is clipped."""
    sketch.norm *= 1.0 + 6.0 * strength


def overfits(sketch: Sketch, strength: float) -> None:
    """Four epochs: the held-out loss turns and rises while the training loss goes on."""
    sketch.settings["num_train_epochs"] = 4.0
    turn = 0.5 - 0.2 * strength
    rise = np.clip(sketch.share - turn, 0.0, None)
    sketch.held += 0.8 * strength * rise
    sketch.train -= 0.6 * rise


def staircase(sketch: Sketch, strength: float) -> None:
    """Three epochs of which each starts a step lower, without a held-out loss."""
    repeats_memorised(sketch, strength)
    sketch.at = np.empty(0, dtype=int)


def repeats_memorised(sketch: Sketch, strength: float) -> None:
    """Three epochs of which each starts a step lower; the held-out loss is flat."""
    sketch.settings["num_train_epochs"] = 3.0
    sketch.train = 1.4 - 0.7 * strength * np.floor(np.minimum(sketch.epoch, 2.999))


def tiny_rate(sketch: Sketch, strength: float) -> None:
    """Six epochs of two rows a batch at a tiny rate; the gap grows while the held-out loss is flat."""
    sketch.settings |= {"num_train_epochs": 6.0, "batch_size": 2, "learning_rate": 5e-5}
    sketch.train -= 0.6 * strength * sketch.share
    sketch.held = np.full_like(sketch.held, 1.4)


def train_alone(sketch: Sketch, strength: float) -> None:
    """Within one epoch the training loss falls and the held-out loss stays."""
    sketch.train = 1.6 * (1.0 - 0.8 * strength * np.sqrt(sketch.share))
    sketch.held = np.full_like(sketch.held, 1.62)


def _slow(sketch: Sketch, strength: float) -> None:
    """Both losses fall along a straight line, the less the stronger the fault."""
    lost = 0.12 * (1.0 - strength) + 0.005
    sketch.train = 1.9 * (1.0 - lost * sketch.share)
    sketch.held = sketch.train * 1.01


def _hot(sketch: Sketch, strength: float) -> None:
    """The learning rate that goes with a run that is too hot."""
    rate = 1e-3 * 3.0**strength
    sketch.rate *= rate / max(float(sketch.rate.max()), 1e-12)
    sketch.settings["learning_rate"] = rate


def _slow_with(**settings: object) -> Fault:
    """A slow run whose settings tell the cause."""

    def fault(sketch: Sketch, strength: float) -> None:
        _slow(sketch, strength)
        sketch.settings |= settings
        rate = sketch.settings["learning_rate"]
        sketch.rate *= rate / max(float(sketch.rate.max()), 1e-12)
        sketch.steps *= sketch.settings["max_steps"] / sketch.steps[-1]

    fault.__doc__ = f"A slow run with {', '.join(f'{k} {v}' for k, v in settings.items())}."
    return fault


def barely_falls(sketch: Sketch, strength: float) -> None:
    """Both losses stay within 2 % of their start at a good rate."""
    sketch.train = 1.9 * (1.0 - 0.02 * (1.0 - strength) * sketch.share)
    sketch.held = sketch.train * 1.01


def jumps(sketch: Sketch, strength: float) -> None:
    """The loss jumps at 60 % of the run and stays there."""
    late = sketch.share > 0.6
    sketch.train[late] *= 1.0 + 0.5 * strength
    sketch.held[late] *= 1.0 + 0.5 * strength
    _hot(sketch, strength)


def rate_runs_out(sketch: Sketch, strength: float) -> None:
    """The loss falls with every bit of learning rate spent, and flattens as the cosine runs out."""
    share = sketch.share
    sketch.rate = 1.2e-4 * 0.5 * (1 + np.cos(np.pi * share))
    sketch.settings |= {"learning_rate": 1.2e-4, "lr_scheduler_type": "cosine"}
    dose = share + np.sin(np.pi * share) / np.pi
    sketch.train = 2.4 - (0.5 + strength) * dose**1.6
    sketch.held = sketch.train * 1.01


def still_improving(sketch: Sketch, strength: float) -> None:
    """The loss falls steeply to the end of a short run at a good rate."""
    sketch.train = 2.6 - (0.6 + strength) * sketch.share
    sketch.held = sketch.train * 1.01
    sketch.settings["max_steps"] = 150
    sketch.steps *= 150 / sketch.steps[-1]


def plateaus(sketch: Sketch, strength: float) -> None:
    """Flat over the last half at a constant rate."""
    level: FloatArray = np.maximum(sketch.train, float(np.interp(0.4, sketch.share, sketch.train)))
    sketch.train, sketch.held = level, level * 1.01
    sketch.rate[:] = sketch.rate.max()
    sketch.settings["lr_scheduler_type"] = "constant"


SFT_FAULTS: Mapping[str, Fault] = {
    "loss-is-zero": loss_is_zero,
    "rate-is-zero": rate_is_zero,
    "start-loss-wrong": start_loss_wrong,
    "loss-scaled-by-accumulation": scaled_by_accumulation,
    "epoch-end-log-low": epoch_end_low,
    "eval-differs-at-start": eval_differs,
    "loss-not-finite": not_finite,
    "loss-diverges": diverges,
    "loss-jumps": jumps,
    "loss-spikes": spikes,
    "train-and-eval-jitter": joint_jitter,
    "loss-swings": swings,
    "jitter-grows": jitter_grows,
    "warmup-too-short": short_warmup,
    "gradients-grow": gradients_grow,
    "eval-jitters-more": eval_jitters,
    "clips-most-steps": clips_most,
    "eval-loss-rises": overfits,
    "loss-steps-down-at-epochs": staircase,
    "repeats-memorised": repeats_memorised,
    "tiny-rate-many-epochs": tiny_rate,
    "train-falls-alone": train_alone,
    "rate-too-low": _slow_with(learning_rate=3e-5),
    "rate-runs-out": rate_runs_out,
    "too-few-updates": _slow_with(max_steps=60, batch_size=256),
    "rate-low-for-batch": _slow_with(batch_size=128),
    "batch-too-large": _slow_with(batch_size=1024),
    "regularised-too-much": _slow_with(lora_dropout=0.3),
    "adapter-too-small": _slow_with(lora_r=4, learning_rate=8e-4),
    "loss-barely-falls": barely_falls,
    "still-improving": still_improving,
    "loss-plateaus": plateaus,
}
