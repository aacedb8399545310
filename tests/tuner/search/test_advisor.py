from __future__ import annotations

from collections.abc import Sequence

import pytest
from optuna.distributions import FloatDistribution

from tuner.search.advisor import next_move
from tuner.search.record import Tried

SPACE = {"learning_rate": FloatDistribution(1e-7, 1e-3, log=True)}
UP = {"knob": "learning_rate", "old": None, "new": None, "factor": 3.0, "because": "preferences-not-learned"}


def runs(*known: tuple[float, float, Sequence[dict]]) -> list[Tried]:
    """Trials of (rate, loss, advice)."""
    return [
        Tried(number, {"learning_rate": rate}, loss, advice=tuple(advice), moved_by="advice:x", parent=number - 1)
        for number, (rate, loss, advice) in enumerate(known)
    ]


def proposed(trials: list[Tried]) -> float:
    move = next_move(trials, SPACE)
    assert move is not None
    return float(move.settings["learning_rate"])


def test_a_run_that_has_not_begun_to_learn_is_climbed_on_from_though_chance_made_it_worse():
    trials = runs((5e-7, 0.6874, [UP]), (1.5e-6, 0.6931, [UP]))
    assert proposed(trials) == pytest.approx(4.5e-6)
    assert next_move(trials, SPACE).parent == 1


def test_a_clearly_worse_run_is_not_climbed_on_from():
    assert proposed(runs((5e-7, 0.6874, [UP]), (1.5e-6, 0.75, [UP]))) < 1.5e-6


def test_the_climb_ends_where_the_verdict_no_longer_points_up():
    assert proposed(runs((5e-7, 0.6874, [UP]), (1.5e-6, 0.6931, []))) < 1.5e-6


def test_the_climb_stays_inside_the_space():
    assert proposed(runs((3e-4, 0.6874, [UP]), (9e-4, 0.6931, [UP]))) == pytest.approx(1e-3)
