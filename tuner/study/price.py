"""What the trials of a study gained, and what they forgot for it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tuner.study.results import StudyResult, TrialResult

HIGH_PRICE = 0.1
"""A rise of the loss on general text worth a look, in nats a token: LoRA runs that learn well stay at half of it."""


@dataclass(frozen=True)
class Price:
    """One trial: its metric, the gain over the untouched model (above 0 is better), and what it forgot for it.

    ``forgotten`` is the rise of the loss on general text in nats a token.
    """

    trial: TrialResult
    value: float
    gained: float
    forgotten: float


def prices(result: StudyResult) -> list[Price]:
    """Every trial of which all that is known, in order; empty where forgetting was not watched."""
    first = result.before.get(result.metric)
    if first is None and result.baseline is not None:
        first = result.baseline.value
    found = []
    for trial in result.trials:
        rise = result.forgotten(trial)
        if rise is None or first is None or trial.value is None:
            continue
        gained = result.direction.gain(first, trial.value)
        if math.isfinite(gained) and math.isfinite(rise):
            found.append(Price(trial, trial.value, gained, rise))
    return found


def price_of_best(result: StudyResult) -> Price | None:
    """What the best trial gained and forgot; None where forgetting was not watched."""
    return next((one for one in prices(result) if one.trial.number == result.best), None)


def cheaper(result: StudyResult, share: float) -> Price | None:
    """The trial that gained ``share`` of what the best one did and forgot least, where that is less than half as much.

    None where the best trial forgot little.
    """
    best = price_of_best(result)
    if best is None or best.forgotten < HIGH_PRICE or best.gained <= 0:
        return None
    rivals = [
        one for one in prices(result) if one.gained >= share * best.gained and one.forgotten <= 0.5 * best.forgotten
    ]
    return min(rivals, key=lambda one: one.forgotten, default=None)
