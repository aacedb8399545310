import csv
import io
from pathlib import Path

from diagnostics.curves import Curve, Run
from tests.tuner.inspector.material import write_overfit_run
from tuner.inspector.export import as_csv, as_page
from tuner.inspector.folder import Folder, Opened


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
