from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fresh.changed import KINDS, OTHER_UNITS, Pair, dense, lines, main, pairs, rewritten, unfinished
from benchmarks.fresh.judge import Judged, Outcome, judged_run
from benchmarks.fresh.labels import Answer
from diagnostics import Curve, Run
from diagnostics.readers.tabular.rows import Row

HEALTHY = Answer("healthy", frozenset({"healthy"}), frozenset(), 0, {})
STEPS = 10.0 * np.arange(1, 61)
LOSS = 0.6 + 2.8 * (1.0 + np.arange(1, 61)) ** -0.8


def run() -> Run:
    return Run("run", {"train_loss": Curve(STEPS, LOSS), "eval_loss": Curve(STEPS[4::5], LOSS[4::5])})


def other(kind: str) -> Run:
    return KINDS[kind](run())


def test_an_average_follows_the_loss_and_a_running_mean_lags_behind_it():
    by = {kind: other(kind).curves["train_loss"].values for kind in ("EMA of the loss", "running mean, 1 epoch")}
    assert all(values[0] == LOSS[0] and np.all(values[1:] > LOSS[1:]) for values in by.values())
    assert by["running mean, 1 epoch"][-1] == pytest.approx(LOSS.mean())
    assert other("running mean, 4 epochs").curves["train_loss"].values[-1] == pytest.approx(LOSS[45:].mean())


def test_units_and_counts_change_what_they_say():
    assert other("in bits").curves["eval_loss"].values[0] == pytest.approx(LOSS[4] / np.log(2))
    assert other("perplexity called loss").curves["train_loss"].values[0] == pytest.approx(np.exp(LOSS[0]))
    assert other("perplexity").curves["train_loss"].values == pytest.approx(LOSS)
    assert other("steps in epochs").last_step == pytest.approx(3.0)
    assert set(KINDS) >= OTHER_UNITS


def test_one_value_is_not_finite_and_the_run_goes_on():
    curve = other("one nan").curves["train_loss"]
    assert (len(curve), curve.broken) == (59, (210.0,))


def test_rows_are_read_as_any_log_is():
    for kind in ("last row twice", "summary row", "rows out of order", "constant columns", "second held-out set"):
        for name, curve in run().curves.items():
            again = other(kind).curves[name]
            assert again.steps.tolist() == curve.steps.tolist(), kind
            assert again.values.tolist() == curve.values.tolist(), kind
    again = other("crash and resume")
    assert again.discontinuities == (280.0,)
    assert again.curves["train_loss"].steps.tolist() == STEPS.tolist()


def test_the_settings_that_were_known_stay():
    def none(rows: list[Row]) -> list[Row]:
        return rows

    planned = unfinished(run())
    assert planned.settings.max_steps == 600
    assert planned.last_step == 540.0
    assert rewritten(planned, none).settings == planned.settings


def test_logs_are_lost_and_added_where_the_kind_says():
    seldom = other("seldom at first").curves["train_loss"].steps
    assert seldom[:2].tolist() == [40.0, 80.0]
    assert np.diff(seldom)[-1] == 10.0
    assert other("first log missing").curves["train_loss"].steps[0] == 20.0
    many = dense(run()).curves["train_loss"]
    assert len(many) == 50 * 60
    assert many.steps[-1] == 600.0
    assert np.all(np.diff(many.steps) > 0)


def test_evaluations_are_made_elsewhere():
    assert other("two evaluations").curves["eval_loss"].steps.tolist() == [300.0, 600.0]
    assert other("evaluated at step 0").curves["eval_loss"].steps[0] == 0.0
    assert other("evaluated between").curves["eval_loss"].steps[0] == 75.0


def said(label: str, outcome: Outcome) -> Judged:
    return Judged("", "run", HEALTHY, label, None, 0.9, None, outcome)


def test_a_label_is_the_same_only_where_both_logs_have_one():
    healthy, sick, none = (
        said("healthy", Outcome.RIGHT),
        said("overfit", Outcome.WRONG),
        said("unknown", Outcome.REFUSED),
    )
    seen = [Pair(healthy, healthy), Pair(healthy, sick), Pair(healthy, none)]
    assert list(lines({"EMA": seen}))[1].endswith("1 of 2")


def test_another_unit_may_be_called_broken():
    before = [judged_run("", "run", HEALTHY, run())]
    for kind, accepted in (("sum over 10", True), ("one nan", False)):
        (pair,) = pairs([(run(), HEALTHY)], before, kind)
        assert ("broken" in pair.now.answer.acceptable) is accepted


def test_kept_runs_are_judged_as_each_kind_of_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for name, logs in (("log.csv", 60), ("few.csv", 7)):
        with (tmp_path / name).open("w") as file:
            csv.writer(file).writerows([("step", "loss"), *zip(STEPS[:logs], LOSS[:logs], strict=True)])
    rows = [{"style": "scripts", "path": name, "label": HEALTHY.to_dict()} for name in ("log.csv", "few.csv")]
    (tmp_path / "labels.json").write_text(json.dumps({"seed": 0, "runs": rows}))
    assert main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line[:24].strip() for line in printed] == ["", *KINDS]
    assert {line[24:30].strip() for line in printed[1:]} == {"1"}
