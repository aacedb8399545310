"""Verdicts by fits that have not seen a run's task, its kind of task, or people's runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchmarks.fresh.labels import Answer
from benchmarks.fresh.styles import can_tell
from benchmarks.outlook import verdicts
from benchmarks.outlook.known import Known
from benchmarks.outlook.sources import fresh, kept
from diagnostics.outlook.fitted import Fitted
from tests.diagnostics.cases import always

TASKS = ("1-0-counts", "2-0-counts", "1-1-masks", "1-2-classes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of each task with one log that falls and bends, labeled healthy."""
    rows, share = [], np.arange(1, 61) / 60
    for task in TASKS:
        path = tmp_path / task / "0" / "metrics.csv"
        path.parent.mkdir(parents=True)
        losses = [0.6 + 2.8 * (1 + 60 * at) ** -0.8 for at in share]
        path.write_text("step,train_loss\n" + "".join(f"{10 * i},{loss:.4f}\n" for i, loss in enumerate(losses, 1)))
        label = Answer("healthy", frozenset({"healthy"})).to_dict()
        rows.append({"style": "keras-log", "path": f"{task}/0/metrics.csv", "label": label})
    (tmp_path / "labels.json").write_text(json.dumps({"seed": 0, "runs": rows}), "utf-8")
    return tmp_path


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[list[Known]]:
    """What each fit was made of; a fit says of every run that it went ill."""
    seen: list[list[Known]] = []

    def fit(runs: Sequence[Known]) -> Fitted:
        seen.append(list(runs))
        return always("well", 0.1)

    monkeypatch.setattr(verdicts, "fit", fit)
    return seen


def test_a_kept_run_knows_its_task_and_kind(folder: Path):
    assert [(one.task.split("/")[1], one.kind) for one in kept(folder)] == [
        (task, task.split("-")[-1]) for task in TASKS
    ]


@pytest.mark.parametrize("by_kind", [False, True])
def test_every_run_is_judged_once_by_a_fit_without_its_own(folder: Path, fits: list[list[Known]], by_kind: bool):
    known = fresh(folder)
    assert {run.kind for run in known} == {"fresh", "others"}
    found = list(verdicts.of_fresh(known, [folder], by_kind))
    assert sorted(run.path for _, run in found) == sorted(
        f"{task}/0/metrics.csv" for task in TASKS if not (by_kind and "classes" in task)
    )
    assert all(run.said != "healthy" for _, run in found), "by the fit, not by the packaged one"
    for made_of in fits:
        out = {run.task.split("/")[1] for run in known} - {run.task.split("/")[1] for run in made_of}
        assert len({task.split("-")[-1] if by_kind else task for task in out}) <= 1
    assert any("1-0-counts" in line or "all" in line for line in verdicts.lines_of_fresh(found))


def test_overfitting_that_no_log_shows_is_not_judged(folder: Path, tmp_path: Path):
    shown, hidden = tmp_path / "shown.csv", folder / kept(folder)[0].path
    shown.write_text("step,train_loss,val_loss\n" + "".join(f"{i},{2 / i},1.0\n" for i in range(1, 30)))
    overfit, healthy = (Answer(name, frozenset({name})) for name in ("overfit", "healthy"))
    assert [can_tell(overfit, shown), can_tell(overfit, hidden), can_tell(healthy, hidden)] == [True, False, True]


def test_a_kind_is_left_out_only_where_all_of_its_runs_are_known(folder: Path, fits: list[list[Known]]):
    elsewhere = Known("others", "elsewhere/3-0-counts", 0, {})
    with pytest.raises(SystemExit, match="elsewhere/3-0-counts"):
        list(verdicts.of_fresh([elsewhere], [folder], by_kind=True))
    assert not fits


def test_a_look_of_its_own_replaces_the_packaged_one(folder: Path):
    one = kept(folder)[0]
    said = [verdicts.judged(one.style, one.path, one.label, folder, always("well", well)).said for well in (0.97, 0.1)]
    assert said[0] == "healthy" != said[1]
