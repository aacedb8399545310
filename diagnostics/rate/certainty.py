"""How sure a model is of what it says, beside how much it gets wrong: one that learned enough is as sure as right."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics import signals
from diagnostics.model.curves import Curve
from diagnostics.model.methods import method_record
from diagnostics.model.settings import Settings

MIN_VALUES = 3
LAST = 5
"""The end is the mean of this part of the values."""
LEAST_EXCESS = 0.2
"""A loss that begins no further above the entropy than this share of itself has little to make up for."""
MOST_EXCESS = 1.5
"""From more than it began with a model knows its training rows by heart, or was thrown: other signs tell which."""
ACCURACIES = (0.5, 0.98)
"""Shares of pairs told apart whose entropy is known: of few pairs, all may be right by chance."""


def certainty(curves: Mapping[str, Curve], settings: Settings) -> dict[str, float]:
    """The features by name.

    ``excess``: what is left of the loss above the entropy of the predictions, over what it began with, of held-out rows
    where they are known: a model that is new to its rows is surer than it is right. ``train_unsure``, ``eval_unsure``:
    where answers are compared, the loss over the least that a model could have that tells as many pairs apart, in
    decades: above 0 larger margins alone would lower it.
    """
    train = curves.get("train_loss"), curves.get("entropy"), curves.get("rewards_accuracies")
    held = curves.get("eval_loss"), curves.get("eval_entropy"), curves.get("eval_rewards_accuracies")
    if not method_record(settings.method).loss_compares_answers:
        excess = _excess(train[:2], held[:2])
        return {} if excess is None else {"excess": excess}
    return {
        f"{name}_unsure": _decades(_end(loss), signals.bounded(_end(right), *ACCURACIES))
        for name, (loss, _, right) in {"train": train, "eval": held}.items()
        if loss is not None and right is not None and min(len(loss), len(right)) >= MIN_VALUES
    }


def _excess(*pairs: tuple[Curve | None, Curve | None]) -> float | None:
    """What is left of the excess of the last loss and entropy that are logged; it began as the highest of all."""
    known = [(loss, entropy) for loss, entropy in pairs if loss is not None and entropy is not None]
    known = [pair for pair in known if min(map(len, pair)) >= MIN_VALUES and pair[0].values[0] > 0.0]
    began = max((1.0 - float(entropy.values[0] / loss.values[0]) for loss, entropy in known), default=0.0)
    if began < LEAST_EXCESS:
        return None
    left = (1.0 - _end(known[-1][1]) / max(_end(known[-1][0]), 1e-9)) / began
    return max(left, -1.0) if left <= MOST_EXCESS else None


def _decades(loss: float, right: float) -> float:
    """The loss over the entropy of a share."""
    least = -(right * np.log(right) + (1.0 - right) * np.log(1.0 - right))
    return float(np.log10(signals.bounded(loss / float(least), 0.01, 100.0)))


def _end(curve: Curve) -> float:
    return float(curve.values[-max(1, len(curve) // LAST) :].mean())
