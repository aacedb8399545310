from pathlib import Path

import pytest
import yaml

from diagnostics.model.records import Advice
from diagnostics.model.settings import Settings
from tuner.inspector.jobs.next_run import FILL_IN, as_yaml, from_old, next_config, numeric, study_block
from tuner.training.run_config import own_config


def advise(knob: str, old: float | str | None, new: float | str | None) -> Advice:
    return Advice(knob, old, new, None, "some-rule", "", 0.5, "")


RATE = advise("learning_rate", 3e-5, 1e-4)
SETTINGS = Settings(
    method="sft",
    learning_rate=3e-5,
    batch_size=16,
    warmup_ratio=0.03,
    lora_r=8,
    hidden_size=64,
    beta=0.1,
    num_train_epochs=3,
)


def test_only_advice_with_a_new_value_for_a_setting_goes_into_the_file() -> None:
    advice = [advise("data", None, None), RATE, advise("learning_rate", 3e-5, 1e-3), advise("checkpoint", None, 200.0)]
    assert numeric(advice) == [RATE]


def test_a_factor_alone_becomes_a_value_once_the_old_one_is_told() -> None:
    triple = Advice("learning_rate", None, None, 3.0, "some-rule", "", 0.5, "")
    quarter = Advice("batch_size", None, None, 0.25, "some-rule", "", 0.5, "")
    assert numeric([triple, quarter]) == [triple, quarter]
    assert (from_old(triple, 1e-4).old, from_old(triple, 1e-4).new) == (1e-4, 3e-4)
    assert from_old(quarter, 3).new == 1


def test_the_next_run_is_the_logged_settings_in_trl_s_words_with_the_change() -> None:
    config = next_config(SETTINGS, [RATE])
    assert config == {
        "method": "sft",
        "model_name_or_path": FILL_IN,
        "dataset_name": FILL_IN,
        "learning_rate": 1e-4,
        "num_train_epochs": 3.0,
        "lora_r": 8,
        "use_peft": True,
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 2,
        "warmup_steps": 0.03,
        "eval_strategy": "epoch",
    }


def test_the_run_s_own_file_is_kept_but_for_the_change() -> None:
    own = {"method": "dpo", "dataset_name": "d.jsonl", "learning_rate": 3e-5, "beta": 0.1}
    assert next_config(SETTINGS, [RATE], own) == {**own, "learning_rate": 1e-4}
    assert own["learning_rate"] == 3e-5


@pytest.mark.parametrize(
    ("device", "effective", "split"),
    [(8, 32, (8, 4)), (8, 4, (4, 1)), (8, 12, (6, 2)), (3, 16, (2, 8)), (None, 16, (8, 2))],
)
def test_an_effective_batch_is_split_over_device_and_accumulation(
    device: int | None, effective: int, split: tuple[int, int]
) -> None:
    own = {"per_device_train_batch_size": device} if device else {"method": "sft"}
    config = next_config(SETTINGS, [advise("batch_size", 16, effective)], own)
    assert (config["per_device_train_batch_size"], config["gradient_accumulation_steps"]) == split


def test_epochs_are_not_overruled_by_the_steps_of_the_old_run() -> None:
    own = {"method": "sft", "max_steps": 500, "num_train_epochs": 4.0}
    assert next_config(SETTINGS, [advise("num_train_epochs", 4, 2.0)], own) == {
        "method": "sft",
        "num_train_epochs": 2.0,
    }
    assert next_config(SETTINGS, [advise("max_steps", 500, 900)], own)["max_steps"] == 900


def test_another_batch_sees_as_many_rows() -> None:
    own = {"method": "sft", "max_steps": 100, "per_device_train_batch_size": 8, "gradient_accumulation_steps": 2}
    config = next_config(SETTINGS, [advise("batch_size", 16, 4)], own)
    assert (config["max_steps"], config["per_device_train_batch_size"]) == (400, 4)
    config = next_config(SETTINGS, [advise("batch_size", 16, 4)], {"method": "sft", "max_steps": 100, "batch_size": 8})
    assert (config["max_steps"], "batch_size" in config) == (200, False)


def test_whole_numbers_stay_whole_and_a_ratio_becomes_warm_up_steps_below_one() -> None:
    config = next_config(SETTINGS, [advise("lora_r", 8, 16.0), advise("warmup_ratio", 0.0, 0.1)], {"method": "sft"})
    assert (repr(config["lora_r"]), config["warmup_steps"]) == ("16", 0.1)


def test_the_file_loads_with_every_number_a_number_and_says_what_changed() -> None:
    text = as_yaml("my\nrun", next_config(SETTINGS, [RATE]), [RATE], study_block([RATE], trials=12))
    loaded = yaml.safe_load(text)
    assert loaded["learning_rate"] == 1e-4
    assert loaded["study"]["space"]["learning_rate"] == {"low": 1e-5, "high": 1e-3, "log": True}
    assert text.splitlines()[:3] == [
        "# the next run after my run",
        "# learning_rate: 3e-5 -> 1e-4 (some-rule)",
        "# the log does not say what stands at FILL-IN; write it before the first run",
    ]


@pytest.mark.parametrize(
    ("change", "span"),
    [
        (advise("batch_size", 8, 16), [8, 16, 32]),
        (advise("warmup_ratio", 0.0, 0.05), {"low": 0.0, "high": 0.2}),
        (advise("lora_dropout", 0.0, 0.1), {"low": 0.05, "high": 0.2}),
        (advise("lora_dropout", 0.1, 0.0), {"low": 0.0, "high": 0.1}),
    ],
)
def test_a_study_searches_around_the_advice(change: Advice, span: object) -> None:
    assert study_block([change], trials=5)["space"] == {change.knob: span}


def test_a_study_without_advice_searches_the_learning_rate() -> None:
    assert list(study_block([], trials=5)["space"]) == ["learning_rate"]


@pytest.mark.parametrize("text", [None, "- a list", "key: [", "\0"])
def test_a_config_that_cannot_be_used_is_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)
    assert own_config(tmp_path) is None


def test_a_run_s_config_comes_without_its_study_block(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("method: sft\nlearning_rate: 1.0e-4\nstudy: {trials: 3}\n")
    assert own_config(tmp_path) == {"method": "sft", "learning_rate": 1e-4}
