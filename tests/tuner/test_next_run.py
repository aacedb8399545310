import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from diagnostics.model.curves import Run
from diagnostics.model.records import Advice, Diagnosis, Label
from diagnostics.model.settings import Settings
from tuner.config.next_run import FILL_IN, as_yaml, from_old, next_config, next_run_yaml, numeric, study_block
from tuner.config.overrides import with_overrides
from tuner.config.study_file import load_spec
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


@pytest.mark.parametrize(
    ("named", "wanted"),
    [
        ("adamw_torch_fused", "adamw_torch_fused"),
        ("torch.optim.SGD", "sgd"),
        ("AdamW", None),
        ("torch.optim.AdamW", None),
        (None, None),
    ],
)
def test_an_optimizer_that_another_program_names_is_called_as_trl_calls_it(
    named: str | None, wanted: str | None
) -> None:
    assert next_config(replace(SETTINGS, optim=named), []).get("optim") == wanted


def test_a_factor_alone_becomes_a_value_once_the_old_one_is_known() -> None:
    triple = Advice("learning_rate", None, None, 3.0, "some-rule", "", 0.5, "")
    quarter = Advice("batch_size", None, None, 0.25, "some-rule", "", 0.5, "")
    assert numeric([triple, quarter]) == [triple, quarter]
    assert (from_old(triple, 1e-4).old, from_old(triple, 1e-4).new) == (1e-4, 3e-4)
    assert from_old(quarter, 3).new == 1


def test_the_next_run_is_the_logged_settings_in_trl_s_keys_with_the_change() -> None:
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


CONFIG = """\
method: sft
model_name_or_path: tuner/tiny
dataset_name: rows.jsonl
learning_rate: 1.0e-05
per_device_train_batch_size: 8
max_steps: 1e2
warmup_steps: 20
eval_steps: 10
save_steps: 20
logging_steps: 5
use_peft: true
lora_r: 8
"""


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ({"batch_size": 32}, (25, 5, 2, 4, 1)),
        ({"batch_size": 4}, (200, 40, 20, 40, 10)),
        ({"warmup_ratio": 0.1}, (100, 0.1, 10, 20, 5)),
        ({"num_train_epochs": 2.0}, (None, 20, 10, 20, 5)),
        ({"lora_r": 16}, (100, 20, 10, 20, 5)),
        ({"batch_size": 32, "warmup_ratio": 0.03, "learning_rate": 3e-5}, (25, 0.03, 2, 4, 1)),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_the_next_run_trains_what_a_trial_of_a_study_would(
    tmp_path: Path, change: dict[str, float], counts: tuple[float | None, ...]
) -> None:
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    (tmp_path / "config.yaml").write_text(CONFIG)
    trial = with_overrides(load_spec(tmp_path / "config.yaml").config, change)
    changes = [advise(knob, None, value) for knob, value in change.items()]
    made = next_config(Settings(), changes, own_config(tmp_path))
    (tmp_path / "next.yaml").write_text(as_yaml("run", made, (), None))
    next_run = load_spec(tmp_path / "next.yaml").config
    assert next_run == trial
    keys = ("max_steps", "warmup_steps", "eval_steps", "save_steps", "logging_steps")
    assert tuple(next_run.get(key) for key in keys) == counts


def test_a_log_alone_is_enough_for_the_next_run_and_trl_is_not_loaded() -> None:
    code = (
        "import sys\nfrom diagnostics.model.records import Advice\nfrom diagnostics.model.settings import Settings\n"
        "from tuner.config.next_run import next_config\n"
        "settings = Settings(method='sft', batch_size=16, max_steps=100, eval_steps=10.0, warmup_ratio=0.03)\n"
        "made = next_config(settings, [Advice('batch_size', 16, 4, None, 'some-rule', '', 0.5, '')])\n"
        "print([made[key] for key in ('max_steps', 'eval_steps', 'warmup_steps', 'per_device_train_batch_size')])\n"
        "print(sorted({'torch', 'trl', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[400, 40, 0.03, 4]", "[]"]


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
    run, change, fill_in = text.splitlines()[:3]
    assert [line[0] for line in (run, change, fill_in)] == ["#", "#", "#"]
    assert "my run" in run and FILL_IN in fill_in
    assert all(part in change for part in ("learning_rate", "3e-5", "1e-4", "some-rule"))


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


@pytest.mark.parametrize("text", [None, "- a list", "key: [", "\0", "max_steps: many"])
def test_a_config_that_cannot_be_used_is_none(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "config.yaml").write_text(text)
    assert own_config(tmp_path) is None


def test_a_run_s_config_comes_without_its_study_block(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("method: sft\nlearning_rate: 1.0e-4\nstudy: {trials: 3}\n")
    assert own_config(tmp_path) == {"method": "sft", "learning_rate": 1e-4}


def test_the_first_advice_that_is_a_value_makes_the_next_run() -> None:
    tip = replace(advise("lora_r", 8, 16), optional=True)
    again = advise("batch_size", 16, 8)
    run, found = Run("runs/a\nb", {}, SETTINGS), Diagnosis("runs/a", Label.UNDERFIT, "rate-too-low", 0.9, None)
    text = next_run_yaml(run, replace(found, advice=(tip, advise("data", None, None), RATE, again)))
    assert yaml.safe_load(text)["learning_rate"] == 1e-4
    assert "# batch_size" not in text
    assert text.startswith("# the next run after runs/a b\n")
    assert next_run_yaml(run, replace(found, advice=(tip,))) == ""
    assert yaml.safe_load(next_run_yaml(run, replace(found, advice=(RATE,)), {"dataset_name": "d"})) == {
        "dataset_name": "d",
        "learning_rate": 1e-4,
    }
