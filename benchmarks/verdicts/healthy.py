"""Made-up healthy runs of many shapes: every verdict but healthy or unknown is a false alarm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from benchmarks.verdicts.cases import Labeled
from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.settings import Settings
from diagnostics.synthetic import make


def histories_in_epochs(rng: np.random.Generator, name: str) -> Run:
    """A vision history of 20 to 100 epochs: both losses flatten, the held-out one jitters and may end a bit higher.

    Dropout or augmentation may keep the training loss above the held-out one; the rise at the end stays below the
    noise of one evaluation. No settings, no schedule, no gradient norm are known.
    """
    count = int(rng.integers(20, 101))
    share = np.arange(1, count + 1) / count
    level, height, speed = rng.uniform(0.1, 1.5), rng.uniform(0.3, 2.0), rng.uniform(8, 40)
    fall = (1.0 + speed * share) ** -rng.uniform(1.0, 2.0)
    held = level + height * fall
    scatter = rng.uniform(0.002, 0.04)
    held = held * (1.0 + min(scatter, 0.015) * np.clip(share - 0.6, 0.0, None) / 0.4 * rng.uniform(0, 1))
    train = level * rng.uniform(0.5, 1.6) + height * rng.uniform(0.8, 1.2) * fall
    return _run(
        name, share * count, train * _noise(rng, scatter / 4, count), share * count, held * _noise(rng, scatter, count)
    )


def tuning_in_steps(rng: np.random.Generator, name: str) -> Run:
    """A fine-tuning run of 20 to 400 noisy logs and no, few or many evaluations; a power of the steps, any schedule."""
    logs, evals = int(2 ** rng.uniform(4.4, 8.6)), int(rng.choice([0, 0, 4, 6, 10, 20]))
    share = np.arange(1, logs + 1) / logs
    level, height = rng.uniform(0.5, 2.0), rng.uniform(0.2, 1.5)
    fall = (1.0 + 2 ** rng.uniform(5, 9) * share) ** -rng.uniform(0.4, 1.2)
    loss = level + height * fall / fall[0]
    noisy = loss * _noise(rng, 2 ** rng.uniform(-8, -3.3), logs)
    at: Any = np.unique(np.linspace(logs / max(evals, 1) - 1, logs - 1, evals).round().astype(int)) if evals else []
    held = (loss * rng.uniform(0.95, 1.15))[at] * _noise(rng, 2 ** rng.uniform(-11, -7.5), len(at))
    steps = 10.0 * np.arange(1, logs + 1)
    known = Settings(method="sft", use_peft=True, learning_rate=float(10 ** rng.uniform(-3.9, -3.3)))
    return _run(name, steps, noisy, steps[at] if evals else [], held, known)


def short_logs(rng: np.random.Generator, name: str) -> Run:
    """Four to forty bare logs of the training loss, noisy: what people paste into an issue."""
    logs = int(rng.integers(4, 41))
    share = np.arange(1, logs + 1) / logs
    fall = (1.0 + 2 ** rng.uniform(5, 8) * share) ** -rng.uniform(0.5, 1.2)
    loss = rng.uniform(0.5, 2.0) + rng.uniform(0.2, 1.2) * fall / fall[0]
    return _run(name, 10.0 * np.arange(1, logs + 1), loss * _noise(rng, 2 ** rng.uniform(-8, -3.7), logs), [], [])


def trainer_logs(rng: np.random.Generator, name: str) -> Run:
    """What transformers' Trainer writes: loss, rate, gradient norm and epoch, linear or cosine, calm or wild.

    Noise from 1 % to 40 %, which is what batches of one row show; evaluations none, four or ten.
    """
    logs, evals = int(2 ** rng.uniform(4.5, 9)), int(rng.choice([0, 4, 10]))
    share = np.arange(1, logs + 1) / logs
    fall = (1.0 + 2 ** rng.uniform(5, 8) * share) ** -rng.uniform(0.5, 1.2)
    loss = rng.uniform(0.6, 1.8) + rng.uniform(0.3, 1.0) * fall / fall[0]
    rough = loss * _noise(rng, float(2 ** rng.uniform(-6.5, -1.4)), logs)
    at: Any = np.unique(np.linspace(logs / max(evals, 1) - 1, logs - 1, evals).round().astype(int)) if evals else []
    rate = 2e-4 * np.clip(share / 0.05, 0.0, 1.0)
    rate = rate * (1.0 - share, 0.5 * (1 + np.cos(np.pi * share)))[int(rng.integers(2))]
    norms = rng.uniform(0.2, 3.0) * share ** rng.uniform(-0.4, 0.2) * _noise(rng, rng.uniform(0.1, 0.5), logs)
    steps, epochs = 10.0 * np.arange(1, logs + 1), float(rng.integers(1, 4))
    held = (loss * rng.uniform(0.95, 1.1))[at] * _noise(rng, float(2 ** rng.uniform(-11, -8)), len(at))
    known = Settings(method="sft", use_peft=True, learning_rate=2e-4, num_train_epochs=epochs, max_grad_norm=1.0)
    run = _run(name, steps, rough, steps[at] if evals else [], held, known)
    more = {"learning_rate": rate, "grad_norm": norms, "epoch": epochs * share}
    return Run(name, {**run.curves, **{key: Curve.from_points(steps, more[key]) for key in more}}, known)


def _noise(rng: np.random.Generator, scale: float, count: int) -> FloatArray:
    return np.asarray(np.exp(scale * rng.standard_normal(count)))


def _run(name: str, x: object, train: object, at: object, held: object, known: Settings | None = None) -> Run:
    curves = {"train_loss": Curve.from_points(x, train), "eval_loss": Curve.from_points(at, held)}  # type: ignore[arg-type]
    return Run(name, {key: curve for key, curve in curves.items() if len(curve)}, known or Settings())


def _packaged(cause: str) -> Callable[[np.random.Generator, str], Run]:
    """The healthy runs of ``diagnostics.synthetic``, with any noise and number of points."""

    def drawn(rng: np.random.Generator, name: str) -> Run:
        noise, logs = float(2 ** rng.uniform(-8, -3.3)), int(2 ** rng.uniform(4.4, 8.6))
        return make(cause, noise=noise, seed=int(rng.integers(1 << 30)), logs=logs, evals=int(rng.integers(0, 21)))

    return drawn


FAMILIES: Mapping[str, Callable[[np.random.Generator, str], Run]] = {
    "histories in epochs": histories_in_epochs,
    "fine-tuning in steps": tuning_in_steps,
    "short logs": short_logs,
    "Trainer logs": trainer_logs,
    "synthetic healthy-sft": _packaged("healthy-sft"),
    "synthetic healthy-dpo": _packaged("healthy-dpo"),
}


def healthy_runs(rate_prior: str, count: int, seed: int = 0) -> list[Labeled]:
    """Runs of a family, all labeled healthy."""
    name = rate_prior.replace(" ", "-")
    draws = (np.random.default_rng([seed, i]) for i in range(count))
    return [
        Labeled(f"{name}-{i}", name, "healthy", FAMILIES[rate_prior](rng, f"{name}-{i}")) for i, rng in enumerate(draws)
    ]
