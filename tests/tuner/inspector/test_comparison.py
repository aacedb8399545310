from pathlib import Path

from tests.tuner.inspector.material import write_csv, write_fine_run, write_overfit_run
from tuner.inspector.comparison import (
    differences,
    legend_names,
    overlay,
    reach,
    shared_axes,
    shared_curves,
    verdict_rows,
)
from tuner.inspector.figure import View
from tuner.inspector.folder import Folder, Opened


def opened(folder: Path) -> list[Opened]:
    shown = Folder(folder)
    return [run for run_id in shown.runs() if isinstance(run := shown.open(run_id), Opened)]


def test_only_settings_that_differ_are_named(tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a", rate=1e-4)
    write_fine_run(tmp_path / "b", rate=3e-4)
    (found,) = [d for d in differences(opened(tmp_path)) if d.knob == "learning_rate"]
    assert found.texts() == ("1e-4", "3e-4")
    write_fine_run(tmp_path / "b", rate=1e-4)
    assert differences(opened(tmp_path)) == []


def test_a_log_that_does_not_say_differs(tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a")
    write_overfit_run(tmp_path / "b.csv")
    (found,) = [d for d in differences(opened(tmp_path)) if d.knob == "learning_rate"]
    assert found.texts()[1] == "–"


def test_an_overlay_has_a_line_for_each_run_that_logged_the_curve(tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a")
    write_overfit_run(tmp_path / "b.csv")
    write_csv(tmp_path / "c.csv", {"train_loss": [(k, 1.0) for k in range(1, 9)]})
    runs = opened(tmp_path)
    picture = overlay(runs, "eval_loss", View(smoothing=0))
    assert [line.name for line in picture.lines] == ["0", "1"]
    assert picture.title == "eval_loss"
    assert picture.extent == reach(runs, "eval_loss", "step") == (10, 120)
    assert shared_curves(runs)[:2] == ["eval_loss", "train_loss"]
    assert shared_axes(runs) == ("step",)
    assert shared_axes(runs[:1]) == ("step", "epoch", "num_tokens")


def test_twenty_runs_draw_hardly_more_points_than_one(tmp_path: Path) -> None:
    for seed in range(20):
        write_csv(tmp_path / f"{seed:02}.csv", {"train_loss": [(k, k % 7 + seed) for k in range(1, 2001)]})
    runs = opened(tmp_path)
    assert overlay(runs, "train_loss", View(smoothing=0, points=2000)).shown <= 20 * 210


def test_names_in_the_legend_are_short_and_tell_the_runs_apart(tmp_path: Path) -> None:
    for end in ("x", "y"):
        write_overfit_run(tmp_path / f"{'long-name-' * 6}{end}.csv")
    write_overfit_run(tmp_path / "a" / "r.csv")
    names = list(legend_names(opened(tmp_path)).values())
    assert len(set(names)) == 3
    assert all(len(name) <= 28 for name in names)
    assert names[0] == "a/r.csv"


def test_the_verdicts_stand_side_by_side(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "b.csv")
    (row,) = verdict_rows(opened(tmp_path))
    assert (row["run"], row["best eval_loss"], row["steps"]) == ("b.csv", "1.5", "120")
