"""A synthetic run that learns from rewards: answers are drawn, so noise and equal groups are those of real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from diagnostics.model.curves import Curve, FloatArray, Run, canonical_name
from diagnostics.model.message import message
from diagnostics.model.methods import method_record
from diagnostics.model.settings import Settings

GROUP = 8
FEWEST, MOST = 16, 4096
"""Answers a log."""


@dataclass
class RewardRun:
    """A run before its answers are drawn, one value a log; faults change it in place.

    ``rate`` is the share of right answers, ``spread`` by how many logits prompts differ, ``alike`` the chance that all
    answers to a prompt are one answer. ``parts`` are further reward functions by name, each with its weight and the
    share of answers that meet it; the first one is ``correct``. ``extra`` holds more curves by tag. ``held`` is the
    share of right answers on held-out prompts, with one evaluation at each index of ``at``.
    """

    rng: np.random.Generator
    steps: FloatArray
    rate: FloatArray
    held: FloatArray
    at: np.ndarray
    settings: dict[str, Any]
    spread: float = 1.0
    alike: float = 0.0
    parts: dict[str, tuple[float, FloatArray]] = field(default_factory=dict)
    extra: dict[str, FloatArray] = field(default_factory=dict)

    @property
    def share(self) -> FloatArray:
        """Where each log lies in the run, 0 to 1."""
        return np.asarray(self.steps / self.steps[-1], dtype=np.float64)

    def to_run(self, name: str, noise: float) -> Run:
        """The run with answers drawn: as many a log as give a half-right reward the standard deviation ``noise``."""
        answers = int(np.clip(0.25 / max(noise, 1e-9) ** 2, FEWEST, MOST))
        drawn = np.array([self._groups(p, answers // GROUP) for p in self.rate])
        right, equal, spread = drawn.T
        parts = {"correct": right} | {
            key: self.rng.binomial(answers, np.clip(p, 0.0, 1.0)) / answers for key, (_, p) in self.parts.items()
        }
        reward = right + sum(weight * parts[key] for key, (weight, _) in self.parts.items())
        wiggle = self.rng.standard_normal((2, right.size))
        curves = {
            "loss": 0.02 * wiggle[0] * (1.0 - equal),
            "reward": reward,
            "reward_std": spread,
            "frac_reward_zero_std": equal,
            "grad_norm": 0.3 * np.exp(0.3 * wiggle[1]) * (1.0 - equal),
            "eval_reward": self.held,
            **{f"rewards/{key}/mean": values for key, values in parts.items() if self.parts},
            **self.extra,
        }
        made = {}
        for tag, values in curves.items():
            where = self.at if tag.startswith("eval_") else slice(None)
            if len(self.steps[where]):
                made[canonical_name(tag)] = Curve.from_points(self.steps[where], values[where])
        settings = Settings.from_mapping(self.settings)
        return Run(name, method_record(settings.method).named(made), settings, (message("synthetic-run"),))

    def _groups(self, rate: float, prompts: int) -> tuple[float, float, float]:
        """The share of right answers, of groups with equal rewards, and the standard deviation of the rewards."""
        prompts = max(prompts, 2)
        if 0.0 < rate < 1.0:
            logits = np.log(rate / (1.0 - rate)) + self.spread * self.rng.standard_normal(prompts)
            rates = 1.0 / (1.0 + np.exp(-logits))
        else:
            rates = np.full(prompts, rate)
        right = self.rng.binomial(GROUP, rates)
        one = self.rng.random(prompts) < self.alike
        right = np.where(one, GROUP * (self.rng.random(prompts) < rates), right)
        mean = float(right.sum() / (GROUP * prompts))
        equal = float(np.mean((right == 0) | (right == GROUP)))
        return mean, equal, float(np.sqrt(mean * (1.0 - mean)))


RewardFault = Callable[[RewardRun, float], None]
"""Draws a fault of some strength (0 none, 0.5 typical, 1 severe) into a run."""


def learned(share: FloatArray, first: float, last: float, pace: float = 4.0) -> FloatArray:
    """A share of right answers that rises from ``first`` and flattens towards ``last``."""
    return np.asarray(first + (last - first) * (1.0 - np.exp(-pace * share)) / (1.0 - np.exp(-pace)), dtype=np.float64)


def healthy_rewards(rng: np.random.Generator, logs: int, evals: int) -> RewardRun:
    """A GRPO run with LoRA: the reward rises from a quarter to eight tenths, the entropy falls, the length hardly."""
    steps = np.asarray(5.0 * np.arange(1, logs + 1), dtype=np.float64)
    share = steps / steps[-1]
    settings: dict[str, Any] = {
        "method": "grpo",
        "use_peft": True,
        "learning_rate": 1e-5,
        "batch_size": 64,
        "num_train_epochs": 1.0,
        "max_steps": int(steps[-1]),
        "logging_steps": 5,
        "max_grad_norm": 1.0,
        "lora_r": 16,
        "lora_alpha": 32,
        "num_generations": GROUP,
        "temperature": 1.0,
        "max_completion_length": 512,
        "beta": 0.0,
    }
    at = np.unique(np.linspace(logs / max(evals, 1) - 1, logs - 1, evals).round().astype(int))
    run = RewardRun(rng, steps, learned(share, 0.25, 0.8), learned(share, 0.27, 0.78), at, settings)
    wiggle = rng.standard_normal((4, logs))
    run.extra = {
        "entropy": (0.1 + 0.3 * np.exp(-5.0 * share)) * np.exp(0.05 * wiggle[0]),
        "completions/mean_length": (200.0 + 20.0 * share) * np.exp(0.04 * wiggle[1]),
        "completions/clipped_ratio": np.clip(0.05 - 0.03 * share + 0.01 * wiggle[2], 0.0, 1.0),
        "learning_rate": np.full(logs, 1e-5),
        "kl": 0.02 * share * np.exp(0.1 * wiggle[3]),
    }
    return run
