"""What a curve shows of its learning rate, in numbers without a unit: none depends on the level of the loss."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from diagnostics import signals
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.settings import Settings
from diagnostics.rate.certainty import certainty
from diagnostics.rate.descent import LEAST_NOISE, Descent, descent_of

CLEAR = 4.0
"""A fall or a movement of so many noises has a shape that can be read."""
LEAST_FALL, LEAST_FALL_TRAINED = 3e-5, 1e-3


@signals.memoize
def features_of(curves: Mapping[str, Curve], settings: Settings) -> dict[str, float]:
    """The features of a run by name; what its log cannot show is left out."""
    found = certainty(curves, settings)
    descent = descent_of(curves, settings)
    if descent is not None and descent.start > 0:
        found |= _shape(descent)
    train = curves.get("train_loss")
    if train is not None and len(train) >= 12:
        found |= _jitter(train, descent)
    norms = curves.get("grad_norm")
    if norms is not None and len(norms) >= 8:
        found |= _gradients(norms)
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def _shape(descent: Descent) -> dict[str, float]:
    """How far the loss fell, when, and what of it came back."""
    share, error = descent.fall / descent.start, descent.fall_error / descent.start
    found = {"peak": float(np.log10(max(0.0, _rise(descent) - 2.0 * error) + 0.003))}
    least = max(LEAST_FALL if descent.held_out else LEAST_FALL_TRAINED, 2.0 * error)
    if share > least:
        found["fall"] = float(np.log10(share))
    if descent.held_out and (share > least or not descent.start_error):
        found["fell"] = float(share > least)
    lowest = float(descent.levels.min())
    if descent.start - lowest > CLEAR * descent.fall_error:
        found["given_back"] = signals.bounded((descent.end - lowest) / (descent.start - lowest), 0.0, 3.0)
    moves = np.diff(descent.levels)
    if np.abs(moves).sum() > CLEAR * max(descent.noise, LEAST_NOISE * descent.start) * np.sqrt(descent.levels.size):
        found["back"] = float(np.maximum(moves, 0.0).sum() / np.abs(moves).sum())
    return found | (_pace(descent) if share > CLEAR * error else {})


def _pace(descent: Descent) -> dict[str, float]:
    """When the fall came, over the rate spent: its share in the second half, in the first fifth, and its middle."""
    return {
        "late": signals.bounded((descent.at(0.5) - descent.end) / descent.fall, -0.5, 1.0),
        "early": signals.bounded((descent.start - descent.at(0.2)) / descent.fall, -0.5, 1.5),
        "half": float(np.log10(max(_spent_at(descent, descent.start - 0.5 * descent.fall), 3e-3))),
    }


def _spent_at(descent: Descent, level: float) -> float:
    """The share of the rate spent when the loss first came down to a level."""
    below = int(np.argmax(descent.levels <= level))
    if below == 0:
        return 0.0
    spent, levels = descent.spent[below - 1 : below + 1], descent.levels[below - 1 : below + 1]
    return float(spent[0] + (spent[1] - spent[0]) * (levels[0] - level) / (levels[0] - levels[1]))


def _rise(descent: Descent) -> float:
    """How far the loss stood above its start at its worst, as a share of the start."""
    return max(0.0, float(descent.levels[1:].max()) - descent.start) / descent.start


def _jitter(train: Curve, descent: Descent | None) -> dict[str, float]:
    """How the scatter of the training loss in the first half compares with that in the second, and its highest."""
    values = train.values
    half = values.size // 2
    early, late = (_scatter(part) for part in (values[:half], values[half:]))
    found = {}
    if early > 0 and late > 0:
        found["calms"] = float(np.log10(early / late))
    top = float(np.sort(values[1:])[-2]) / float(abs(values[0])) if values[0] else 1.0
    found["top"] = float(np.log10(signals.bounded(top, 0.3, 30.0)))
    return found


def _scatter(values: FloatArray) -> float:
    """The deviation of the differences between neighbors, without the two of a single spike."""
    moves = np.sort(np.abs(np.diff(values)))
    return float(np.sqrt(np.mean(moves[: max(3, moves.size - 2)] ** 2)))


def _gradients(norms: Curve) -> dict[str, float]:
    """How the gradient norm ends over how it began, and its highest tenth over that: one spike is no sign."""
    values = np.maximum(norms.values, 1e-12)
    first = signals.median(values[: max(2, values.size // 10)])
    last = signals.median(values[-max(2, values.size // 5) :])
    return {
        "norm_end": signals.bounded(np.log10(last / first), -3, 3),
        "norm_peak": signals.bounded(np.log10(signals.quantile(values, 0.9) / first), 0, 3),
    }
