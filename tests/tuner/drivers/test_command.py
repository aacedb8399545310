"""``trainer: command``: a real script in a process of its own, and files that cannot work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from diagnostics.readers import read
from tests.tuner.drivers.script import COMMAND, RATE, ROOT, SCRIPT, file, spec, steps_logged
from tuner.cli import main
from tuner.commands.study import StudyTrainer
from tuner.config.study_file import load_spec
from tuner.drivers.drive import drive
from tuner.drivers.errors import OutOfMemoryError, TrainerFailed
from tuner.errors import SpecError
from tuner.study.loop import run_study
from tuner.study.passing import is_passing


@pytest.mark.long
def test_a_study_of_a_command_finds_its_rate_and_leaves_runs_that_can_be_read(tmp_path: Path):
    study = spec(tmp_path, {"trials": 2, "seeds": 1, "stop_early": False})
    result = run_study(study, StudyTrainer(study), tmp_path / "out")
    first, best = result.baseline, result.winner
    assert first and best and first.value is not None and best.value is not None and best.value < first.value
    assert result.trainer == "command" and result.gain is not None and len(result.gain.pairs) == 1
    run = tmp_path / "out" / best.folder
    own = yaml.safe_load((run / "trainer.yaml").read_text())
    assert own == {"learning_rate": best.settings["learning_rate"], "steps": 40, "seed": 42}
    again = read(run)
    assert again.settings.learning_rate == best.settings["learning_rate"] and again.last_step == 40
    assert min(again.curves["eval_loss"].values) == pytest.approx(best.value)
    shown = (tmp_path / "out" / "study.md").read_text()
    assert str(SCRIPT) in shown and "tuner train" not in shown and "tuner merge" not in shown


def test_a_finished_run_is_read_and_other_settings_begin_again(tmp_path: Path):
    study, out = spec(tmp_path, steps=10), tmp_path / "trial-000"
    drive(study, {"learning_rate": 1e-3}, out)
    assert drive(study, {"learning_rate": 1e-3}, out).last_step == 10 and steps_logged(out) == [*range(1, 11)]
    drive(study, {"learning_rate": 1e-2}, out)
    assert steps_logged(out) == [*range(1, 11)]
    assert yaml.safe_load((out / "trainer.yaml").read_text())["learning_rate"] == 1e-2


@pytest.mark.parametrize(
    ("keys", "kind", "says"),
    [
        ({"ends": 20}, TrainerFailed, "status 0 at step 20 of 40"),
        ({"status": 3}, TrainerFailed, "status 3 at step 40 of 40"),
        ({"fits": 0}, OutOfMemoryError, "CUDA out of memory"),
    ],
)
def test_success_is_status_0_and_the_last_planned_step(
    tmp_path: Path, keys: dict[str, Any], kind: type[Exception], says: str
):
    with pytest.raises(kind, match=says) as caught:
        drive(spec(tmp_path, **keys), {}, tmp_path / "trial-000")
    assert type(caught.value) is kind and not is_passing(caught.value)


@pytest.mark.long
def test_out_of_memory_is_answered_with_fewer_rows_and_more_accumulation(tmp_path: Path):
    command = f"{COMMAND} --rows {{per_device_train_batch_size}}"
    study = spec(
        tmp_path,
        {"command": command, "trials": 1, "seeds": 0, "stop_early": False},
        fits=2,
        per_device_train_batch_size=8,
        gradient_accumulation_steps=1,
        steps=10,
    )
    result = run_study(study, StudyTrainer(study), tmp_path / "out")
    assert all(trial.value is not None for trial in result.trials) and result.trials[0].memory
    for trial in result.trials:
        own = yaml.safe_load((tmp_path / "out" / trial.folder / "trainer.yaml").read_text())
        assert (own["per_device_train_batch_size"], own["gradient_accumulation_steps"]) == (2, 4)


def test_a_batch_that_cannot_be_split_is_not_tried_again(tmp_path: Path):
    study = spec(tmp_path, {"trials": 1, "seeds": 0}, fits=0, batch_size=8)
    result = run_study(study, StudyTrainer(study), tmp_path / "out")
    assert result.trials[0].state == "infeasible"
    assert (tmp_path / "out" / "trial-000" / "output.log").read_text().count("training on") == 1


@pytest.mark.parametrize(
    ("block", "keys", "named"),
    [
        ({"trainer": "axolotle"}, {}, "study.trainer: … axolotl?"),
        ({"trainer": "comand", "space": {}}, {}, "study.trainer: … command?"),
        ({"log": "/var/log/*.jsonl"}, {}, "study.log: … below {run}"),
        ({"log": "../x.jsonl"}, {}, "study.log: … below {run}"),
        ({"log": "a/**b"}, {}, "study.log: … below {run}"),
        ({"command": COMMAND + " --hub-token abc"}, {}, "study.command: --hub-token: holds a secret"),
        ({"command": COMMAND + " db=postgresql://me:abc@host/x"}, {}, "holds a secret"),
        ({}, {"batch_size": "x"}, "batch_size: must be a whole number"),
        ({}, {"seed": [1]}, "seed: must be a whole number"),
        ({"command": "python train.py"}, {}, "study.space.learning_rate … {config}"),
        ({"command": "python 'train.py"}, {}, "study.command: not a command line"),
        ({"command": COMMAND + " {lerning_rate}"}, {}, "{lerning_rate} … learning_rate?"),
        ({"stop": "SIGFOO"}, {}, "study.stop: … SIGTERM"),
        ({"space": {"hidden": [1, 2]}}, {}, "study.space.hidden: … no hidden"),
        ({"space": {"learning_rate": {"low": 1e-3, "high": 1e-1}}}, {}, "0.0001 is outside"),
        ({"space": {"batch_size": [1, 2]}}, {}, "study.space.batch_size: the file has no batch"),
        ({"judge": {"model": "a"}}, {}, "study.judge: … tuner's own trainer"),
        ({"gpus_per_trial": 0}, {}, "study.gpus_per_trial: … 1 or more"),
        ({"method": "sfd"}, {}, "study.method: … sft"),
        ({"config": "gone.yaml"}, {}, "learning_rate: belongs into study.config"),
        ({}, {"api_key": "abc"}, "api_key: holds a secret"),
        ({}, {"learning_rate": -1}, "learning_rate: must be above 0"),
    ],
)
def test_a_file_that_cannot_work_is_refused_in_a_line(
    tmp_path: Path, block: dict[str, Any], keys: dict[str, Any], named: str
):
    with pytest.raises(SpecError) as caught:
        spec(tmp_path, block, **keys)
    parts, line = named.split(" … "), str(caught.value)
    assert all(part in line for part in parts) and "\n" not in line, line
    assert "abc" not in line


@pytest.mark.parametrize("beside", ["trainer_state.json", "command.json"])
def test_a_study_in_the_folder_of_a_run_starts_no_command(tmp_path: Path, beside: str):
    path, (trace, command) = file(tmp_path), (tmp_path / "trace", f"touch {tmp_path}/trace {{config}}")
    content = yaml.safe_load(path.read_text())
    path.write_text(yaml.safe_dump({**content, "study": {**content["study"], "command": command}}))
    (tmp_path / beside).write_text("{}")
    started = [sys.executable, "-m", "tuner", "study", str(path), "--out", str(tmp_path / "out")]
    ended = subprocess.run(started, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert ended.returncode == 2 and "--trust-remote-code" in ended.stderr and not trace.exists()


def test_a_config_beside_the_block_is_the_same_study(tmp_path: Path):
    whole = spec(tmp_path)
    (tmp_path / "own.yaml").write_text("learning_rate: 1e-4\nsteps: 40\n")
    block = {"trainer": "command", "command": COMMAND, "config": "own.yaml", "space": {"learning_rate": RATE}}
    (tmp_path / "bowl.yaml").write_text(yaml.safe_dump({"study": block}))
    assert load_spec(tmp_path / "bowl.yaml") == whole


def test_a_single_run_is_the_trainers_own_business(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["train", str(file(tmp_path))]) == 2
    assert "its trainer is command" in capsys.readouterr().err


def test_a_program_that_is_not_there_is_named_before_anything_is_made(tmp_path: Path):
    path = file(tmp_path, {"command": "/envs/gone/bin/train --config {config}"})
    command = [sys.executable, "-m", "tuner", "study", str(path), "--out", str(tmp_path / "out")]
    ended = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert ended.returncode == 2 and "/envs/gone/bin/train: no such program" in ended.stderr
    assert not (tmp_path / "out").exists()


def test_a_trainer_may_print_anything_at_its_end(tmp_path: Path):
    end = f"import sys; sys.stderr.write('\\x1b]0;x\\x07ValueError: ' + 'x' * {10**6}); sys.exit(1)"
    study = spec(tmp_path, {"command": f'{sys.executable} -c "{end}" {{config}}'})
    with pytest.raises(TrainerFailed) as caught:
        drive(study, {}, tmp_path / "trial-000")
    assert len(str(caught.value)) < 1000 and str(caught.value).isprintable()


def test_the_config_of_a_run_brings_no_code_into_a_study(tmp_path: Path):
    block = {"trainer": "command", "command": COMMAND, "config": "run/own.yaml", "space": {"learning_rate": RATE}}
    (tmp_path / "bowl.yaml").write_text(yaml.safe_dump({"study": block}))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "own.yaml").write_text("learning_rate: 1e-4\nsteps: 40\ntrust_remote_code: true\n")
    assert load_spec(tmp_path / "bowl.yaml").driver is not None
    (tmp_path / "run" / "trainer_state.json").write_text("{}")
    with pytest.raises(SpecError, match="trust_remote_code: can run code"):
        load_spec(tmp_path / "bowl.yaml")
    assert load_spec(tmp_path / "bowl.yaml", trust_remote_code=True).driver is not None


@pytest.mark.parametrize("content", ["[" * 100_000, "{", "[]", '{"trainer": 3}'])
def test_a_damaged_record_is_a_run_of_other_settings(tmp_path: Path, content: str):
    from tuner.drivers.checkpoints import is_whole

    study, out = spec(tmp_path, steps=5), tmp_path / "trial-000"
    (out / "output" / "checkpoint-3").mkdir(parents=True)
    for name in ("command.json", "diagnosis.json", "output/checkpoint-3/trainer_state.json"):
        (out / name).write_text(content)
    assert is_whole(out / "output" / "checkpoint-3") is content.endswith("}")
    assert drive(study, {}, out).last_step == 5


@pytest.mark.long
def test_the_script_of_the_documentation_works_as_it_is_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    page = (ROOT / "docs" / "trainers.md").read_text("utf-8")
    for name, language in (("bowl.yaml", "yaml"), ("train.py", "python")):
        block = page.split(f"```{language}\n# {name}:")[1].split("```")[0]
        (tmp_path / name).write_text(f"# {name}:{block}".replace("command: python", f"command: {sys.executable}"))
    monkeypatch.chdir(tmp_path)
    assert main(["study", "bowl.yaml", "--trials", "3", "--out", "out"]) == 0
    result = json.loads((tmp_path / "out" / "study.json").read_text())
    assert [trial["state"] for trial in result["trials"]].count("failed") == 0 and result["best"] is not None
