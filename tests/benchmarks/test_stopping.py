from __future__ import annotations

import math

import optuna
import pytest

from benchmarks.search.stopping import Stop, main, regret_of, seeds_differ, stop_of, stopped_after
from benchmarks.search.table import Judge, Table
from diagnostics.model.curves import Run
from diagnostics.model.settings import Settings
from tuner.search.trial_view import TrialView

RATES = tuple(10 ** (-5 + k / 2) for k in range(7))


def run(rate: float, warmup: float, seed: int) -> Run:
    """A run on a bowl of the rate, whose seeds differ by 1 %."""
    end = 1 + 0.1 * (math.log10(rate) + 3.5) ** 2 + 0.1 * warmup + 0.01 * seed
    points = [(step, end + (3 - end) * math.exp(-step / 20)) for step in range(0, 101, 10)]
    settings = Settings(method="sft", learning_rate=rate, warmup_ratio=warmup, max_steps=100)
    return Run.from_points(f"{rate} {warmup}", {"train_loss": points, "eval_loss": points}, settings=settings)


@pytest.fixture(scope="module")
def table() -> Table:
    axes = {"learning_rate": RATES, "warmup_ratio": (0.0, 0.1)}
    runs = {
        (("learning_rate", rate), ("warmup_ratio", warmup)): {seed: run(rate, warmup, seed) for seed in range(3)}
        for rate in RATES
        for warmup in (0.0, 0.1)
    }
    return Table("made-up", axes, runs)


@pytest.mark.long
def test_a_study_of_a_bowl_stops_and_has_lost_nothing(table: Table):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    stop = stop_of(table, Judge(table), "30 times too low", 0)
    assert stop.trials is not None and 8 <= stop.trials < 40
    assert stop.regret <= 0.01
    assert abs(stop.gained(40)) <= seeds_differ(table)
    assert stop == stop_of(table, Judge(table), "30 times too low", 0)


def test_what_going_on_gains_is_nothing_for_a_study_that_went_on():
    stop = Stop("a", "b", 0, 30, 0.02, {24: 0.03, 40: 0.005})
    assert stop.gained(40) == pytest.approx(0.015)
    assert stop.gained(24) == 0.0
    assert Stop("a", "b", 0, None, 0.02, {40: 0.02}).gained(40) == 0.0


def test_the_regret_is_that_of_the_trial_held_for_the_best(table: Table):
    places = [dict(at) for at in (table.best, table.nearest({"learning_rate": 1e-5, "warmup_ratio": 0.1}))]
    trials = [TrialView(0, places[1], 1.0), TrialView(1, places[0], 2.0)]
    assert regret_of(trials, table) == pytest.approx(table.regret(tuple(places[1].items())))
    assert regret_of([TrialView(0, places[0], None, diverged=True)], table) == 0.0


def test_few_trials_never_stop(table: Table):
    trials = [TrialView(n, {"learning_rate": rate, "warmup_ratio": 0.0}, 1.0) for n, rate in enumerate(RATES)]
    assert stopped_after(trials, table.space) is None


def test_an_unknown_table_is_one_line():
    with pytest.raises(SystemExit, match="no such table"):
        main(["--tables", "nosuch", "--seeds", "1"])
