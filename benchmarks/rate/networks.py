"""Small networks trained at many learning rates at once, so that the best rate of each run is known.

Classifiers of one hidden layer in numpy, all rates of a sweep side by side: from scratch or further trained on
another task; Adam, SGD or momentum; four schedules; few or many passes; as dense or as thinly logged as people log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.settings import Settings

INPUTS = 20
RATES: FloatArray = 10.0 ** np.arange(-6.0, 1.01, 0.5)
UNSEEN_ROWS = 1024
BROKEN_LOSS = 1e4
FLAT = 0.01
"""Rates whose best loss lies within this share of the descent are as good as each other."""
SCHEDULES = ("constant", "linear", "cosine", "constant_with_warmup")
OPTIMIZERS = ("adamw_torch", "adamw_torch", "adamw_torch", "sgd", "momentum")


@dataclass(frozen=True)
class Sweep:
    """One task with its settings; every rate is trained on it."""

    further: bool
    optimizer: str
    schedule: str
    warmup: float
    steps: int
    batch: int
    rows: int
    classes: int
    width: int
    flipped: float
    logs: int
    evals: int
    before: bool

    @property
    def kind(self) -> str:
        """The name of the group of sweeps that is left out together."""
        return f"networks, {'further' if self.further else 'scratch'}, {self.optimizer.split('_')[0]}"


def drawn(rng: np.random.Generator) -> Sweep:
    """A random sweep."""
    steps = int(10 ** rng.uniform(1.6, 3.1))
    batch = int(2 ** rng.integers(2, 8))
    return Sweep(
        further=bool(rng.integers(2)),
        optimizer=str(rng.choice(OPTIMIZERS)),
        schedule=str(rng.choice(SCHEDULES)),
        warmup=float(rng.choice([0.0, 0.03, 0.1])),
        steps=steps,
        batch=batch,
        rows=int(max(64, min(8192, steps * batch / 10 ** rng.uniform(0.0, 1.5)))),
        classes=int(rng.choice([2, 5, 10, 30])),
        width=int(2 ** rng.integers(4, 7)),
        flipped=float(rng.choice([0.0, 0.1, 0.3])),
        logs=int(rng.choice([15, 30, 60, 120])),
        evals=int(rng.choice([5, 8, 12, 25])),
        before=bool(rng.integers(2)),
    )


def sweeps(count: int, seed: int = 0) -> Iterator[tuple[str, float, Run]]:
    """The kind, log10(rate / best rate) and the run of every rate of so many sweeps."""
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        sweep = drawn(rng)
        runs, truth = trained(sweep, rng, f"sweep-{seed}-{number}")
        best = best_rate(truth)
        for rate, run in zip(RATES, runs, strict=True):
            yield sweep.kind, float(np.log10(rate) - best), run


def best_rate(truth: FloatArray) -> float:
    """log10 of the best rate: the middle of those whose lowest true loss is as good as the best."""
    lowest = np.nan_to_num(truth.min(axis=0), nan=BROKEN_LOSS)
    regret = (lowest - lowest.min()) / max(1e-9, float(truth[0, 0] - lowest.min()))
    weight = np.exp(-regret / FLAT)
    return float((weight * np.log10(RATES)).sum() / weight.sum())


def trained(sweep: Sweep, rng: np.random.Generator, name: str) -> tuple[list[Run], FloatArray]:
    """The runs of all rates as they would be logged, and the true loss at each evaluation, shape (evals, rates)."""
    centers = 1.2 * rng.standard_normal((sweep.classes, 2, INPUTS)) / np.sqrt(2)
    net = _Networks(rng, sweep)
    if sweep.further:
        elsewhere = centers + 0.5 * rng.standard_normal(centers.shape)
        _pretrain(net, rng, elsewhere, sweep)
    data = _rows(rng, centers, sweep.rows, sweep.flipped)
    seen, unseen = (_rows(rng, centers, n, sweep.flipped) for n in (256, UNSEEN_ROWS))
    net.start(RATES.size)
    every, check = max(1, sweep.steps // sweep.logs), max(1, sweep.steps // sweep.evals)
    window, logged, checked = [], [], [(0, net.loss(*seen), net.loss(*unseen))]
    for step in range(1, sweep.steps + 1):
        picked = rng.integers(sweep.rows, size=sweep.batch)
        share = rate_share(sweep, step)
        losses, norms = net.step(data[0][picked], data[1][picked], RATES * share)
        window.append(losses)
        if step % every == 0:
            logged.append((step, np.mean(window, axis=0), norms, share))
            window = []
        if step % check == 0:
            checked.append((step, net.loss(*seen), net.loss(*unseen)))
    truth = np.stack([row[2] for row in checked])
    return [_as_run(sweep, k, logged, checked, name) for k in range(RATES.size)], truth


def rate_share(sweep: Sweep, step: int) -> float:
    """The rate at a step over its peak."""
    done = step / sweep.steps
    if done <= sweep.warmup:
        return done / sweep.warmup
    left = (1.0 - done) / (1.0 - sweep.warmup)
    return {"linear": left, "cosine": 0.5 * (1.0 - np.cos(np.pi * left))}.get(sweep.schedule, 1.0)


def _as_run(sweep: Sweep, k: int, logged: list, checked: list, name: str) -> Run:
    """The log of one rate."""
    steps = [row[0] for row in logged]
    evals = checked if sweep.before else checked[1:]
    curves = {
        "train_loss": Curve.from_points(steps, [row[1][k] for row in logged]),
        "eval_loss": Curve.from_points([row[0] for row in evals], [row[1][k] for row in evals]),
        "grad_norm": Curve.from_points(steps, [row[2][k] for row in logged]),
        "learning_rate": Curve.from_points(steps, [row[3] * RATES[k] for row in logged]),
    }
    settings = Settings(
        learning_rate=float(RATES[k]),
        batch_size=sweep.batch,
        warmup_ratio=sweep.warmup,
        lr_scheduler_type=sweep.schedule,
        max_steps=sweep.steps,
        optim=sweep.optimizer,
    )
    return Run(f"{name} rate={RATES[k]:g}", curves, settings)


def _pretrain(net: _Networks, rng: np.random.Generator, centers: FloatArray, sweep: Sweep) -> None:
    """Train one network on a related task; all rates start from it."""
    points, labels = _rows(rng, centers, 4096, 0.0)
    net.start(1, optimizer="adamw_torch")
    for step in range(300):
        picked = rng.integers(labels.size, size=64)
        net.step(points[picked], labels[picked], np.full(1, 0.01 * (1.0 - step / 300)))
    net.first = [weight[0] for weight in net.weights]


def _rows(rng: np.random.Generator, centers: FloatArray, count: int, flipped: float) -> tuple[FloatArray, FloatArray]:
    """Points around two centers a class, some with a wrong class."""
    classes, parts, width = centers.shape
    labels = rng.integers(classes, size=count)
    points = centers[labels, rng.integers(parts, size=count)] + 0.7 * rng.standard_normal((count, width))
    wrong = rng.random(count) < flipped
    return points, np.where(wrong, rng.integers(classes, size=count), labels)


class _Networks:
    """One hidden layer of rectified units and a softmax, once for each rate."""

    def __init__(self, rng: np.random.Generator, sweep: Sweep) -> None:
        shapes = ((INPUTS, sweep.width), (sweep.width, sweep.classes))
        self.first = [rng.standard_normal(shape) * np.sqrt(1.0 / shape[0]) for shape in shapes]
        self.optimizer = sweep.optimizer

    def start(self, count: int, optimizer: str | None = None) -> None:
        """Begin with so many copies of the first weights."""
        self.weights = [np.repeat(weight[None], count, axis=0) for weight in self.first]
        self.mean, self.square = ([np.zeros_like(w) for w in self.weights] for _ in range(2))
        self.time, self.rule = 0, optimizer or self.optimizer

    def loss(self, points: FloatArray, labels: FloatArray) -> FloatArray:
        """The mean cross-entropy of each copy, shape (copies,)."""
        hidden = np.maximum(points @ self.weights[0], 0.0)
        return _entropy(hidden @ self.weights[1], labels)[0]

    def step(self, points: FloatArray, labels: FloatArray, rates: FloatArray) -> tuple[FloatArray, FloatArray]:
        """One update of each copy at its rate: the losses before it and the norms of the gradients."""
        hidden = np.maximum(points @ self.weights[0], 0.0)
        losses, error = _entropy(hidden @ self.weights[1], labels)
        back = (error @ self.weights[1].transpose(0, 2, 1)) * (hidden > 0)
        slopes = [points.T @ back, hidden.transpose(0, 2, 1) @ error]
        norms = np.sqrt(sum((slope**2).sum(axis=(1, 2)) for slope in slopes))
        self._move(slopes, rates[:, None, None])
        return losses, np.minimum(np.nan_to_num(norms, nan=BROKEN_LOSS), BROKEN_LOSS)

    def _move(self, slopes: list[FloatArray], rates: FloatArray) -> None:
        self.time += 1
        for i, slope in enumerate(slopes):
            slope = np.nan_to_num(slope)
            if self.rule == "sgd":
                move = slope
            else:
                share = 0.9 if self.rule == "momentum" else 1.0
                self.mean[i] = 0.9 * self.mean[i] + (slope if share < 1 else 0.1 * slope)
                move = self.mean[i]
            if self.rule.startswith("adam"):
                self.square[i] = 0.999 * self.square[i] + 0.001 * slope**2
                size = np.sqrt(self.square[i] / (1.0 - 0.999**self.time)) + 1e-8
                move = move / (1.0 - 0.9**self.time) / size
            self.weights[i] = np.clip(self.weights[i] - rates * move, -1e6, 1e6)


def _entropy(scores: FloatArray, labels: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The mean cross-entropy of each copy, and its slope in the scores."""
    grown = scores - scores.max(axis=-1, keepdims=True)
    logs = grown - np.log(np.exp(grown).sum(axis=-1, keepdims=True))
    rows = np.arange(labels.size)
    losses = np.minimum(-logs[:, rows, labels].mean(axis=1), BROKEN_LOSS)
    error = np.exp(logs)
    error[:, rows, labels] -= 1.0
    return losses, error / labels.size
