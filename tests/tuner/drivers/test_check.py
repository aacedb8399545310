"""``tuner check``: a short run of a real script, started twice, and of our own trainer."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tuner import smallest
from tests.tuner.drivers import test_profiles
from tests.tuner.drivers.script import COMMAND, RATE, file, spec
from tuner.cli import main
from tuner.commands.check import check
from tuner.drivers.plan import planned
from tuner.drivers.rehearsal import Rehearsal
from tuner.study.checks.answer import check_of_answer
from tuner.study.checks.lengths import checks_of_lengths
from tuner.study.checks.of_run import checks_of_run
from tuner.study.checks.record import Check, State
from tuner.study.checks.rows import checks_of_rows, rows_of

FORGETS = """
import json, sys, time
for step in range(1, 200):
    print(json.dumps({"step": step, "loss": 3 / step, "eval_loss": 3 / step}), flush=True)
    time.sleep(0.02)
"""


def codes(found: list[Check]) -> dict[str, str]:
    return {one.message.code.removeprefix("check-"): str(one.state) for one in found}


def checked(folder: Path, block: dict[str, Any] | None = None, **keys: Any) -> dict[str, str]:
    study = spec(folder, block, **{"pause": 0.02, "steps": 400, **keys})
    return codes(list(checks_of_run(Rehearsal(study, folder / "check" / "trial-000", 20))))


def test_a_script_that_works_passes_every_check(tmp_path: Path):
    found = checked(tmp_path, workers=1)
    found.pop("cost-unknown", found.pop("cost", None))
    assert found == dict.fromkeys(("trains", "metric", "labels", "stops", "resumes", "memory"), "passed")


@pytest.mark.parametrize(
    ("block", "keys", "state", "code"),
    [
        ({"command": COMMAND.replace("train.py", "gone.py")}, {}, "failed", "not-trained"),
        ({}, {"fits": 0}, "failed", "not-trained"),
        ({"metric": "eval_accuracy"}, {"steps": 10}, "failed", "no-metric"),
    ],
)
def test_what_would_not_work_is_found(
    tmp_path: Path, block: dict[str, Any], keys: dict[str, Any], state: str, code: str
):
    assert checked(tmp_path, block, **keys)[code] == state


def test_a_script_that_begins_again_is_a_warning(tmp_path: Path):
    (tmp_path / "forgets.py").write_text(FORGETS)
    command = f"{sys.executable} {tmp_path / 'forgets.py'} --config {{config}}"
    assert checked(tmp_path, {"command": command})["begins-again"] == "warned"


def test_a_run_that_is_through_before_it_is_stopped_is_no_failure(tmp_path: Path):
    found = checked(tmp_path, steps=6, pause=0.001)
    assert found["through"] == "warned" and "failed" not in found.values()


def test_the_exit_status_and_the_json_tell_what_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = file(tmp_path, pause=0.02, fits=0)
    assert main(["check", str(path), "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False and [one["code"] for one in said["checks"]] == [
        "check-not-trained",
        "check-rows-elsewhere",
    ]
    assert (Path(said["folder"]) / "trial-000" / "output.log").exists()


def test_a_check_that_passes_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert check(file(tmp_path, pause=0.02, steps=400)) == 0
    assert [one.name for one in tmp_path.iterdir()] == ["bowl.yaml"]


def test_rows_that_are_held_out_and_trained_on_are_named(tmp_path: Path):
    study = test_profiles.spec(tmp_path, "llamafactory")
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [{"instruction": str(number), "output": "a"} for number in (1, 2, 2, 3)]
    (folder / "mine-train.json").write_text(json.dumps(rows))
    (folder / "mine-held-out.json").write_text(json.dumps([{"instruction": "3", "output": "b"}]))
    (leak, twice) = checks_of_rows(rows_of(study, tmp_path))
    assert (leak.state, leak.message.values["count"]) == (State.WARNED, 1)
    assert (twice.message.code, twice.message.values["count"]) == ("check-duplicates", 1)


def test_a_rehearsal_is_short_in_the_trainers_own_keys(tmp_path: Path):
    for name in ("axolotl", "verl"):
        rehearsal = Rehearsal(test_profiles.spec(tmp_path, name), tmp_path / "trial-000")
        plan = rehearsal.plan()
        if name == "axolotl":
            assert plan.own["max_steps"] == 200 and plan.own["eval_steps"] == 2 and "evals_per_epoch" not in plan.own
        else:
            assert list(plan.argv).count("trainer.total_training_steps=200") == 1
            assert "trainer.total_training_steps=60" not in plan.argv


@pytest.mark.long
def test_our_own_trainer_passes_too(
    tmp_path: Path, small_model: Path, small_rows: Path, capsys: pytest.CaptureFixture[str]
):
    content = {
        "method": "sft",
        "model_name_or_path": str(small_model),
        "dataset_name": str(small_rows / "sft"),
        "learning_rate": 1e-4,
        "use_peft": True,
        "lora_r": 4,
        "per_device_train_batch_size": 2,
        "env": {"ANY": "in the user's own file every variable counts"},
        "study": {"space": {"learning_rate": RATE}},
    }
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(content))
    assert main(["check", str(tmp_path / "own.yaml"), "--json"]) == 0
    found = {one["code"]: one["state"] for one in json.loads(capsys.readouterr().out)["checks"]}
    shown = ("trains", "metric", "stops", "resumes", "cost", "rows", "lengths", "answer")
    assert {found[f"check-{name}"] for name in shown} == {"passed"}


def test_rows_that_the_length_cap_cuts_are_counted(tmp_path: Path, small_model: Path, small_rows: Path):
    def counted(**keys: Any) -> list[Check]:
        study = smallest.study(tmp_path, small_model, small_rows, **keys)
        rows = rows_of(study, tmp_path)
        assert rows is not None and len(rows.train) == 16
        return list(checks_of_lengths(study, rows.train))

    (whole,) = counted(max_length=64)
    longest = whole.message.values["longest"]
    assert (whole.message.code, whole.state) == ("check-lengths", State.PASSED) and isinstance(longest, int)
    assert codes(counted(max_length=longest)) == {"lengths": "passed"}
    (cut,) = counted(max_length=longest - 1)
    assert (cut.state, cut.message.values["longest"]) == (State.WARNED, longest) and cut.message.values["cut"]
    assert codes(counted(max_length=3)) == {"cut": "warned", "answers-lost": "failed"}
    assert codes(counted(packing=True)) == {"no-limit": "skipped"}


def test_rows_of_another_trainer_are_counted_with_its_model_where_that_is_a_folder(
    tmp_path: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch
):
    study = test_profiles.spec(tmp_path, "llamafactory")
    planned(study, {}, tmp_path / "trial-000")
    rows = rows_of(study, tmp_path)
    assert rows is not None and len(rows.train) == 27
    assert codes(list(checks_of_lengths(study, rows.train))) == {"no-tokenizer": "skipped"}
    monkeypatch.setitem(test_profiles.FILES["llamafactory"], "model_name_or_path", str(small_model))
    known = test_profiles.spec(tmp_path, "llamafactory")
    (found,) = checks_of_lengths(known, rows.train)
    assert (found.state, found.message.values["limit"]) == (State.PASSED, 2048)


def test_an_answer_needs_a_question_and_an_adapter(tmp_path: Path, small_model: Path, small_rows: Path):
    study = smallest.study(tmp_path, small_model, small_rows)
    (tmp_path / "run").mkdir()
    row = {"prompt": "Which?", "completion": "This."}
    for rows in ([row], [{"text": "Once."}]):
        found = check_of_answer(study, tmp_path / "run", rows, False)
        assert (found.state, found.message.code) == (State.SKIPPED, "check-no-answer")
