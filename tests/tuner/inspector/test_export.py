import csv
import io
from pathlib import Path

from diagnostics.model.curves import Curve, Run
from tests.tuner.inspector.material import write_csv, write_overfit_run
from tuner.inspector.chart.export import as_csv, as_drawing, as_long_csv, as_page
from tuner.inspector.runs.folder import Folder, Opened


def test_the_csv_holds_every_point_and_every_gap() -> None:
    curves = {
        "train_loss": Curve.from_points([1, 2, 3], [3.0, float("nan"), 1.0]),
        "eval_loss": Curve.from_points([2.5], [0.1 + 0.2]),
    }
    rows = list(csv.reader(io.StringIO(as_csv(Run("a", curves)))))
    assert rows == [
        ["step", "train_loss", "eval_loss"],
        ["1", "3.0", ""],
        ["2", "nan", ""],
        ["2.5", "", "0.30000000000000004"],
        ["3", "1.0", ""],
    ]


def test_no_column_is_a_formula_and_every_name_is_one_cell() -> None:
    run = Run("a", {"=1+1": Curve.from_points([1], [1]), 'a,"b"\nc': Curve.from_points([1], [2])})
    assert next(csv.reader(io.StringIO(as_csv(run)))) == ["step", "'=1+1", 'a,"b"\nc']


def test_the_page_tells_the_verdict_of_each_run(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    opened = Folder(tmp_path).open("a.csv")
    assert isinstance(opened, Opened)
    page = as_page([opened])
    assert page.lower().startswith("<!doctype html>")
    assert str(opened.diagnosis.label) in page


def test_the_points_of_several_runs_are_one_row_each_in_order(tmp_path: Path) -> None:
    write_csv(tmp_path / "=a.csv", {"train_loss": [(1, 0.5), (2, float("nan")), (3, 0.25)]})
    write_csv(tmp_path / "b.csv", {"eval_loss": [(2, 1.0), (4, 2.0)]})
    folder = Folder(tmp_path)
    runs = [one for run_id in sorted(folder.runs()) if isinstance(one := folder.open(run_id), Opened)]
    assert list(csv.reader(io.StringIO(as_long_csv(runs)))) == [
        ["run", "curve", "step", "value"],
        ["'=a.csv", "train_loss", "1", "0.5"],
        ["'=a.csv", "train_loss", "2", "nan"],
        ["'=a.csv", "train_loss", "3", "0.25"],
        ["b.csv", "eval_loss", "2", "1.0"],
        ["b.csv", "eval_loss", "4", "2.0"],
    ]


def test_the_drawing_stands_alone(tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    opened = Folder(tmp_path).open("a.csv")
    assert isinstance(opened, Opened)
    drawing = as_drawing(opened)
    assert drawing.startswith("<svg")
    assert "prefers-color-scheme:dark" in drawing
