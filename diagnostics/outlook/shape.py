"""The shape of one loss in numbers without a unit: how far it fell, when, how level it ends, what came back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from diagnostics import signals
from diagnostics.model.curves import Curve, FloatArray

MIN_FOR_TREND, MIN_FOR_FORM = 8, 5
DONE_AT = (0.05, 0.1, 0.25, 0.5, 0.75)
"""Shares of the run by which the share of the fall is measured..."""
AROUND = 0.2
"""... as the mean of the levels so far around them, as a share of the place."""
GUESSES = np.log([*range(2, 13), 20, 100, 1000])
"""What an even guess among so many classes costs."""
GUESS_BETWEEN, GUESS_NOISE, GUESS_ROUNDED = (0.6, 7.0), 0.02, 0.003
"""A level between these, known to this share, may be told from a guess; classes are seldom of equal size."""
OF_LEVEL = (
    *("fall", "fall_log", "noise", "late", "drop", "later", "tail_of_level", "tail_scatter", "guess"),
    *("rise_of_level", "top", "end_chance", "start_chance"),
)
"""Features that measure a loss by its level."""
LEAST = 1e-4
"""Falls below this share of the start have no shape."""


@dataclass(frozen=True, eq=False)
class Levels:
    """A loss over the share of the run, with its start (before training, where that is known), end and noise."""

    at: FloatArray
    values: FloatArray
    start: float
    end: float
    noise: float

    @property
    def scale(self) -> float:
        """The size of the loss at its start, above 0."""
        return max(abs(self.start), 1e-12)

    @property
    def crosses(self) -> bool:
        """Whether the loss goes below 0: then its 0 is a convention, and no share of its level means anything."""
        return min(self.start, float(self.values.min())) < 0.0

    @property
    def fall(self) -> float:
        """What was lost from start to end, in the loss's unit."""
        return self.start - self.end

    def mean(self, first: float, last: float) -> float:
        """The mean level between two shares of the run."""
        within = (self.at >= first) & (self.at <= last)
        if within.any():
            return float(self.values[within].mean())
        return float(np.interp(0.5 * (first + last), self.at, self.values))


def levels_of(curve: Curve, span: float, start: float | None) -> Levels:
    """The levels of a curve whose steps count from the beginning of the run; ``span`` is the run's last step."""
    values = curve.values
    tenth = max(1, values.size // 10)
    began = float(values[0]) if start is None else start
    noise = signals.difference_noise(values)
    return Levels(curve.steps / span, values, began, float(values[-tenth:].mean()), noise)


def shape_of(curve: Curve, of: Levels, chance: float | None) -> dict[str, float]:
    """The features of one loss by name; ``chance`` is the loss of an even guess, where it is known.

    Of a loss that goes below 0, only those that stay as they are when a constant is added to it.
    """
    found = _features(curve, of, chance)
    return {name: value for name, value in found.items() if name not in OF_LEVEL} if of.crosses else found


def _features(curve: Curve, of: Levels, chance: float | None) -> dict[str, float]:
    found = _fall(of) | _ratios(of) | _back(of)
    if of.fall > max(2.0 * of.noise, LEAST * of.scale):
        found |= _when(of)
    if of.values.size >= MIN_FOR_TREND:
        found |= _tail(of) | _guess(of)
    if of.values.size >= MIN_FOR_FORM:
        form = signals.fall_of_shape(curve)
        found["shown"] = float(np.log1p(signals.bounded(form.shown, 0.0, 200.0)))
        found["follows"] = signals.bounded(form.follows_rate, -8.0, 8.0)
    if chance:
        found |= {
            "end_chance": signals.bounded(of.end / chance, 0, 2),
            "start_chance": signals.bounded(of.start / chance, 0, 3),
        }
    return found


def _fall(of: Levels) -> dict[str, float]:
    """How far the loss fell: as a share of its start, and in noises."""
    share = of.fall / of.scale
    found = {
        "fall": signals.bounded(share, -1, 1),
        "fall_log": _log(share) if share > 0.0 else -4.0,
        "noise": _log(of.noise / of.scale, 1e-5, 10),
        "first_at": _log(float(of.at[0]), 1e-3, 1),
    }
    if of.fall > max(2.0 * of.noise, LEAST * of.scale):
        found["noise_of_fall"] = _log(of.noise / of.fall, 1e-4, 10)
    return found


def _when(of: Levels) -> dict[str, float]:
    """The shares of the fall that were made early: by places in the run, and by the first logs."""
    found = {
        f"done_{place:g}": signals.bounded(
            (of.start - of.mean(place * (1 - AROUND), place * (1 + AROUND))) / of.fall, -0.5, 1.5
        )
        for place in DONE_AT
        if of.at[0] <= place * (1 + AROUND)
    }
    if of.values.size > 3:
        found["first"] = signals.bounded((of.start - float(of.values[1:3].mean())) / of.fall, -0.5, 1.5)
    return found


def _ratios(of: Levels) -> dict[str, float]:
    """Levels over later ones: the first log over the second, a tenth of the run over its end, its middle over that."""
    least = 1e-6 * of.scale
    end = max(of.end, least)
    found = {"late": signals.bounded(_decades(of.mean(0.45, 0.55), end, least), -0.3, 0.8)}
    if of.values.size > 1:
        found["drop"] = signals.bounded(_decades(float(of.values[0]), max(float(of.values[1]), least), least), -1, 2)
    if of.at[0] <= 0.12:
        found["later"] = signals.bounded(_decades(of.mean(0.08, 0.14), end, least), -0.5, 1.5)
    return found


def _tail(of: Levels) -> dict[str, float]:
    """The trend of the second half: in its standard errors, over the fall, over the level; and the scatter there."""
    at, values = of.at[of.values.size // 2 :], of.values[of.values.size // 2 :]
    x, y = at - at.mean(), values - values.mean()
    slope = float(x @ y) / float(x @ x)
    left = y - slope * x
    error = float(np.sqrt(left @ left / max(1, y.size - 2) / (x @ x)))
    drop = -0.5 * slope
    last = values[-max(4, of.values.size // 4) :]
    return {
        "tail_errors": signals.bounded(-slope / max(error, 1e-12), -20, 20),
        "tail_of_fall": signals.bounded(drop / max(abs(of.fall), LEAST * of.scale, of.noise), -1, 1.5),
        "tail_of_level": signals.bounded(drop / max(abs(of.end), 1e-9), -0.5, 0.5),
        "tail_scatter": _log(signals.difference_noise(last) / max(abs(of.end), 1e-12), 1e-6, 10),
    }


def _guess(of: Levels) -> dict[str, float]:
    """How far the second half lies from the loss of an even guess among some classes, in its errors."""
    late = of.values[of.values.size // 2 :]
    level, error = float(late.mean()), max(of.noise / float(np.sqrt(late.size)), 2e-4)
    if error >= GUESS_NOISE * level or not GUESS_BETWEEN[0] < level < GUESS_BETWEEN[1]:
        return {}
    return {"guess": _log(float(np.abs(level - GUESSES).min()) / float(np.hypot(error, GUESS_ROUNDED)), 0.1, 100)}


def _back(of: Levels) -> dict[str, float]:
    """What of the fall came back, where the loss was lowest, how high it stood, and the share of its moves upwards."""
    low, moves = float(of.values.min()), np.diff(of.values)
    found = {
        "rise": signals.bounded((of.end - low) / max(of.start - low, LEAST * of.scale, of.noise), 0, 3),
        "rise_of_level": signals.bounded((of.end - low) / max(abs(low), 1e-9), 0, 2),
        "lowest_at": float(of.at[int(np.argmin(of.values))]),
        "upward": float(np.maximum(moves, 0.0).sum() / max(float(np.abs(moves).sum()), 1e-12)),
    }
    if of.values.size > 1:
        found["top"] = _log(float(of.values[1:].max()) / of.scale, 0.05, 100)
    return found


def _log(value: float, low: float = 1e-4, high: float = 1e4) -> float:
    return float(np.log10(signals.bounded(value, low, high)))


def _decades(value: float, end: float, least: float) -> float:
    return float(np.log10(max(value, least) / end))
