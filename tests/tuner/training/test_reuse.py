"""A training that ended, and whose value was not recorded, is read and not trained again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tuner.config.direction import Direction
from tuner.errors import Unfinished
from tuner.study.loop import run_study
from tuner.study.measure import measure
from tuner.training.session import Session
from tuner.training.train import train


def test_a_finished_run_is_read_unless_its_settings_differ(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, out = make(max_steps=2, eval_steps=1), tmp_path / "run"
    first = train(study, {}, out)
    trained = list[Path]()

    def noted(self: Session, checkpoint: Path | None, plain: Any = Session.train) -> None:
        trained.append(self.out)
        plain(self, checkpoint)

    monkeypatch.setattr(Session, "train", noted)
    again = train(study, {}, out, reuse=True)
    assert trained == []
    assert measure(again, "eval_loss", Direction.MINIMIZE) == measure(first, "eval_loss", Direction.MINIMIZE)
    train(study, {"learning_rate": 3e-3}, out, reuse=True)
    assert trained == [out]


def test_a_value_that_was_lost_is_recorded_from_the_folder_by_the_next_command(
    make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = {"learning_rate": {"low": 1e-4, "high": 1e-1, "log": True}}
    spec = make(max_steps=2, eval_steps=1, study={"trials": 1, "seeds": 0, "space": space})
    trained = list[str]()

    def noted(self: Session, checkpoint: Path | None, plain: Any = Session.train) -> None:
        trained.append(self.out.name)
        plain(self, checkpoint)

    def bound(moves: Any, folder: Path, report: Any) -> Any:
        return train(spec, moves, folder, report, reuse=True)

    def lost(*_: object, **__: object) -> None:
        raise Unfinished("the server is gone")

    monkeypatch.setattr(Session, "train", noted)
    with monkeypatch.context() as broken:
        broken.setattr("tuner.study.run_trial._record_run", lost)
        with pytest.raises(Unfinished):
            run_study(spec, bound, tmp_path / "out")
    result = run_study(spec, bound, tmp_path / "out")
    assert trained == ["trial-000"]
    assert result.trials[0].value is not None and result.best == 0
    # A new study in the folder does not take the old run for its own.
    (tmp_path / "out" / "study.db").unlink()
    run_study(spec, bound, tmp_path / "out")
    assert trained == ["trial-000"] * 2
