from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Diagnosis, Finding, Label
from tuner.inspector.runs.row import Row, counts, row, unreadable_row

ROWS = [
    Row("trial-10", "trial-10", "healthy", best_eval_loss=1.2, last_step=50, written=30),
    Row("trial-2", "trial-2", "overfit", "eval-loss-rises", best_eval_loss=1.5, last_step=80, written=20),
    Row("lr=1e-4.csv", "lr=1e-4.csv", "unstable", "spikes", last_step=10, written=10),
    unreadable_row("bad.csv", "bad.csv", "no rows", 5),
]


def ids(rows: list[Row]) -> list[str]:
    return [row.id for row in rows]


def test_a_row_tells_the_verdict_its_cause_and_the_lowest_eval_loss() -> None:
    curves = {"train_loss": Curve.from_points([1, 2, 3], [3, 2, 1]), "eval_loss": Curve.from_points([1, 3], [2.5, 1.5])}
    finding = Finding("eval-loss-rises", Label.OVERFIT, 1, 3, {}, "It rises.")
    found = row("a", "a", Run("a", curves), Diagnosis("a", Label.OVERFIT, "eval-loss-rises", 0.9, 1, (finding,)), 7.0)
    assert (found.label, found.cause, found.message) == ("overfit", "eval-loss-rises", "It rises.")
    assert (found.best_eval_loss, found.best_step, found.last_step, found.written) == (1.5, 1, 3, 7.0)
    assert found.spark == (3.0, 2.0, 1.0)


def test_a_row_of_a_run_without_a_loss_has_gaps_and_no_error() -> None:
    found = row("a", "a", Run("a", {}), Diagnosis("a", Label.UNKNOWN, None, 0.0, None), 0.0)
    assert (found.best_eval_loss, found.spark, found.last_step) == (None, (), 0.0)


def test_counts_name_only_what_is_there() -> None:
    assert counts(ROWS) == {"unstable": 1, "overfit": 1, "healthy": 1, "unreadable": 1}
