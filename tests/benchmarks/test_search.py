from __future__ import annotations

import math
from itertools import pairwise

import optuna
import pytest

from benchmarks.search.advice import best_rate, can_help, outcome, target, times_off
from benchmarks.search.grids import GRIDS
from benchmarks.search.replay import STARTS, Course, paid_until, paid_until_tied, paid_until_trained, replay, start_of
from benchmarks.search.stopped import worse_runs
from benchmarks.search.strategies import OURS, STRATEGIES
from benchmarks.search.table import Judge, Table, cut, load, load_all
from diagnostics.model.curves import Run
from diagnostics.model.records import Advice
from diagnostics.model.settings import Settings

OURS_ALONE = next(one for one in STRATEGIES if one.name == OURS)
RATES = (1e-5, 1e-4, 1e-3, 1e-2)
ENDS = {1e-5: 2.0, 1e-4: 1.5, 1e-3: 1.0, 1e-2: 1.2}
STEPS = range(0, 101, 10)


def run(rate: float, batch: float, seed: int = 0) -> Run:
    """A run that falls to an end that its rate and batch decide; seeds differ by 0.2 %."""
    end = ENDS[rate] + 0.01 * batch + 0.002 * seed
    points = [(step, end + (3 - end) * math.exp(-step / 20)) for step in STEPS]
    settings = Settings(method="sft", learning_rate=rate, batch_size=int(batch), max_steps=100)
    return Run.from_points(f"{rate} {batch}", {"train_loss": points, "eval_loss": points}, settings=settings)


@pytest.fixture(scope="module")
def table() -> Table:
    axes = {"learning_rate": RATES, "batch_size": (4.0, 8.0)}
    runs = {
        (("learning_rate", rate), ("batch_size", batch)): {seed: run(rate, batch, seed) for seed in range(2)}
        for rate in RATES
        for batch in (4.0, 8.0)
    }
    return Table("made-up", axes, runs)


def test_the_best_setting_and_the_regret_of_another(table: Table):
    assert dict(table.best) == {"learning_rate": 1e-3, "batch_size": 4.0}
    other = table.nearest({"learning_rate": 2e-3, "batch_size": 8.0})
    assert dict(other) == {"learning_rate": 1e-3, "batch_size": 8.0}
    assert table.regret(other) == pytest.approx(0.04 / table.truths[table.best], rel=0.05)


def test_the_noise_is_that_of_seeds(table: Table):
    assert table.noise_at(table.best) == pytest.approx(0.002 / math.sqrt(2), rel=0.05)


def test_a_metric_of_which_more_is_better_is_turned_round(table: Table):
    assert dict(table.judged_by("eval_loss", -1.0).best)["learning_rate"] == 1e-5


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s.name != "CMA-ES"], ids=lambda s: s.name)
@pytest.mark.parametrize("offset", STARTS.values())
def test_every_strategy_starts_alike_and_pays_what_it_trains(table: Table, strategy, offset: int):
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    points = replay(table, Judge(table), strategy, offset, seed=1, trials=6)
    assert dict(points[0].setting) == dict(table.nearest(start_of(table, offset)))
    paid = [after.paid - before.paid for before, after in pairwise(points)]
    assert all(0 < share < 1 + 1e-9 for share in paid)  # sums are rounded
    assert min(point.regret for point in points) <= points[0].regret
    assert points == replay(table, Judge(table), strategy, offset, seed=1, trials=6)


def test_a_study_may_be_shown_a_setting_first(table: Table):
    points = replay(table, Judge(table), OURS_ALONE, -2, seed=0, trials=3, then=[table.best])
    assert points[1].setting == table.best != points[0].setting
    assert points[2].setting not in (points[0].setting, points[1].setting)


def test_runs_whose_settings_are_no_good_are_counted_with_what_they_paid(table: Table):
    found = worse_runs(table, seeds=1, trials=5)
    assert found and all(number > 0 and 0 < share <= 1 for number, share in found)
    assert min(share for _, share in found) < 1
    assert not worse_runs(Table("alike", table.axes, dict.fromkeys(table.runs, table.runs[table.best])), 1, 5)


def test_what_is_paid_until_the_best_is_within_a_share_of_it():
    course = Course((1, 1.4, 2.4, 3), (0.5, 0.02, 0.004, 0.004), (0.5, 0.009, 0.004, 0.004), (0.01, 0.0, 0.0, 0.0))
    assert paid_until(course, 0.01) == 2.4
    assert paid_until(course, 0.03) == 1.4
    assert paid_until(course, 0.003) == math.inf
    assert paid_until_trained(course, 0.01) == 1.4
    assert paid_until_trained(course, 0.003) == math.inf
    assert paid_until_tied(course, 0.01) == 1
    assert paid_until_tied(course, 0.003) == 1.4


def test_a_study_trains_with_one_seed(table: Table):
    assert table.run(table.best, 0) is table.runs[table.best][0]
    assert table.run(table.best, 3) is table.runs[table.best][1]


def test_a_cut_run_knows_nothing_of_what_came_later(table: Table):
    part = cut(next(iter(table.runs[table.best].values())), 0.5)
    assert part.last_step == 50
    assert all(curve.steps[-1] <= 50 for curve in part.curves.values())


def test_an_advised_move_goes_to_the_grids_value_on_that_side(table: Table):
    low = table.nearest({"learning_rate": 1e-5, "batch_size": 4.0})
    tripled = Advice("learning_rate", 1e-5, 3e-5, 3.0, "rate-too-low", "", 0.8, "")
    up = target(table, low, tripled)
    assert up is not None
    assert dict(up)["learning_rate"] == 1e-4
    assert outcome(table, low, up) == "helped"
    assert outcome(table, up, low) == "hurt"
    assert outcome(table, low, low) == "no change"
    assert target(table, table.nearest({"learning_rate": 1e-2, "batch_size": 4.0}), tripled) is None


def test_how_far_a_rate_lies_off_the_best_for_its_batch(table: Table):
    low = table.nearest({"learning_rate": 1e-5, "batch_size": 8.0})
    assert best_rate(table, low) == 1e-3
    assert times_off(table, low) == pytest.approx(100)


def test_no_advice_can_help_where_the_best_rate_ends_within_the_noise(table: Table):
    high = table.nearest({"learning_rate": 1e-2, "batch_size": 8.0})
    assert can_help(table, high)
    assert not can_help(table, table.nearest({"learning_rate": 1e-3, "batch_size": 8.0}))
    shaken = {at: {0: by_seed[0], 1: run(1e-5, 8.0)} for at, by_seed in table.runs.items()}
    assert not can_help(Table("noisy", table.axes, shaken), high)


@pytest.mark.parametrize("grid", GRIDS.values(), ids=lambda grid: grid.name)
def test_the_packed_tables_hold_every_setting_and_three_seeds_near_the_best(grid):
    table = load(grid)
    assert set(table.runs) == set(grid.settings())
    assert len(table.runs[table.best]) >= 3
    assert all(math.isfinite(value) for value in table.truths.values())


def test_the_packed_tables_are_small():
    assert sum(grid.table.stat().st_size for grid in GRIDS.values()) <= 10_000_000
    assert len(load_all()) == 9
