"""Small networks really trained, with the truth at hand: is the held-out loss of the population rising?

A diagnosis sees what people log, one training and one validation loss an epoch, the latter on a few hundred rows. The
truth comes from 4,000 rows that it never sees, so that a label is neither an opinion nor the noise of a small set.
Networks of one hidden layer learn noisy classes in numpy, with and without dropout, weight decay, fresh input noise
(which acts as augmentation and keeps the training loss above the held-out one) and decay of the learning rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.verdicts.cases import Labeled
from diagnostics.model.curves import Curve, FloatArray, Run

TRUTH_ROWS = 4000
RISES, LEVEL, SETTLED = 0.10, 0.02, 0.05
"""Overfit: the true loss ends 10 % above its minimum; not: within 2 %. Settled: the last quarter brought less than 5 %
of all that it fell."""


@dataclass(frozen=True)
class Recipe:
    """How a network is made and trained; drawn at random by ``recipe``."""

    rows: int
    checks: int
    width: int
    classes: int
    flipped: float
    epochs: int
    rate: float
    dropout: float
    decay: float
    jitter: float
    anneal: bool
    batch: int = 32


def recipe(rng: np.random.Generator) -> Recipe:
    """A random recipe: few rows and wide networks overfit, many rows or strong regularization do not."""
    return Recipe(
        rows=int(2 ** rng.uniform(6.5, 10.5)),
        checks=int(2 ** rng.uniform(6.5, 10)),
        width=int(2 ** rng.uniform(3, 7)),
        classes=int(rng.integers(2, 11)),
        flipped=float(rng.choice([0.0, 0.1, 0.2])),
        epochs=int(rng.integers(20, 101)),
        rate=float(10 ** rng.uniform(-3.3, -1.8)),
        dropout=float(rng.choice([0.0, 0.0, 0.25, 0.5])),
        decay=float(rng.choice([0.0, 0.0, 1e-3, 1e-2])),
        jitter=float(rng.choice([0.0, 0.0, 0.5, 1.0])),
        anneal=bool(rng.integers(2)),
    )


def histories(count: int, seed: int = 0) -> list[Labeled]:
    """Trained networks with their true label: ``overfit``, ``healthy`` (level and settled) or ``not`` (still falling).

    Runs whose true rise lies between the two limits, and those that learned nothing, are left out.
    """
    found = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        run, truth = train(recipe(rng), rng, f"history-{seed}-{number}")
        label = true_label(truth)
        if label is not None:
            found.append(Labeled(run.name, run.name, label, run))
    return found


def true_label(truth: FloatArray) -> str | None:
    """The label of a true held-out loss over the epochs, None where it cannot be said."""
    end, lowest = float(truth[-3:].mean()), float(truth.min())
    rise = end / lowest - 1.0
    if rise >= RISES:
        return "overfit"
    if rise > LEVEL or end > 0.95 * truth[0]:
        return None
    earlier = float(truth[-truth.size // 4 - 1])
    return "healthy" if earlier - end < SETTLED * (float(truth[0]) - end) else "not"


def train(of: Recipe, rng: np.random.Generator, name: str) -> tuple[Run, FloatArray]:
    """The run as it would be logged, an epoch a step, and the loss on the rows that nobody sees."""
    centers = 1.2 * rng.standard_normal((of.classes, 3, 20)) / np.sqrt(2)
    data, seen, unseen = (_rows(rng, centers, n, of.flipped) for n in (of.rows, of.checks, TRUTH_ROWS))
    net = Network(rng, of)
    logged = []
    for epoch in range(of.epochs):
        share = epoch / of.epochs
        rate = of.rate * (0.5 * (1 + np.cos(np.pi * share)) if of.anneal else 1.0)
        logged.append((net.epoch(data, rate), net.loss(*seen), net.loss(*unseen)))
    table = np.asarray(logged)
    steps = np.arange(1, of.epochs + 1)
    curves = {"train_loss": Curve.from_points(steps, table[:, 0]), "eval_loss": Curve.from_points(steps, table[:, 1])}
    return Run(name, curves), table[:, 2]


def _rows(rng: np.random.Generator, centers: FloatArray, count: int, flipped: float) -> tuple[FloatArray, np.ndarray]:
    """Points around three centers a class, some with a wrong class."""
    classes, parts, width = centers.shape
    labels = rng.integers(classes, size=count)
    points = centers[labels, rng.integers(parts, size=count)] + rng.standard_normal((count, width))
    wrong = rng.random(count) < flipped
    return points, np.where(wrong, rng.integers(classes, size=count), labels)


class Network:
    """One hidden layer of rectified units and a softmax, trained by Adam."""

    def __init__(self, rng: np.random.Generator, of: Recipe) -> None:
        self.rng, self.of, self.time = rng, of, 0
        shapes = ((20, of.width), (of.width,), (of.width, of.classes), (of.classes,))
        self.weights = [rng.standard_normal(s) * np.sqrt(2.0 / s[0]) if len(s) == 2 else np.zeros(s) for s in shapes]
        self.first = [np.zeros_like(w) for w in self.weights]
        self.second = [np.zeros_like(w) for w in self.weights]

    def loss(self, points: FloatArray, labels: np.ndarray) -> float:
        """The mean cross-entropy, without dropout or noise."""
        one, bias, two, shift = self.weights
        chances = _softmax(np.maximum(points @ one + bias, 0.0) @ two + shift)
        return float(-np.log(np.maximum(chances[np.arange(labels.size), labels], 1e-12)).mean())

    def epoch(self, data: tuple[FloatArray, np.ndarray], rate: float) -> float:
        """The mean training loss over one pass, as it was met."""
        points, labels = data
        order, losses = self.rng.permutation(labels.size), []
        for start in range(0, labels.size, self.of.batch):
            rows = order[start : start + self.of.batch]
            noisy = points[rows] + self.of.jitter * self.rng.standard_normal((rows.size, points.shape[1]))
            losses.append(self._step(noisy, labels[rows], rate))
        return float(np.mean(losses))

    def _step(self, points: FloatArray, labels: np.ndarray, rate: float) -> float:
        one, bias, two, shift = self.weights
        hidden = np.maximum(points @ one + bias, 0.0)
        keep = (self.rng.random(hidden.shape) >= self.of.dropout) / (1.0 - self.of.dropout)
        hidden = hidden * keep
        chances = _softmax(hidden @ two + shift)
        picked = (np.arange(labels.size), labels)
        loss = float(-np.log(np.maximum(chances[picked], 1e-12)).mean())
        chances[picked] -= 1.0
        error = chances / labels.size
        back = (error @ two.T) * keep * (hidden > 0)
        self._move([points.T @ back, back.sum(0), hidden.T @ error, error.sum(0)], rate)
        return loss

    def _move(self, slopes: list[FloatArray], rate: float) -> None:
        """One step of Adam with decoupled weight decay."""
        self.time += 1
        bias_one, bias_two = 1.0 - 0.9**self.time, 1.0 - 0.999**self.time
        for i, slope in enumerate(slopes):
            self.first[i] = 0.9 * self.first[i] + 0.1 * slope
            self.second[i] = 0.999 * self.second[i] + 0.001 * slope**2
            step = self.first[i] / bias_one / (np.sqrt(self.second[i] / bias_two) + 1e-8)
            self.weights[i] = self.weights[i] - rate * (step + self.of.decay * self.weights[i])


def _softmax(scores: FloatArray) -> FloatArray:
    """The chances that scores stand for, row by row."""
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=1, keepdims=True))
