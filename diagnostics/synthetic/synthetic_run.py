"""A synthetic healthy run as plain arrays, for faults to be drawn into."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diagnostics.model.curves import Curve, FloatArray, Run, canonical_name
from diagnostics.model.message import message
from diagnostics.model.settings import Settings


@dataclass
class SyntheticRun:
    """A run before its noise, one value a log, and its settings. Faults change it in place.

    ``at`` holds the indices of the logs with an evaluation; ``held`` has a value at every log, ``train_noise`` and
    ``held_noise`` scale the noise of the losses. ``extra`` holds more curves by tag, ``unlogged`` the tags that the log
    does not have, ``tokens`` is the number seen in all.
    """

    rng: np.random.Generator
    steps: FloatArray
    train: FloatArray
    held: FloatArray
    at: np.ndarray
    rate: FloatArray
    norm: FloatArray
    settings: dict[str, Any]
    extra: dict[str, FloatArray] = field(default_factory=dict)
    unlogged: frozenset[str] = frozenset()
    train_noise: float = 1.0
    held_noise: float = 0.1
    tokens: float = 1.6e6

    @property
    def share(self) -> FloatArray:
        """Where each log lies in the run, 0 to 1."""
        return np.asarray(self.steps / self.steps[-1], dtype=np.float64)

    @property
    def epoch(self) -> FloatArray:
        """Passes over the rows at each log."""
        return np.asarray(self.share * float(self.settings["num_train_epochs"]), dtype=np.float64)

    def trl_metrics(self) -> dict[str, FloatArray]:
        """What TRL logs beside the loss for a calibrated model: entropy, accuracy, tokens."""
        level = np.minimum(self.train, self.held)
        pairs = self.settings["method"] == "dpo"
        sure = np.full_like(self.share, 1.4) if pairs else 0.95 * level
        right = np.full_like(self.share, 0.6) if pairs else np.clip(np.exp(-0.45 * level), 0.0, 1.0)
        wiggle = self.rng.standard_normal((3, self.train.size))
        return {
            "entropy": sure * np.exp(0.03 * wiggle[0]),
            "eval_entropy": sure,
            "mean_token_accuracy": np.clip(right + 0.01 * wiggle[1], 0.0, 1.0),
            "eval_mean_token_accuracy": right,
            "num_tokens": np.cumsum(np.exp(0.05 * wiggle[2])) * self.tokens / self.train.size,
        }

    def to_run(self, name: str, noise: float) -> Run:
        """The run with multiplicative noise on the training loss and ``held_noise`` of it on the held-out loss."""
        wiggle = np.exp(self.train_noise * noise * self.rng.standard_normal(self.train.size))
        calm = np.exp(self.held_noise * noise * self.rng.standard_normal(self.at.size))
        bumps = np.exp(0.15 * self.rng.standard_normal(self.train.size))
        curves = {
            "train_loss": (self.steps, self.train * wiggle),
            "eval_loss": (self.steps[self.at], self.held[self.at] * calm),
            "learning_rate": (self.steps, self.rate),
            "grad_norm": (self.steps, self.norm * bumps),
            "epoch": (self.steps, self.epoch),
        }
        for tag, values in {**self.trl_metrics(), **self.extra}.items():
            where = self.at if tag.startswith("eval_") else slice(None)
            curves[canonical_name(tag)] = (self.steps[where], values[where])
        logged = {key: points for key, points in curves.items() if len(points[0]) and key not in self.unlogged}
        made = {key: Curve.from_points(x, y) for key, (x, y) in logged.items()}
        return Run(name, made, Settings.from_mapping(self.settings), (message("synthetic-run"),))


Fault = Callable[[SyntheticRun, float], None]
"""Draws a fault of some strength (0 none, 0.5 typical, 1 severe) into a run."""


def schedule(share: FloatArray, peak: float, warmup: float) -> FloatArray:
    """A linear warm-up to the peak and a linear decay to 0."""
    up = share / max(warmup, 1e-9)
    down = (1.0 - share) / max(1.0 - warmup, 1e-9)
    return np.asarray(peak * np.clip(np.minimum(up, down), 0.0, 1.0), dtype=np.float64)


def healthy_sft(rng: np.random.Generator, logs: int, evals: int) -> SyntheticRun:
    """A LoRA run of one epoch: both losses fall like a power of the steps and flatten."""
    steps = np.asarray(5.0 * np.arange(1, logs + 1), dtype=np.float64)
    share = np.asarray(steps / steps[-1], dtype=np.float64)
    train = np.asarray(1.1 + 0.9 * (1.0 + 60.0 * share) ** -0.8, dtype=np.float64)
    settings: dict[str, Any] = {
        "method": "sft",
        "use_peft": True,
        "learning_rate": 2.5e-4,
        "batch_size": 16,
        "gradient_accumulation_steps": 2,
        "warmup_ratio": 0.03,
        "lr_scheduler_type": "linear",
        "num_train_epochs": 1.0,
        "max_steps": int(steps[-1]),
        "logging_steps": 5,
        "max_grad_norm": 1.0,
        "weight_decay": 0.0,
        "lora_r": 16,
        "lora_alpha": 32,
        "lora_dropout": 0.05,
        "vocab_size": 32000,
    }
    at = _evaluated(logs, evals)
    rate = schedule(share, 2.5e-4, 0.03)
    held = np.asarray(train * 1.01 + 0.01, dtype=np.float64)
    return SyntheticRun(rng, steps, train, held, at, rate, np.full(logs, 0.6), settings)


def healthy_dpo(rng: np.random.Generator, logs: int, evals: int) -> SyntheticRun:
    """A DPO run with LoRA: the loss leaves ln 2, the margin grows, the held-out accuracy reaches 73 %."""
    run = healthy_sft(rng, logs, evals)
    share = run.share
    run.settings |= {"method": "dpo", "learning_rate": 7e-6, "warmup_ratio": 0.1, "beta": 0.1, "loss_type": "sigmoid"}
    run.settings |= {"batch_size": 64}
    run.rate = schedule(share, 7e-6, 0.1)
    draw_rewards(run, chosen=0.3 * (1 - np.exp(-3 * share)), rejected=-0.7 * (1 - np.exp(-3 * share)))
    draw_accuracy(run, 0.5 + 0.27 * (1 - np.exp(-6 * share)), 0.5 + 0.23 * (1 - np.exp(-6 * share)))
    run.train = np.log(2.0) - 0.16 * (1 - np.exp(-3 * share))
    run.held = np.log(2.0) - 0.14 * (1 - np.exp(-3 * share))
    return run


def draw_rewards(run: SyntheticRun, chosen: FloatArray, rejected: FloatArray, size: float = 180.0) -> None:
    """The implicit rewards, their margin, and the log-probabilities that belong to them (beta 0.1)."""
    beta = float(run.settings.get("beta") or 0.1)
    run.extra |= {"rewards_chosen": chosen, "rewards_rejected": rejected, "rewards_margins": chosen - rejected}
    run.extra |= {"eval_rewards_margins": 0.9 * (chosen - rejected)}
    run.extra |= {"logps_chosen": -size + chosen / beta, "logps_rejected": -size + rejected / beta}


def draw_accuracy(run: SyntheticRun, train: FloatArray, held: FloatArray) -> None:
    """The accuracies on the pairs, with the scatter of small batches in training."""
    noise = 0.03 * run.rng.standard_normal(train.size)
    run.extra |= {"rewards_accuracies": np.clip(train + noise, 0.0, 1.0), "eval_rewards_accuracies": held}


def _evaluated(logs: int, evals: int) -> np.ndarray:
    """The indices of the logs at which there is an evaluation too, the last among them."""
    if evals < 1:
        return np.empty(0, dtype=int)
    return np.unique(np.linspace(logs / evals - 1, logs - 1, evals).round().astype(int))


def run_hot(run: SyntheticRun, strength: float) -> None:
    """Raise the learning rate to one that explains the instability."""
    rate = 1e-3 * 3.0**strength
    run.rate *= rate / max(float(run.rate.max()), 1e-12)
    run.settings["learning_rate"] = rate
