"""The trainers that are known, each by a made-up one that reads its own keys and writes its own log."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tuner.drivers import dialects
from tuner.config.overrides import with_overrides
from tuner.config.study_file import load_spec
from tuner.config.study_spec import StudySpec
from tuner.config.trainers.dotted import as_overrides, flat, nested
from tuner.config.trainers.driver import own_config
from tuner.config.trainers.recognized import PROFILES, recognized
from tuner.drivers.drive import drive
from tuner.drivers.plan import planned
from tuner.errors import SpecError
from tuner.search.distributions import distributions
from tuner.study.report.yaml_patch import patch

ROOT = Path(__file__).parents[3]
RATE = {"low": 1e-5, "high": 1e-1, "log": True}
HF = {"learning_rate": 1e-4, "gradient_accumulation_steps": 4, "num_train_epochs": 1}
FILES: dict[str, dict[str, Any]] = {
    "llamafactory": {
        **HF,
        "stage": "sft",
        "model_name_or_path": "m",
        "finetuning_type": "lora",
        "lora_rank": 8,
        "val_size": 0.1,
        "dataset": "mine",
        "dataset_dir": "{data}",
        "per_device_train_batch_size": 4,
    },
    "axolotl": {
        "base_model": "m",
        "datasets": [{"path": "{data}/mine.json", "type": "alpaca"}],
        "val_set_size": 0.1,
        "adapter": "lora",
        "lora_r": 8,
        "lora_alpha": 16,
        "micro_batch_size": 4,
        "gradient_accumulation_steps": 4,
        "learning_rate": "1e-4",
        "num_epochs": 1,
    },
    "swift": {
        **HF,
        "model": "m",
        "dataset": ["{data}/mine.json"],
        "tuner_type": "lora",
        "lora_rank": 8,
        "per_device_train_batch_size": 4,
    },
    "torchtune": {
        "model": {"_component_": "torchtune.models.llama3_2.lora_llama3_2_1b", "lora_rank": 8, "lora_alpha": 16},
        "tokenizer": {"_component_": "torchtune.models.llama3.llama3_tokenizer"},
        "optimizer": {"_component_": "torch.optim.AdamW", "lr": 1e-4},
        "batch_size": 4,
        "epochs": 1,
        "seed": None,
        "gradient_accumulation_steps": 4,
    },
    "unsloth": {
        "model": "m",
        "training": {"learning_rate": 1e-4, "batch_size": 4, "gradient_accumulation_steps": 4, "max_steps": 60},
        "lora": {"lora_r": 8, "lora_alpha": 16},
    },
    "open-instruct": {
        **HF,
        "model_name_or_path": "m",
        "dataset_mixer_list": ["a", 1.0],
        "use_lora": True,
        "lora_rank": 8,
        "per_device_train_batch_size": 4,
    },
    "verl": {
        "data": {"train_files": "a.parquet", "val_files": "[a b.parquet]", "train_batch_size": 16},
        "model": {"lora_rank": 8, "lora_alpha": 16},
        "optim": {"lr": 1e-4},
        "trainer": {"total_training_steps": 60},
    },
    "automodel": {
        "step_scheduler": {"global_batch_size": 16, "local_batch_size": 4, "max_steps": 60},
        "optimizer": {"lr": 1e-4},
        "peft": {"dim": 8, "alpha": 16},
        "checkpoint": {"enabled": True},
    },
    "trl": {
        **HF,
        "model_name_or_path": "m",
        "dataset_name": "{data}/mine.json",
        "use_peft": True,
        "lora_r": 8,
        "per_device_train_batch_size": 4,
        "warmup_steps": 0.05,
    },
}
"""A file of each as its users write them: 16 rows in an optimizer step, rank 8, rate 1e-4."""
KEYS = {
    "llamafactory": ("learning_rate", "lora_rank"),
    "axolotl": ("learning_rate", "lora_r"),
    "swift": ("learning_rate", "lora_rank"),
    "torchtune": ("optimizer.lr", "model.lora_rank"),
    "unsloth": ("training.learning_rate", "lora.lora_r"),
    "open-instruct": ("learning_rate", "lora_rank"),
    "verl": ("optim.lr", "model.lora_rank"),
    "automodel": ("optimizer.lr", "peft.dim"),
    "trl": ("learning_rate", "lora_r"),
}
NO_EVALUATION = ("torchtune", "unsloth", "open-instruct")
NOT_RECOGNIZED = ("unsloth", "trl")


def spec(folder: Path, name: str, **block: Any) -> StudySpec:
    """The study of a made-up trainer, whose command is the usual one with its program replaced."""
    data = folder / "rows"
    data.mkdir(exist_ok=True)
    rows = [{"instruction": f"What is {n}?", "input": "", "output": str(n)} for n in range(30)]
    (data / "mine.json").write_text(json.dumps(rows))
    (data / "dataset_info.json").write_text(json.dumps({"mine": {"file_name": "mine.json"}}))
    usual = PROFILES[name].command.split(maxsplit=1)[1]
    command = f"{sys.executable} -m tests.tuner.drivers.dialects {name} {usual}"
    rate, rank = KEYS[name]
    space = {rate: RATE, rank: [4, 8, 16], "batch_size": [8, 16, 32]}
    study = {"command": command, "env": {"PYTHONPATH": str(ROOT)}, "space": space, **block}
    study |= {"trainer": name} if name in NOT_RECOGNIZED else {}
    study |= {"method": "dpo"} if name == "trl" else {}
    text = json.dumps({**FILES[name], "study": study}).replace("{data}", str(data))
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(json.loads(text)))
    return load_spec(folder / f"{name}.yaml")


@pytest.mark.parametrize("name", FILES)
def test_a_trainer_is_run_in_its_own_keys_and_its_own_log_is_read(tmp_path: Path, name: str):
    study = spec(tmp_path, name)
    settings = {"learning_rate": 1e-3, "lora_r": 16, "batch_size": 8}
    assert set(study.study.space) == set(settings) and study.driver is not None
    assert study.driver.profile.name == name
    run = drive(study, settings, tmp_path / "out" / "trial-000")
    wanted = "train_loss" if name in NO_EVALUATION else "eval_loss"
    twice = name in ("unsloth", "verl", "automodel")  # their files count steps: half the batch, twice as many
    assert study.study.metric == wanted and run.last_step == (2 if twice else 1) * dialects.STEPS
    assert min(run.curves[wanted].values) == pytest.approx(1.01 + 0.02 * (wanted == "eval_loss"), abs=0.02)
    known = run.settings
    assert (known.learning_rate, known.lora_r, known.batch_size) == (1e-3, 16, 8)
    own = flat(yaml.safe_load((tmp_path / "out" / "trial-000" / "trainer.yaml").read_text()))
    assert [own[key] for key in KEYS[name]] == [1e-3, 16]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(("devices", "limit"), [(1, None), (2, None), (2, 1), (4, 2)])
def test_the_effective_batch_stays_when_devices_or_rows_change(
    tmp_path: Path, name: str, devices: int, limit: int | None
):
    study = spec(tmp_path, name)
    assert study.driver is not None
    limits = {"device_batch_limit": limit, "eval_batch_limit": limit} if limit else {}
    made = with_overrides(study.config, {"batch_size": 16, **limits})
    own = own_config(study.driver, study.config, made, devices)
    rows = own[study.driver.key("per_device_train_batch_size")]
    assert rows <= (limit or 16)
    if study.driver.profile.total_batch:
        assert own[study.driver.key("batch_size")] == 16 and 16 % (rows * devices) == 0
    else:
        assert rows * own[study.driver.key("gradient_accumulation_steps")] * devices == 16


@pytest.mark.parametrize("name", FILES)
def test_trial_0_is_the_file(tmp_path: Path, name: str):
    study = spec(tmp_path, name)
    assert study.driver is not None
    start = {"learning_rate": 1e-4, "lora_r": 8, "batch_size": 16}
    own = own_config(study.driver, study.config, with_overrides(study.config, start), 1)
    added = {key for key in own if own[key] != study.driver.given.get(key)}
    seed, rows = study.driver.key("seed"), study.driver.key("per_device_train_batch_size")
    assert added <= {seed, rows} and set(distributions(study.study.space)) == set(start)


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognized_by_keys_that_only_one_trainer_has(name: str):
    found = recognized(FILES[name])
    assert (found.name if found else None) == (None if name in NOT_RECOGNIZED else name)


@pytest.mark.parametrize("name", FILES)
def test_lines_for_the_file_are_in_the_trainers_own_keys(tmp_path: Path, name: str):
    study = spec(tmp_path, name)
    lines = patch(study, {"learning_rate": 3e-4, "lora_r": 4})
    assert {key: lines[key] for key in KEYS[name]} == dict(zip(KEYS[name], (3e-4, 4), strict=True))


def test_held_out_rows_stay_the_same_on_another_seed(tmp_path: Path):
    study = spec(tmp_path, "llamafactory")
    runs = [planned(study, {"seed": seed}, tmp_path / "out" / f"repeat-0-seed-{seed}") for seed in (42, 43)]
    assert runs[0].own["eval_dataset"] == runs[1].own["eval_dataset"] == "mine-held-out"
    assert [run.own["seed"] for run in runs] == [42, 43]
    (tmp_path / "rows" / "mine.json").write_text("[]")
    assert planned(study, {}, tmp_path / "out" / "trial-009").own == {
        **runs[0].own,
        "output_dir": str(tmp_path / "out" / "trial-009" / "output"),
    }


def test_rows_that_only_the_trainer_finds_need_held_out_ones_by_name(tmp_path: Path):
    study = spec(tmp_path, "llamafactory")
    (tmp_path / "rows" / "dataset_info.json").write_text(json.dumps({"mine": {"hf_hub_url": "a/b"}}))
    with pytest.raises(SpecError, match=r"dataset mine: .*eval_dataset"):
        planned(study, {}, tmp_path / "out" / "trial-000")


def test_alpha_stays_when_the_rank_moves_where_it_would_follow(tmp_path: Path):
    study = spec(tmp_path, "llamafactory")
    own = planned(study, {"lora_r": 32}, tmp_path / "out" / "trial-000").own
    assert (own["lora_rank"], own["lora_alpha"]) == (32, 16)
    assert "lora_alpha" not in planned(study, {}, tmp_path / "out" / "trial-000").own


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("llamafactory", "warmup_ratio", 0.1),
        ("trl", "warmup_steps", 0.1),
        ("unsloth", "training.warmup_steps", 6),
        ("verl", "optim.lr_warmup_steps_ratio", 0.1),
    ],
)
def test_warm_up_is_given_as_the_trainer_takes_it(tmp_path: Path, name: str, key: str, value: float):
    study = spec(tmp_path, name)
    assert planned(study, {"warmup_ratio": 0.1}, tmp_path / "out" / "trial-000").own[key] == value


def test_warm_up_in_steps_of_an_unknown_total_is_refused(tmp_path: Path):
    study = spec(tmp_path, "torchtune")
    with pytest.raises(SpecError, match="torchtune takes warm-up as a number of steps"):
        planned(study, {"warmup_ratio": 0.1}, tmp_path / "out" / "trial-000")


def test_whole_numbers_stay_whole_where_the_file_has_them(tmp_path: Path):
    study = spec(tmp_path, "torchtune")
    own = planned(study, {}, tmp_path / "out" / "trial-000").own
    again = planned(study, {"num_train_epochs": 2.0}, tmp_path / "out" / "trial-000").own
    assert (type(own["epochs"]), type(again["epochs"]), again["epochs"]) == (int, int, 2)


@pytest.mark.parametrize(
    ("name", "keys", "method"),
    [
        ("llamafactory", {"stage": "dpo", "pref_loss": "orpo"}, "orpo"),
        ("llamafactory", {"stage": "rm"}, "reward"),
        ("axolotl", {"rl": "kto"}, "kto"),
        ("swift", {"rlhf_type": "dpo"}, "dpo"),
    ],
)
def test_the_method_is_read_from_the_trainers_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, keys: dict[str, Any], method: str
):
    monkeypatch.setitem(FILES, name, {**FILES[name], **keys})
    study = spec(tmp_path, name)
    assert study.method == method
    assert study.driver is not None and study.driver.trains == method


def test_the_devices_of_a_trial_are_all_that_it_sees(tmp_path: Path):
    study = spec(tmp_path, "automodel")
    plan = planned(study, {}, tmp_path / "trial-000", devices=("2", "3"))
    assert plan.environment["CUDA_VISIBLE_DEVICES"] == "2,3" and list(plan.argv)[-1] == "2"
    known = planned(study, {}, tmp_path / "trial-000").environment.get("CUDA_VISIBLE_DEVICES")
    assert known == os.environ.get("CUDA_VISIBLE_DEVICES")


@pytest.mark.parametrize(
    "config",
    [
        {"a": 1, "b": {"c": 2, "d": {"e": [1, 2], "f": {}}}, "g": {"x.y": 1}, "h": None},
        {"deep": {"er": {"est": "a"}}, "list": [{"a": 1}]},
    ],
)
def test_flat_and_nested_configs_are_the_same(config: dict[str, Any]):
    assert nested(flat(config)) == config


def test_values_are_quoted_for_hydra():
    values = {"a": None, "b": True, "c": [1, "x"], "d": "a b", "e": 0.0001, "f": "it's", "g": {"h": 1}}
    assert list(as_overrides(values)) == [
        *("a=null", "b=true", "c=[1,x]", "d='a b'", "e=0.0001", r"f='it\'s'", "g={h:1}"),
    ]
