"""Curves and limits for the detectors' tests: each detector is evaluated with the limits of its row in the table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

from diagnostics.model.curves import Curve, FloatArray, NotEnoughPoints
from diagnostics.model.evidence import Evidence
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from diagnostics.outlook.fitted import Fitted
from diagnostics.rules import RULES
from diagnostics.rules.binding import Check, parameters_of

NOTHING_KNOWN = {"settings": Settings(), "rate_prior": LearningRatePrior()}
BY_NAME = {rule.name: rule for rule in RULES}
SHARE = np.arange(1, 101) / 100
LINE: FloatArray = 2.0 - 0.5 * SHARE
"""A loss that falls in a straight line to the end, as at a rate that is too low."""
SFT = LearningRatePrior(center=2.5e-4, cap=1e-3, max_blamed=2.5e-4)


def curve(values: ArrayLike, steps: ArrayLike | None = None) -> Curve:
    y = np.asarray(values, dtype=float)
    return Curve.from_points(np.arange(1, y.size + 1) if steps is None else steps, y)


def evaluate(name: str, **given: Any) -> Evidence | None:
    """What the rule's check finds with the rule's limits; arrays become curves, known settings are optional."""
    rule = BY_NAME[name]
    assert given.keys() <= set(rule.takes), f"{name} does not take {given.keys() - set(rule.takes)}"
    curves = {name: curve(value) if isinstance(value, (list, np.ndarray)) else value for name, value in given.items()}
    return rule.evaluate({**NOTHING_KNOWN, **curves})


def fired(name: str, **given: Any) -> bool:
    """Whether the rule finds its fault."""
    return evaluate(name, **given) is not None


def fires_on(rule: str, settings: Settings, loss: FloatArray = LINE) -> bool:
    """Whether a rule on slow learning fires on the loss of an SFT run."""
    prior = {"rate_prior": SFT} if "rate_prior" in BY_NAME[rule].takes else {}
    return fired(rule, train_loss=loss, settings=settings, **prior)


def always(outcome: str, chance: float) -> Fitted:
    """A model that gives every run this chance of one outcome, and the others what remains in equal parts."""
    odds = np.log([chance if name == outcome else (1.0 - chance) / 3.0 for name in ("well", "slow", "hot", "overfit")])
    none = np.array([], dtype=np.int64)
    return Fitted((), odds, none, none, none, odds[:0], none, none.astype(np.bool_))


def limits_of(check: Check) -> set[str]:
    """The names of the limits that a check must be given."""
    return {name for p in parameters_of(check) if p.is_limit for name, _ in p.parts}


@contextmanager
def cannot_evaluate(code: str, **values: object) -> Iterator[None]:
    """The block raises ``NotEnoughPoints`` with this code and at least these values."""
    with pytest.raises(NotEnoughPoints) as raised:
        yield
    assert raised.value.reason.code == code
    assert {key: raised.value.reason.values.get(key) for key in values} == values


def noise(scale: float, size: int, seed: int = 0) -> FloatArray:
    return np.exp(scale * np.random.default_rng(seed).standard_normal(size))


def healthy(size: int = 100, lowest: float = 1.1) -> FloatArray:
    share = np.arange(1, size + 1) / size
    return np.asarray(lowest + 0.9 * (1 + 60 * share) ** -0.8)


def standing(chance: float, offset: float, by_curves: float | None = None) -> RateEstimate:
    """An estimate with this chance of a rate that is so many decades off, by the curves alone with another one."""
    alone = chance if by_curves is None else by_curves
    at = np.isclose(OFFSETS, offset)
    evidence, known = (np.where(at, share, (1.0 - share) * np.isclose(OFFSETS, 0.0)) for share in (alone, chance))
    evidence, known = (np.log(np.maximum(one, 1e-9)) for one in (evidence, known))
    return RateEstimate.of(known - evidence, evidence)
