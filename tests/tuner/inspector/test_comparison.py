import json
from pathlib import Path

from tests.tuner.inspector.material import write_csv, write_fine_run, write_overfit_run
from tuner.inspector.chart.comparison import differences, shared_axes, shared_curves, verdict_rows
from tuner.inspector.chart.legend import legend_names
from tuner.inspector.chart.overlay import overlay, reach
from tuner.inspector.chart.series import View
from tuner.inspector.chart.vega_data import tables
from tuner.inspector.chart.vega_spec import spec
from tuner.inspector.runs.folder import Folder, Opened


def opened(folder: Path) -> list[Opened]:
    shown = Folder(folder)
    return [run for run_id in shown.runs() if isinstance(run := shown.open(run_id), Opened)]


def test_only_settings_that_differ_are_named(tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a", rate=1e-4)
    write_fine_run(tmp_path / "b", rate=3e-4)
    (found,) = [d for d in differences(opened(tmp_path)) if d.name == "learning_rate"]
    assert found.texts() == ("1e-4", "3e-4")
    write_fine_run(tmp_path / "b", rate=1e-4)
    assert differences(opened(tmp_path)) == []


def test_a_log_that_does_not_say_differs(tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a")
    write_overfit_run(tmp_path / "b.csv")
    (found,) = [d for d in differences(opened(tmp_path)) if d.name == "learning_rate"]
    assert found.texts()[1] == "–"


def test_an_overlay_has_a_line_for_each_run_that_logged_the_curve(tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a")
    write_overfit_run(tmp_path / "b.csv")
    write_csv(tmp_path / "c.csv", {"train_loss": [(k, 1.0) for k in range(1, 9)]})
    runs = opened(tmp_path)
    chart = overlay(runs, "eval_loss", View(smoothing=0)).chart
    assert [line.name for line in chart.series] == legend_names(runs)[:2]
    assert [panel.name for panel in chart.panels] == ["eval_loss"]
    assert (chart.first, chart.last) == reach(runs, "eval_loss", "step") == (10, 120)
    assert shared_curves(runs)[:2] == ["eval_loss", "train_loss"]
    assert shared_axes(runs) == ("step",)
    assert shared_axes(runs[:1]) == ("step", "epoch", "num_tokens")


def test_twenty_runs_draw_hardly_more_points_than_one(tmp_path: Path) -> None:
    for seed in range(20):
        write_csv(tmp_path / f"{seed:02}.csv", {"train_loss": [(k, k % 7 + seed) for k in range(1, 2001)]})
    runs = opened(tmp_path)
    assert overlay(runs, "train_loss", View(smoothing=0, points=2000)).chart.drawn <= 20 * 210


def test_names_in_the_legend_are_short_and_tell_the_runs_apart(tmp_path: Path) -> None:
    for end in ("x", "y"):
        write_overfit_run(tmp_path / f"{'long-name-' * 6}{end}.csv")
    write_overfit_run(tmp_path / "a" / "r.csv")
    names = legend_names(opened(tmp_path))
    assert len(set(names)) == 3
    assert all(len(name) <= 28 for name in names)
    assert names[0] == "a/r.csv"


def test_the_verdicts_stand_side_by_side(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "b.csv")
    (row,) = verdict_rows(opened(tmp_path))
    assert (row["run"], row["best eval_loss"], row["steps"]) == ("b.csv", "1.5", "120")


def test_runs_that_grow_change_the_tables_and_not_the_chart_of_an_overlay(tmp_path: Path) -> None:
    """The browser keeps its zoom as long as the specification is the same text."""
    view, drawn = View(smoothing=0.5), []
    for points in (120, 160):
        write_fine_run(tmp_path / "a", points)
        write_csv(tmp_path / "b.csv", {"train_loss": [(k, 2.0 + k % 2) for k in range(1, 100)]})
        runs = opened(tmp_path)
        drawn.append(overlay(runs, "train_loss", view))
    first, second = drawn
    assert json.dumps(spec(first.chart, view, legend=True)) == json.dumps(spec(second.chart, view, legend=True))
    assert tables(second, view)["line0"]["x"].max() == 160
    assert set(tables(second, view)["raw0"]["curve"]) == {"a", "b.csv"}


def test_a_place_says_what_each_run_logged_there_as_far_as_it_reaches(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", {"train_loss": [(10, 3.0), (20, 2.5), (30, 2.25)]})
    write_csv(tmp_path / "b.csv", {"train_loss": [(15, 4.0), (20, 3.5)]})
    runs = opened(tmp_path)
    says = overlay(runs, "train_loss", View(smoothing=0.5)).crosshair
    assert says == (
        (10, "10 steps\na.csv  3"),
        (15, "15 steps\na.csv  3\nb.csv  4"),
        (20, "20 steps\na.csv  2.5\nb.csv  3.5"),
        (30, "30 steps\na.csv  2.25"),
    )
