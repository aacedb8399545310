"""Levels, trends and noise of the curves of a run that learns from rewards.

The mean reward of a log is that of a few answers, so its noise is large and white: levels are compared as means of
windows, by Welch's t. ``start`` and ``end`` are the first and last tenth of the logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from diagnostics import signals
from diagnostics.detectors.arguments import Arguments
from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints

BoolArray = NDArray[np.bool_]

SHARE = 0.1
"""The share of the logs in a window."""
MIN_WINDOW = 3
MIN_LOGS = 9
"""Logs that have a first and a last third of three."""
BLOCKS_A_THIRD = 5
RISE_T, RISE_P = 2.0, 0.05
"""A reward rises where the thirds differ by so much, or Mann and Kendall's test on ten blocks says so."""
START_T = 4.0
"""... or the last third lies above the first three logs by so much: one pair in 30,000 does by chance."""
MANY_LOGS = 20
"""Logs from which on a likely rise counts as one."""
FEW_LOGS = 6
"""The fewest logs in which a rise shows: all in order, they come so once in 720 times by chance."""
CLEAR_P, CLEAR_GAIN = 0.01, 0.05
"""A rise of few logs is clear where Mann and Kendall's test, and this share of the rewards' width, say so."""
KEPT = 0.85
"""... and so much of the best is left at the end."""
CHANCE_Z = 1.645
"""The normal quantile of one case in 20: how far a scatter of few logs may lie above what was measured."""
NO_SPREAD = 1e-6
"""Rewards with a smaller standard deviation are all equal."""
CEILING = 0.85
"""From this share of the highest reward that there can be on, little is left to learn."""


@dataclass(frozen=True)
class Groups(Arguments):
    """The curves that show whether the answers of a group get equal rewards, which leaves no gradient."""

    reward: Curve
    frac_reward_zero_std: Curve | None = None
    reward_std: Curve | None = None
    grad_norm: Curve | None = None

    @property
    def known(self) -> bool:
        """Whether one of the curves was logged."""
        return any(c is not None and len(c) for c in (self.frac_reward_zero_std, self.reward_std, self.grad_norm))

    @property
    def equal(self) -> FloatArray:
        """The share of the groups with equal rewards, at the steps of the reward.

        RLOO with beta above 0 adds the KL to each reward first, so its groups are never equal; there, and where
        nothing else is logged, rewards without any spread show it, or a gradient of exactly 0.
        """
        equal = np.zeros(len(self.reward))
        for curve, as_share in ((self.frac_reward_zero_std, None), (self.reward_std, NO_SPREAD), (self.grad_norm, 0.0)):
            if curve is not None and len(curve):
                values = curve.at(self.reward.steps)
                equal = np.maximum(equal, values if as_share is None else values <= as_share)
        return equal


class Window(NamedTuple):
    """A window of logs: its mean, the standard error of that, and the indices of its first log and past its last."""

    mean: float
    error: float
    first: int
    last: int


def size_of(values: FloatArray) -> int:
    """The logs in a window."""
    return min(values.size, max(MIN_WINDOW, round(SHARE * values.size)))


def start(values: FloatArray) -> float:
    """The mean of the first tenth, at least three logs."""
    return float(values[: size_of(values)].mean())


def end(values: FloatArray) -> float:
    """The mean of the last tenth, at least three logs."""
    return float(values[-size_of(values) :].mean())


def third(values: FloatArray, which: int) -> FloatArray:
    """The first (0) or last (-1) third of the logs."""
    size = max(1, values.size // 3)
    return values[:size] if which == 0 else values[-size:]


def noise(values: FloatArray) -> float:
    """The standard deviation of one log around the trend, from successive differences."""
    return float(np.std(np.diff(values)) / sqrt(2.0)) if values.size > 2 else 0.0


def window(values: FloatArray, first: int, size: int, floor: float) -> Window:
    """The window of ``size`` logs from ``first`` on; its scatter is at least ``floor``."""
    part = values[first : first + size]
    spread = max(float(part.std(ddof=1)) if part.size > 1 else 0.0, floor)
    return Window(float(part.mean()), spread / sqrt(part.size), first, first + size)


def best_window(values: FloatArray) -> Window:
    """The window with the highest mean; windows overlap by half."""
    size, floor = size_of(values), signals.difference_noise(values)
    starts = range(0, values.size - size + 1, max(1, size // 2))
    return max((window(values, first, size, floor) for first in starts), key=lambda one: one.mean)


def end_window(values: FloatArray) -> Window:
    """The last tenth of the logs."""
    size = size_of(values)
    return window(values, values.size - size, size, signals.difference_noise(values))


def t_between(low: Window, high: Window) -> float:
    """Welch's t of two windows, above 0 where the second is the higher."""
    error = float(np.hypot(low.error, high.error))
    difference = high.mean - low.mean
    return difference / error if error > 0.0 else inf * np.sign(difference) if difference else 0.0


def thirds_t(values: FloatArray) -> float:
    """Welch's t of the last third against the first, each as five block means; above 0 for a rise.

    Raises ``NotEnoughPoints`` below nine logs.
    """
    if values.size < MIN_LOGS:
        raise NotEnoughPoints("too-few-points", have=values.size, need=MIN_LOGS, what="logs")
    first, last = (signals.block_means(third(values, which), BLOCKS_A_THIRD) for which in (0, -1))
    error = sqrt((float(first.var(ddof=1)) + float(last.var(ddof=1))) / first.size)
    difference = float(last.mean() - first.mean())
    return difference / error if error > 0.0 else inf * np.sign(difference) if difference else 0.0


def rises(values: FloatArray) -> bool:
    """Whether a reward rises beyond chance, from third to third, steadily, or within its first logs."""
    found = signals.trend(values)
    steadily = found.direction > 0 and found.p < RISE_P
    return thirds_t(values) >= RISE_T or steadily or start_t(values) >= START_T


def rises_clearly(reward: Curve) -> bool:
    """Whether a reward rises beyond doubt and stays, in however few logs."""
    values = reward.values
    direction, p = signals.mann_kendall(values)
    gain = float(third(values, -1).mean() - third(values, 0).mean())
    clear = direction > 0 and p < CLEAR_P and gain >= CLEAR_GAIN * scale_of(reward)
    return clear and values.size >= FEW_LOGS and left_of_best(reward) >= KEPT


def clearly_well(reward: Curve) -> bool:
    """Whether few logs already show that nothing is lost: a clear rise, or the ceiling all along."""
    levels = float(reward.values.mean()), end(reward.values)
    solved = is_share(reward) and len(reward) >= FEW_LOGS and min(levels) >= CEILING
    return solved or rises_clearly(reward)


def floor_of(values: FloatArray) -> float:
    """What a reward counts from: 0, or the lowest where some are below."""
    return min(0.0, float(values.min()))


def left_of_best(reward: Curve) -> float:
    """What the last tenth keeps of the best tenth, counted from 0, or from the lowest reward where some are below."""
    best, floor = best_window(reward.values).mean, floor_of(reward.values)
    return (end(reward.values) - floor) / (best - floor) if best > floor else 1.0


def goes(values: FloatArray, t: float) -> int:
    """1 or -1 where the thirds differ by Welch's ``t``, or where few logs go that way clearly; else 0."""
    if values.size >= 2 * FEW_LOGS:
        found = thirds_t(values)
        return int(np.sign(found)) if abs(found) >= t else 0
    direction, p = signals.mann_kendall(values)
    return direction if p < CLEAR_P else 0


def moved(entropy: Curve | None, kept: float) -> bool:
    """Whether less than this share of the first entropy is left, or as many times of it: the policy was moved."""
    if entropy is None or not len(entropy):
        return False
    first, last = float(entropy.values[0]), end(entropy.values)
    return not kept * first <= last <= first / kept


def start_t(values: FloatArray) -> float:
    """By how many standard errors the last third lies above the first logs: a quick learner rises within those."""
    first, late = values[:MIN_WINDOW], third(values, -1)
    error = signals.difference_noise(values) * sqrt(1.0 / first.size + 1.0 / late.size)
    difference = float(late.mean() - first.mean())
    return difference / error if error > 0.0 else inf * np.sign(difference) if difference else 0.0


def scale_of(reward: Curve) -> float:
    """The width of the rewards: 1 for rewards between 0 and 1, else what was seen of it, from 0 where none is lower."""
    low, high = float(reward.values.min()), float(reward.values.max())
    return max(1.0, high) if low >= 0.0 else (high - low) or abs(low)


def is_share(reward: Curve) -> bool:
    """Whether the rewards may be shares of right answers: all between 0 and 1."""
    return bool(reward.values.min() >= 0.0 and reward.values.max() <= 1.0)


def detectable_rise(values: FloatArray) -> float:
    """The smallest rise from the first to the last third that differs from noise by three standard errors.

    Few logs may show less noise than there is: there the largest counts that 19 of 20 such series do not exceed, which
    is n over the 5 % quantile of chi-squared with n degrees of freedom (Wilson and Hilferty 1931).
    """
    spread = 2.0 / (9.0 * max(values.size - 2, 1))
    hidden = (1.0 - spread - CHANCE_Z * sqrt(spread)) ** -1.5 if values.size < MANY_LOGS else 1.0
    return 3.0 * sqrt(2.0) * hidden * noise(values) / sqrt(max(values.size / 3.0, 1.0))


def judged(reward: Curve, share: float) -> None:
    """Raise ``NotEnoughPoints`` where a rise by this share of the rewards' width would drown in their noise."""
    smallest = detectable_rise(reward.values)
    if smallest > share * scale_of(reward):
        raise NotEnoughPoints("reward-too-noisy", rise=smallest, width=scale_of(reward))


def at_ceiling(reward: Curve) -> bool:
    """Whether the rewards of the last quarter lie near the highest that there can be, as far as that is known."""
    late = float(reward.values[-max(1, len(reward) // 4) :].mean())
    return is_share(reward) and late >= CEILING


def last_logs(found: BoolArray, count: int) -> bool:
    """Whether a condition holds in each of the last ``count`` logs."""
    return found.size >= count and bool(found[-count:].all())


def runs_of(found: BoolArray, count: int) -> int | None:
    """The index at which a condition first holds in ``count`` logs in a row; None where it never does."""
    if found.size < count:
        return None
    rows = np.convolve(found.astype(int), np.ones(count, dtype=int), mode="valid")
    hits = np.flatnonzero(rows == count)
    return int(hits[0]) if hits.size else None


def enough_rewards(reward: Curve, least: int) -> None:
    """Raise ``NotEnoughPoints`` below ``least`` rewards, and say where more would come from."""
    have = len(reward)
    if have < least:
        every = float(np.median(np.diff(reward.steps))) if have > 1 else 1.0
        raise NotEnoughPoints(
            "rewards-logged-seldom" if every > 1.0 else "rewards-of-few-steps", have=have, need=least, every=every
        )


Parts = Mapping[str, Curve]
"""The mean rewards of the reward functions, by their names."""
