"""Trainers that cannot run here, by made-up ones in processes of their own: start, log, stop, resume, out of memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tuner.drivers import live, test_profiles
from tests.tuner.drivers.test_check import codes
from tests.tuner.drivers.test_profiles import NO_EVALUATION
from tuner.cli import main
from tuner.config.study_file import load_spec
from tuner.config.study_spec import StudySpec
from tuner.drivers.drive import drive
from tuner.drivers.errors import OutOfMemoryError
from tuner.drivers.plan import planned
from tuner.drivers.rehearsal import Rehearsal
from tuner.study.checks.of_run import checks_of_run

BEGINS_AGAIN = ("unsloth",)
"""Trainers whose command has no way to continue."""


def spec(folder: Path, name: str, environment: dict[str, str] | None = None, **block: Any) -> StudySpec:
    """The study of a made-up trainer that trains step by step."""
    test_profiles.spec(folder, name, **block)
    path = folder / f"{name}.yaml"
    content = yaml.safe_load(path.read_text())
    study = content["study"]
    study["command"] = study["command"].replace("tests.tuner.drivers.dialects", "tests.tuner.drivers.live")
    study["env"] |= environment or {}
    path.write_text(yaml.safe_dump(content))
    return load_spec(path)


@pytest.mark.long
@pytest.mark.parametrize("name", live.KINDS)
def test_a_trainer_logs_stops_on_its_signal_and_resumes(tmp_path: Path, name: str):
    study = spec(tmp_path, name, {"PAUSE": "0.05"})
    found = codes(list(checks_of_run(Rehearsal(study, tmp_path / "check" / "trial-000", 60))))
    found.pop("cost-unknown", found.pop("cost", None))
    resumes = {"begins-again": "warned"} if name in BEGINS_AGAIN else {"resumes": "passed"}
    assert found == dict.fromkeys(("trains", "metric", "labels", "stops", "memory"), "passed") | resumes


@pytest.mark.long
@pytest.mark.parametrize("name", live.KINDS)
def test_out_of_memory_is_known_by_its_words_and_fewer_rows_fit(tmp_path: Path, name: str):
    study = spec(tmp_path, name, {"FITS": "2"})
    with pytest.raises(OutOfMemoryError, match="out of memory"):
        drive(study, {"batch_size": 16}, tmp_path / "out" / "trial-000")
    fewer = {"batch_size": 16, "device_batch_limit": 2, "eval_batch_limit": 2}
    run = drive(study, fewer, tmp_path / "out" / "trial-000")
    assert run.settings.batch_size == 16
    assert len(run.curves["train_loss" if name in NO_EVALUATION else "eval_loss"]) > 5


@pytest.mark.long
def test_a_study_with_axolotls_dialect_from_its_file_to_its_winner(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    study = spec(tmp_path, "axolotl", {"FITS": "4"}, trials=3, seeds=1, stop_early=False)
    assert main(["check", str(study.path)]) == 0
    assert main(["study", str(study.path), "--out", str(tmp_path / "out")]) == 0
    result = json.loads((tmp_path / "out" / "study.json").read_text())
    values = {trial["number"]: trial["value"] for trial in result["trials"]}
    assert result["trainer"] == "axolotl" and len(values) == 3 and result["best"] != 0
    assert values[result["best"]] == min(value for value in values.values() if value is not None)
    own = yaml.safe_load((tmp_path / "out" / f"trial-{result['best']:03d}" / "trainer.yaml").read_text())
    assert own["learning_rate"] != 1e-4 and own["micro_batch_size"] <= 4 and own["test_datasets"]


@pytest.mark.parametrize(
    ("name", "keys", "wanted"),
    [
        ("axolotl", {}, {"evals_per_epoch": 4, "saves_per_epoch": 4}),
        ("axolotl", {"eval_steps": 20}, {"eval_steps": 20, "evals_per_epoch": None, "saves_per_epoch": 4}),
        ("axolotl", {"save_strategy": "epoch"}, {"saves_per_epoch": None, "evals_per_epoch": 4}),
        ("llamafactory", {}, {"load_best_model_at_end": True, "eval_steps": 0.07}),
        ("llamafactory", {"save_steps": 500}, {"load_best_model_at_end": None, "eval_steps": 0.07}),
        ("llamafactory", {"save_steps": 500, "eval_steps": 250}, {"load_best_model_at_end": True}),
        ("llamafactory", {"save_steps": 500, "eval_steps": 300}, {"load_best_model_at_end": None}),
        ("llamafactory", {"eval_strategy": "epoch"}, {"load_best_model_at_end": None}),
        ("llamafactory", {"eval_strategy": "epoch", "save_strategy": "epoch"}, {"load_best_model_at_end": True}),
        ("swift", {"save_steps": 50}, {"load_best_model_at_end": None, "metric_for_best_model": None}),
        ("verl", {}, {"data.use_dynamic_bsz": False}),
        (
            "verl",
            {"data": {**test_profiles.FILES["verl"]["data"], "use_dynamic_bsz": True}},
            {"data.use_dynamic_bsz": True},
        ),
    ],
)
def test_a_trainer_gets_no_keys_that_it_refuses_beside_those_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, keys: dict[str, Any], wanted: dict[str, Any]
):
    monkeypatch.setitem(test_profiles.FILES, name, {**test_profiles.FILES[name], **keys})
    own = planned(test_profiles.spec(tmp_path, name), {}, tmp_path / "out" / "trial-000").own
    assert {key: own.get(key) for key in wanted} == wanted


def test_a_trainer_of_sft_alone_is_not_started_for_another_method(tmp_path: Path):
    path = tmp_path / "oi.yaml"
    study = {"method": "dpo", "space": {"learning_rate": test_profiles.RATE}}
    path.write_text(yaml.safe_dump({**test_profiles.FILES["open-instruct"], "study": study}))
    assert main(["study", str(path)]) == 2
