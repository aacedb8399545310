import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diagnostics.formatting import number
from diagnostics.model.curves import Curve
from diagnostics.model.settings import Settings
from tests.tuner.inspector.material import write_csv, write_fine_run, write_overfit_run
from tuner.inspector.chart.comparison import signed, verdict_rows
from tuner.inspector.chart.difference import rises, standings
from tuner.inspector.chart.legend import legend_names
from tuner.inspector.chart.overlay import averaged, difference
from tuner.inspector.chart.seed_groups import BANDS, groups, spread
from tuner.inspector.chart.series import View
from tuner.inspector.chart.vega_data import tables
from tuner.inspector.chart.vega_spec import spec
from tuner.inspector.runs.folder import Folder, Opened

RAW = View(smoothing=0)


def opened(folder: Path) -> list[Opened]:
    shown = Folder(folder)
    return [run for run_id in sorted(shown.runs()) if isinstance(run := shown.open(run_id), Opened)]


def with_curve(one: Opened, *points: tuple[float, float]) -> Opened:
    steps, values = zip(*points, strict=True)
    return replace(one, run=replace(one.run, curves={"eval_loss": Curve.from_points(steps, values)}))


@pytest.fixture
def flat(tmp_path: Path) -> Opened:
    write_overfit_run(tmp_path / "flat.csv")
    return opened(tmp_path)[0]


def test_runs_that_differ_in_the_seed_alone_are_one_group(tmp_path: Path) -> None:
    for seed in range(3):
        folder = write_fine_run(tmp_path / f"a-seed-{seed}", seed=seed)
        (folder / "config.yaml").write_text(f"method: sft\nseed: {seed}\ndataset_name: d.jsonl\n")
    for seed in range(2):
        write_fine_run(tmp_path / f"b-{seed}", seed=seed, rate=1e-3)
    found = groups(opened(tmp_path))
    assert [(group.name, group.places) for group in found] == [("a (3 runs)", (0, 1, 2)), ("b (2 runs)", (3, 4))]


def test_another_data_set_is_another_group(tmp_path: Path) -> None:
    for name in "ab":
        folder = write_fine_run(tmp_path / name)
        (folder / "config.yaml").write_text(f"method: sft\ndataset_name: {name}.jsonl\n")
    assert [group.name for group in groups(opened(tmp_path))] == ["a", "b"]


def test_logs_that_tell_no_settings_stand_alone(tmp_path: Path) -> None:
    for name in "ab":
        write_csv(tmp_path / f"{name}.csv", {"train_loss": [(k, 1.0) for k in range(1, 9)]})
    assert [group.places for group in groups(opened(tmp_path))] == [(0,), (1,)]


def test_groups_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    for n, rate in enumerate((1e-4, 1e-4, 2e-4, 2e-4)):
        write_fine_run(tmp_path / f"run-{n}", rate=rate)
    assert [group.name for group in groups(opened(tmp_path))] == ["run (2 runs), 1", "run (2 runs), 2"]


def test_the_mean_and_band_of_curves_logged_at_different_steps(flat: Opened) -> None:
    runs = [with_curve(flat, (0, 0), (10, 10)), with_curve(flat, (0, 2), (5, 7), (20, 22))]
    found = spread("a", runs, "eval_loss", RAW)
    assert found is not None
    assert found.x.tolist() == [0, 5, 10]  # as far as both reach
    assert found.mean.tolist() == [1, 6, 11]
    assert (found.low.tolist(), found.high.tolist(), found.runs) == ([0, 5, 10], [2, 7, 12], 2)
    deviation = spread("a", runs, "eval_loss", RAW, BANDS[1])
    assert deviation is not None
    assert (deviation.high - deviation.mean).tolist() == pytest.approx([np.sqrt(2)] * 3)


def test_the_band_of_one_run_is_its_curve_and_runs_without_the_curve_do_not_count(flat: Opened) -> None:
    one = with_curve(flat, (1, 3), (2, 1))
    found = spread("a", [one, with_curve(flat, (1, float("nan")))], "eval_loss", RAW, BANDS[1])
    assert found is not None
    assert (found.runs, found.low.tolist(), found.high.tolist()) == (1, [3, 1], [3, 1])
    assert spread("a", [one], "no_such", RAW) is None
    assert spread("a", [one, with_curve(flat, (7, 1), (9, 1))], "eval_loss", RAW) is None


def test_a_part_of_the_axis_and_a_thinned_grid(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", {"train_loss": [(k, k % 7) for k in range(1, 5001)]})
    runs = opened(tmp_path)
    whole = spread("a", runs, "train_loss", RAW)
    assert whole is not None
    assert whole.x.size <= 400
    assert (whole.x[0], whole.x[-1]) == (1, 5000)
    part = spread("a", runs, "train_loss", replace(RAW, between=(100, 110)))
    assert part is not None
    assert part.x.tolist() == list(range(100, 111))


def test_the_difference_is_taken_at_equal_places_of_the_axis(flat: Opened) -> None:
    runs = [with_curve(flat, (0, 0), (10, 10)), with_curve(flat, (0, 1), (4, 5), (20, 25))]
    (line,) = difference(runs, 0, "eval_loss", RAW).chart.series
    assert line.name == legend_names(runs)[1]
    assert line.x.tolist() == [0, 4, 10]
    assert line.y.tolist() == pytest.approx([1, 1, 2.5])
    (back,) = difference(runs, 1, "eval_loss", RAW).chart.series
    assert back.y.tolist() == pytest.approx([-1, -1, -2.5])


def test_last_and_best_values_stand_against_the_baseline(flat: Opened) -> None:
    runs = [with_curve(flat, (1, 2.0), (2, 1.0), (3, 1.5)), with_curve(flat, (1, 2.0), (2, 1.2)), flat]
    first, second, _ = standings(runs, 0, "eval_loss")
    assert (first.best, first.last, first.best_difference) == (1.0, 1.5, 0.0)
    assert second.best_difference == pytest.approx(0.2)
    assert second.last_difference == pytest.approx(-0.3)
    assert standings(runs, 0, "no_such")[1].best_difference is None
    rows = verdict_rows(runs, "eval_loss", 0)
    assert [row["vs. baseline"] for row in rows[:2]] == ["baseline", "+0.2"]
    assert rows[1]["final vs. baseline"] == "−0.3"
    assert (signed(None), signed(0.0)) == ("–", "0")


def test_an_accuracy_is_best_where_it_is_highest(flat: Opened) -> None:
    curves = {"eval_rewards_accuracies": Curve.from_points([1, 2], [0.9, 0.5])}
    (found,) = standings([replace(flat, run=replace(flat.run, curves=curves))], 0, "eval_rewards_accuracies")
    assert found.best == 0.9
    assert not rises("eval_loss")


@pytest.mark.parametrize("view", [RAW, View(smoothing=0.5, log_x=True, log_y=True)])
def test_the_charts_hold_the_numbers(tmp_path: Path, view: View) -> None:
    for seed in range(2):
        write_fine_run(tmp_path / f"{seed}", seed=seed)
    runs = opened(tmp_path)
    found = spread("both", runs, "train_loss", view)
    assert found is not None
    drawn = tables(averaged(runs, "train_loss", view), view)
    assert drawn["line0"]["y"].tolist() == found.mean.tolist()
    assert drawn["ribbon0"]["high"].tolist() == found.high.tolist()
    apart = difference(runs, 0, "train_loss", RAW)
    assert tables(apart, RAW)["line0"]["curve"].unique().tolist() == ["1"]
    assert "'datum': 0" in str(spec(apart.chart, RAW, legend=True, zero=True))
    assert apart.crosshair[0][1].splitlines()[1] == f"1  {number(float(apart.chart.series[0].y[0]))}"


def test_means_have_a_line_for_each_group_and_a_band_where_it_has_several_runs(tmp_path: Path) -> None:
    for seed in range(2):
        write_fine_run(tmp_path / f"a-{seed}", seed=seed)
    write_overfit_run(tmp_path / "other.csv")
    runs = opened(tmp_path)
    made = averaged(runs, "eval_loss", RAW)
    assert [line.name for line in made.chart.series] == ["a (2 runs)", "other.csv"]
    line, other = made.chart.series
    assert other.low.size == 0
    assert (line.low <= line.y).all() and (line.y <= line.high).all()
    mean, low, high = (number(float(part[0])) for part in (line.y, line.low, line.high))
    assert made.crosshair[0][1].splitlines()[1] == f"a (2 runs)  {mean} ({low} to {high})"
    assert averaged(runs, "no_such", RAW).chart.drawn == 0


def test_on_a_log_axis_a_band_stays_above_0(flat: Opened) -> None:
    one = with_curve(flat, (1, 0.5), (2, 4.0), (3, -9.0))
    other = with_curve(flat, (1, -0.25), (2, 2.0), (3, 1.0))
    same = [replace(run, run=replace(run.run, settings=Settings(learning_rate=1e-4))) for run in (one, other)]
    made = averaged(same, "eval_loss", replace(RAW, log_y=True))
    (line,) = made.chart.series
    assert (line.x.tolist(), line.y.tolist(), line.hidden) == ([1, 2], [0.125, 3], 1)
    assert line.low.tolist() == [0.125, 2]


def test_runs_that_grow_change_the_tables_and_not_the_chart_of_means(tmp_path: Path) -> None:
    """The browser keeps its zoom as long as the specification is the same text."""
    drawn = []
    for points in (120, 160):
        for seed in range(2):
            write_fine_run(tmp_path / f"a-{seed}", points, seed)
        drawn.append(averaged(opened(tmp_path), "train_loss", RAW))
    first, second = (json.dumps(spec(made.chart, RAW, legend=True)) for made in drawn)
    assert first == second
    assert [tables(made, RAW)["ribbon0"]["x"].max() for made in drawn] == [120, 160]
