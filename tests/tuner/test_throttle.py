"""Checks stay below their share of the time, measured by the real clock."""

from __future__ import annotations

import time

import pytest

from tuner.throttle import Throttle


def busy(seconds: float) -> None:
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_checks_that_grow_longer_stay_below_their_share(share: float):
    spacing, checks = Throttle(share), []
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < 1.0 or len(checks) < 2:
        busy(0.001)
        if spacing.allows():
            with spacing.check():
                busy(0.001 * (1 + len(checks) / 4))
            checks.append(spacing.last)
    # One check may be longer than the one before it, by which it was measured; all the others fit.
    assert sum(checks) - max(checks) <= share * elapsed
    assert spacing.spent == pytest.approx(sum(checks))


def test_an_expensive_check_is_paid_off_before_the_next():
    spacing = Throttle(0.01)
    spacing.began -= 1.0  # as if a second had passed
    assert spacing.allows()
    with spacing.check():
        busy(0.05)
    needed = (spacing.spent + spacing.last) / 0.01 - spacing.last - (time.perf_counter() - spacing.began)
    assert needed > 2
    spacing.began -= needed - 2
    assert not spacing.allows()
    spacing.began -= 2
    assert spacing.allows()


def test_starting_again_forgives_what_was_spent():
    spacing = Throttle(0.01)
    with spacing.check():
        busy(0.02)
    assert not spacing.allows()
    spacing.start()
    assert spacing.spent == 0.0


def test_with_the_whole_time_every_check_is_allowed():
    spacing = Throttle(1.0)
    for _ in range(5):
        assert spacing.allows()
        with spacing.check():
            busy(0.002)
