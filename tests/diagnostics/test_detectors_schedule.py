"""Learning rates that run out or never decay."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import curve, evaluate, fired, noise

SHARE = np.arange(1, 101) / 100
LINE = 2.0 - 0.5 * SHARE


def plateau(last_rate: float) -> bool:
    loss = np.concatenate([np.linspace(2, 1.2, 50), np.full(50, 1.2)]) * noise(0.002, 100, 5)
    rate: Curve = curve(np.linspace(1.0, last_rate, 100))
    return fired("loss-plateaus", train_loss=loss, learning_rate=rate)


def test_a_plateau_counts_only_while_the_rate_is_up():
    assert plateau(1.0)
    assert not plateau(0.1)
    assert not fired("loss-plateaus", train_loss=LINE, learning_rate=np.ones(100))


SFT = LearningRatePrior(center=2.5e-4, cap=1e-3, max_blamed=2.5e-4)
COSINE = 0.5 * (1 + np.cos(np.pi * SHARE))
DOSE = SHARE + np.sin(np.pi * SHARE) / np.pi


@pytest.mark.parametrize(
    ("loss", "fires"),
    [
        (2.4 - 0.8 * DOSE**1.5, True),
        (2.4 - 0.8 * DOSE**0.5, False),
        (1.5 - 0.1 * np.log(SHARE), False),
        (1.0 + (1 + 30 * SHARE) ** -0.5, False),
        (2.4 - 0.01 * DOSE**1.5, False),
    ],
    ids=["with the dose", "slower than the dose", "logarithm", "power", "too little"],
)
def test_a_rate_that_runs_out_before_the_loss_has_settled(loss: FloatArray, fires: bool):
    held = curve(loss[4::5], np.arange(5, 101, 5))
    found = evaluate(
        "rate-runs-out",
        train_loss=loss * noise(0.003, 100),
        learning_rate=1e-4 * COSINE,
        settings=Settings(),
        rate_prior=SFT,
        eval_loss=held,
    )
    assert (found is not None) is fires


@pytest.mark.parametrize(
    ("power", "first", "lost", "fires"),
    [(0.9, 0, 0.5, True), (0.5, 0, 0.5, False), (0.9, 20, 0.5, False), (0.9, 0, 0.7, False)],
    ids=["straight", "steep at first", "not seen from the start", "far down"],
)
def test_an_evaluation_before_training_shows_whether_the_steep_start_is_missing(
    power: float, first: int, lost: float, fires: bool
):
    at = np.arange(first, 101, 20)
    dose = np.interp(at, [0, *range(1, 101)], [0, *DOSE])
    held = curve(4.8 - lost * dose**power, at)
    rough = curve((4.8 - lost * DOSE**power) * noise(0.05, 100))
    assert (
        fired(
            "rate-runs-out",
            train_loss=rough,
            learning_rate=1e-4 * COSINE,
            settings=Settings(),
            rate_prior=SFT,
            eval_loss=held,
        )
        is fires
    )
