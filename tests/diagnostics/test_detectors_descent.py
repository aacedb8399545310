"""How a curve comes down."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.detectors.descent import RiseLimits, falls_late, has_risen
from diagnostics.rules.slow_learning import RISEN
from tests.diagnostics.cases import curve, noise


@pytest.mark.parametrize(("last", "expected"), [(4.34, True), (4.37, False)])
def test_a_few_evaluations_that_only_fall_are_falling_however_much_they_bend(last: float, expected: bool):
    assert falls_late(curve([4.80, 4.63, 4.50, 4.41, 4.36, last])) is expected


ROSE = RiseLimits(**RISEN)
SHARE = np.arange(1, 101) / 100
LINE = 2.0 - 0.5 * SHARE


@pytest.mark.parametrize(("risen", "expected"), [(0.0, False), (0.01, False), (0.05, True)])
def test_a_held_out_loss_that_has_risen(risen: float, expected: bool):
    held = curve(np.array([2.0, 2.0 * (1.0 + risen), 1.995, 1.99, 1.985, 1.98]), np.arange(0, 101, 20))
    assert has_risen(curve(LINE), held, ROSE) is expected


def test_the_noise_of_a_held_out_loss_is_not_a_rise():
    assert not has_risen(curve(LINE), curve(2.0 * noise(0.01, 20), np.arange(5, 101, 5)), ROSE)


@pytest.mark.parametrize(("risen", "expected"), [(0.0, False), (0.3, True)])
def test_without_a_held_out_loss_the_training_loss_shows_that_it_has_risen(risen: float, expected: bool):
    values = (2.0 - 0.5 * SHARE + risen * np.exp(-(((SHARE - 0.3) / 0.1) ** 2))) * noise(0.03, 100)
    assert has_risen(curve(values), None, ROSE) is expected
    assert not has_risen(curve(values[:13]), None, ROSE)
