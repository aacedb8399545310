from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.fresh.labels import Answer
from benchmarks.fresh.partial import KINDS, kept, looks, main, short
from diagnostics import Curve, Run

HEALTHY = Answer("healthy", frozenset({"healthy"}), frozenset(), 0, {})


def run(logs: int = 100, evals: int = 20) -> Run:
    steps = 10.0 * np.arange(1, logs + 1)
    loss = 0.6 + 2.8 * (1.0 + 60.0 * np.arange(1, logs + 1) / logs) ** -0.8
    curves = {"train_loss": Curve(steps, loss)}
    if evals:
        every = logs // evals
        curves["eval_loss"] = Curve(steps[every - 1 :: every], loss[every - 1 :: every])
    return Run("run", curves)


def test_short_logs_hold_six_to_eleven_points_and_end_where_the_run_ends():
    of = [(len(part.curves["train_loss"]), len(part.curves.get("eval_loss", ()))) for part in short(run(), mean=True)]
    assert of == [(6, 0), (6, 2), (6, 4), (8, 0), (8, 2), (10, 0)]
    for part in short(run(), mean=False):
        assert all(curve.steps[-1] == 1000.0 and np.all(np.diff(curve.steps) > 0) for curve in part.curves.values())


def test_a_short_log_holds_the_mean_of_its_part_or_its_last_batch():
    whole = run().curves["train_loss"].values
    mean, last = (next(short(run(), mean=by)).curves["train_loss"].values for by in (True, False))
    assert mean[-1] == pytest.approx(whole[84:].mean())
    assert last[-1] == whole[-1]
    assert not list(short(run(logs=11, evals=0), mean=True))


def test_a_resumed_log_lacks_its_first_part():
    (late,) = KINDS["without the first 25%"](run())
    assert [curve.steps[0] for curve in late.curves.values()] == [250.0, 250.0]


def test_a_run_under_way_has_a_share_of_its_steps_and_knows_how_many_it_will_have():
    (under_way,) = KINDS["at 50% of its steps"](run())
    assert {curve.steps[-1] for curve in under_way.curves.values()} == {500.0}
    assert under_way.settings.max_steps == 1000


def test_looks_are_counted_by_the_chance_they_give():
    head, line = looks({"short": [(0.1, False), (0.6, True), (0.65, False), (0.95, True)]})
    assert " ".join(line.split()) == "short 0 of 1 0 of 0 1 of 2 0 of 0 0 of 0 1 of 1"
    assert "0.9 to 1" in head


def test_kept_runs_are_judged_as_each_kind_of_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    curve = run().curves["train_loss"]
    with (tmp_path / "log.csv").open("w") as file:
        csv.writer(file).writerows([("step", "loss"), *zip(curve.steps, curve.values, strict=True)])
    rows = [{"style": "scripts", "path": name, "label": HEALTHY.to_dict()} for name in ("log.csv", "none.csv")]
    (tmp_path / "labels.json").write_text(json.dumps({"seed": 0, "runs": rows}))
    assert [label.name for _, label in kept(tmp_path)] == ["healthy"]
    assert main([str(tmp_path)]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line[:24].strip() for line in printed] == ["", *KINDS, "", "the look gives it", *KINDS]
    assert [line.split()[-1] for line in printed[1:2]] == ["1"]
