"""The runs of the diagnosis table: a LoRA run of 100 points with the given losses."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.records import Advice, Diagnosis
from diagnostics.model.settings import Settings

LORA = {
    "method": "sft",
    "use_peft": True,
    "learning_rate": 2.5e-4,
    "batch_size": 16,
    "warmup_ratio": 0.03,
    "lora_r": 16,
}
N = 100
X = np.arange(1.0, N + 1)
SHARE = X / N
FALLING = 1.1 + 0.9 * (1 + 60 * SHARE) ** -0.8


def noise(scale: float, seed: int = 0, size: int = N) -> FloatArray:
    return np.exp(scale * np.random.default_rng(seed).standard_normal(size))


def run(train: FloatArray, held: FloatArray | None = None, *, evals: int = 12, **known: object) -> Run:
    curves = {"train_loss": Curve.from_points(X, train)}
    if held is not None:
        at = np.linspace(N / evals - 1, N - 1, evals).round().astype(int)
        curves["eval_loss"] = Curve.from_points(X[at], held[at])
    return Run("run", curves, Settings.from_mapping({**LORA, **known}))


def slow(lost: float = 0.06, **known: object) -> Run:
    """Training and held-out loss fall together along a straight line, by ``lost`` of their level."""
    fall = 1.9 * (1 - lost * SHARE)
    return run(fall * noise(0.003), fall * 1.01, **known)


def advised(found: Diagnosis, knob: str) -> Advice:
    return next(advice for advice in found.advice if advice.knob == knob)


def rules(found: Diagnosis) -> list[str]:
    return [finding.rule for finding in found.findings]
