"""Trials that fail, input that is refused, and storages that cannot be opened."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest

from diagnostics.errors import BadInput
from diagnostics.model.message import message
from tests.tuner.madeup import BATCH, RATE, Bowl, run, spec
from tuner.config.search_space import Choice, Range
from tuner.study.failure import Failure, FailureKind
from tuner.study.loop import run_study

ON_DEVICE = {"per_device_train_batch_size": 1, "per_device_eval_batch_size": 1}
RATE_ONLY: dict[str, Range | Choice] = {"learning_rate": RATE}


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"space": {"learning_rate": Range(1e-6, 1e-3, log=True)}}, "study.space.learning_rate"),
        ({"space": {**RATE_ONLY, "batch_size": BATCH}}, "study.space.batch_size"),
        ({"metric": "eval_exact_match", "direction": "maximize"}, "metric"),
        ({"model_name_or_path": "other/model"}, "model_name_or_path (tuner/tiny -> other/model)"),
    ],
)
def test_a_study_file_that_changed_is_one_clear_line(tmp_path: Path, change: dict[str, Any], named: str):
    run(tmp_path / "out", trials=1, space=RATE_ONLY)
    with pytest.raises(BadInput, match=re.escape(named)) as error:
        run(tmp_path / "out", **{"space": RATE_ONLY, **change})
    assert "another --out" in str(error.value)
    assert "\n" not in str(error.value)


def test_an_error_is_recorded_with_its_cause_and_the_study_continues(tmp_path: Path):
    def odd(moves: Mapping[str, Any], call: int) -> None:
        if moves["learning_rate"] > 1e-4:
            raise RuntimeError("an odd shape\nmore")

    result = run(tmp_path / "out", Bowl(evaluations=6, fails=odd), trials=4)
    failed = [trial for trial in result.trials if trial.state == "failed"]
    assert failed
    assert failed[0].failure == Failure(FailureKind.ERROR, "RuntimeError", "an odd shape")
    assert failed[0].value is None
    trace = (tmp_path / "out" / failed[0].folder / "error.txt").read_text()
    assert "Traceback" in trace
    assert "in odd" in trace
    assert len(result.trials) == 4
    assert message("failed-trials") in [point.point for point in result.review]
    trials = optuna.load_study(study_name="bowl", storage=f"sqlite:///{tmp_path / 'out' / 'study.db'}").trials
    worst = max(t.value or 0 for t in trials if t.number not in {f.number for f in failed})
    assert all((trials[f.number].value or 0) > worst for f in failed)


def test_the_same_error_in_every_trial_ends_the_study_with_one_line_and_fixing_it_starts_afresh(tmp_path: Path):
    def bug(moves: Mapping[str, Any], call: int) -> None:
        raise RuntimeError("shapes do not match")

    trainer = Bowl(evaluations=6, fails=bug)
    with pytest.raises(BadInput, match="the first 3 trials all failed with RuntimeError: shapes do not match"):
        run(tmp_path / "out", trainer, trials=8)
    assert len(trainer.calls) == 3
    result = run(tmp_path / "out", trials=2)
    assert [trial.state for trial in result.trials] == ["complete", "complete"]


@pytest.mark.long
def test_a_bug_that_comes_later_ends_the_study_too_but_memory_does_not(tmp_path: Path):
    def failing(text: str) -> Bowl:
        def fail(moves: Mapping[str, Any], call: int) -> None:
            if call > 2:
                raise OSError(text)

        return Bowl(evaluations=6, fails=fail)

    with pytest.raises(BadInput, match=r"the latest 3 trials .* an odd file.* --trials 11"):
        run(tmp_path / "bug", failing("an odd file"), trials=8)
    assert len(run(tmp_path / "memory", failing("CUDA out of memory"), trials=6, **ON_DEVICE).trials) == 6


def test_a_repeat_that_failed_is_run_again_by_the_next_command(tmp_path: Path):
    def fail(moves: Mapping[str, Any], call: int) -> None:
        if "seed" in moves:
            raise RuntimeError("an odd shape")

    broken = run(tmp_path / "out", Bowl(evaluations=6, fails=fail), trials=3, seeds=1)
    assert broken.gain is not None
    assert broken.gain.doubts == (message("no-pairs"),)
    kept = json.loads((tmp_path / "out" / "repeat-0-seed-8" / "repeat.json").read_text())
    assert (kept["failure"]["kind"], kept["error"]) == ("error", "RuntimeError: an odd shape")
    trainer = Bowl(evaluations=6)
    fixed = run(tmp_path / "out", trainer, trials=3, seeds=1)
    assert len(trainer.calls) == 2
    assert fixed.gain is not None
    assert len(fixed.gain.pairs) == 1


def test_a_mistake_in_the_input_ends_the_study_at_once(tmp_path: Path):
    def missing(moves: Mapping[str, Any], call: int) -> None:
        raise BadInput("rows.jsonl: no such file")

    with pytest.raises(BadInput, match=r"rows\.jsonl"):
        run(tmp_path / "out", Bowl(fails=missing))


def test_a_file_corrected_after_a_mistake_may_differ_while_nothing_is_learned(tmp_path: Path):
    def missing(moves: Mapping[str, Any], call: int) -> None:
        raise BadInput("a-typo: no such model")

    with pytest.raises(BadInput, match="a-typo"):
        run(tmp_path / "out", Bowl(fails=missing), model_name_or_path="a-typo")
    fixed = run(tmp_path / "out", trials=2)
    assert [trial.state for trial in fixed.trials] == ["complete", "complete"]
    with pytest.raises(BadInput, match="model_name_or_path"):
        run(tmp_path / "out", model_name_or_path="another")


def test_a_cut_trial_with_a_checkpoint_is_not_thrown_away_for_a_changed_file(tmp_path: Path):
    def cut(moves: Mapping[str, Any], call: int) -> None:
        (tmp_path / "out" / "trial-000" / "checkpoint-8").mkdir()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", Bowl(fails=cut))
    with pytest.raises(BadInput, match="undo the change"):
        run(tmp_path / "out", lora_r=64)
    assert (tmp_path / "out" / "trial-000" / "checkpoint-8").exists()


def test_a_study_without_a_space_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match=r"study\.space is missing"):
        run(tmp_path / "out", space={})


def test_a_storage_that_cannot_be_opened_is_one_line(tmp_path: Path):
    with pytest.raises(BadInput, match="--storage nonsense"):
        run_study(spec(tmp_path), Bowl(), tmp_path / "out", storage="nonsense")


@pytest.mark.parametrize(
    ("storage", "named"),
    [
        ("foo", "--storage foo: not the address of a database; write sqlite:///FILE.db or postgresql://USER@HOST/NAME"),
        ("redis://u:secret@x", "--storage redis://u:***@x: not the address of a database; write sqlite:///FILE.db or"),
        ("sqlite:///{rows}", "is not an SQLite database; name another file"),
        ("sqlite:///{folder}", "is a folder; write sqlite:///FILE.db"),
        ("mysql://me@there/runs", "--storage mysql://me@there/runs: "),
        ("postgresql://me:secret@127.0.0.1:1/runs", "Connection refused"),
    ],
)
def test_a_storage_that_cannot_be_opened_is_one_line_and_leaves_nothing(tmp_path: Path, storage: str, named: str):
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n')
    before = sorted(tmp_path.rglob("*"))
    address = storage.format(rows=tmp_path / "rows.jsonl", folder=tmp_path)
    with pytest.raises(BadInput, match=re.escape(named)) as error:
        run_study(spec(tmp_path), Bowl(), tmp_path / "runs" / "out", storage=address)
    assert "\n" not in str(error.value) and "secret" not in str(error.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_of_another_study_is_left_alone(tmp_path: Path):
    run(tmp_path / "out", trials=1)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*") if path.suffix != ".lock"}
    other = replace(spec(tmp_path, trials=1, seeds=0), name="other")
    for storage in (None, f"sqlite:///{tmp_path / 'shared.db'}"):
        with pytest.raises(BadInput, match=r"the study bowl lives there, and .* the study other; give another --out"):
            run_study(other, Bowl(evaluations=4), tmp_path / "out", storage=storage)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert optuna.get_all_study_names(f"sqlite:///{tmp_path / 'out' / 'study.db'}") == ["bowl"]


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path):
    (tmp_path / "taken").write_text("a file")
    for out in (tmp_path / "taken", tmp_path / "taken" / "out"):
        with pytest.raises(BadInput, match="so no study can live there; choose another folder with --out"):
            run(out, trials=1)


def test_another_study_of_the_same_name_in_one_storage_is_one_line_and_leaves_nothing(tmp_path: Path):
    storage = f"sqlite:///{tmp_path / 'shared.db'}"
    run_study(spec(tmp_path, trials=1, seeds=0), Bowl(evaluations=4), tmp_path / "a", storage=storage)
    other = spec(tmp_path, trials=1, seeds=0, space=RATE_ONLY)
    with pytest.raises(
        BadInput, match=r"the study bowl in sqlite:///.*: study.space.batch_size.* another name"
    ) as error:
        run_study(other, Bowl(), tmp_path / "b", storage=storage)
    assert "--out" not in str(error.value)
    assert not (tmp_path / "b").exists()
    assert (tmp_path / "a" / "study.md").exists()


def test_a_file_that_failed_is_trained_again_once_others_have_values(tmp_path: Path):
    def at_first(moves: Mapping[str, Any], call: int) -> None:
        if call <= 3:
            raise RuntimeError(f"not yet {call}")

    result = run(tmp_path / "out", Bowl(evaluations=6, fails=at_first), trials=6, seeds=3)
    assert result.trials[0].value is None and result.best not in (None, 0)
    assert result.gain is not None and result.gain.claimed and len(result.gain.pairs) == 3


def test_a_file_that_fails_again_is_no_base_of_a_gain_and_costs_one_run(tmp_path: Path):
    def always(moves: Mapping[str, Any], call: int) -> None:
        if moves["learning_rate"] == 1e-5:
            raise RuntimeError("not at this rate")

    trainer = Bowl(evaluations=6, fails=always)
    result = run(tmp_path / "out", trainer, trials=4, seeds=3)
    assert [name for name in trainer.calls if name.startswith("repeat")] == ["repeat-0-seed-8"]
    assert result.gain is not None and [one.code for one in result.gain.doubts] == ["first-trial-without-value"]
    again = run(tmp_path / "out", Bowl(evaluations=6), trials=4, seeds=3)  # its cause is gone
    assert again.gain is not None and again.gain.claimed
