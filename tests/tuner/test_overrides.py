import pytest
from hypothesis import given
from hypothesis import strategies as st

from tuner.config.methods import TRL_METHODS
from tuner.config.overrides import DEFAULTS, check_batch, setting_value, settings_of, with_overrides
from tuner.config.study_file import SpecError
from tuner.config.trl_schema import keys_of

FILE = {"learning_rate": 1e-5, "per_device_train_batch_size": 8, "lora_r": 8, "lora_alpha": 16, "use_peft": True}


def test_a_batch_of_32_with_8_on_the_device_is_four_accumulated_batches():
    made = with_overrides(FILE, {"batch_size": 32})
    assert (made["per_device_train_batch_size"], made["gradient_accumulation_steps"]) == (8, 4)
    assert "batch_size" not in made


@pytest.mark.parametrize(
    ("batch", "per_device", "accumulation"), [(12, 6, 2), (7, 7, 1), (4, 4, 1), (22, 2, 11), (1, 1, 1), (13, 1, 13)]
)
def test_a_batch_that_does_not_divide_takes_the_largest_part_that_fits_the_device(batch, per_device, accumulation):
    made = with_overrides(FILE, {"batch_size": batch})
    assert made["per_device_train_batch_size"] == per_device
    assert made["gradient_accumulation_steps"] == accumulation


@given(st.integers(1, 4096), st.integers(1, 64))
def test_the_parts_of_a_batch_always_multiply_to_it_and_never_exceed_the_device(batch, on_device):
    made = with_overrides({"per_device_train_batch_size": on_device}, {"batch_size": batch})
    assert made["per_device_train_batch_size"] * made["gradient_accumulation_steps"] == batch
    assert made["per_device_train_batch_size"] <= on_device


@pytest.mark.parametrize(("batch", "steps"), [(16, 50), (4, 200), (8, 100), (3, 267)])
def test_another_batch_sees_as_many_samples(batch, steps):
    assert with_overrides({**FILE, "max_steps": 100}, {"batch_size": batch})["max_steps"] == steps


def test_steps_between_evaluations_and_of_warm_up_follow_the_batch_but_shares_do_not():
    config = {
        **FILE,
        "max_steps": 100,
        "eval_steps": 10.0,
        "save_steps": 20.0,
        "logging_steps": 0.02,
        "warmup_steps": 8.0,
    }
    made = with_overrides(config, {"batch_size": 32})
    assert (made["max_steps"], made["eval_steps"], made["save_steps"], made["warmup_steps"]) == (25, 2, 4, 2)
    assert made["logging_steps"] == 0.02


def test_warm_up_is_a_share_below_one_in_trl_s_warmup_steps():
    made = with_overrides(FILE, {"warmup_ratio": 0.1})
    assert made["warmup_steps"] == 0.1
    assert "warmup_ratio" not in made
    assert with_overrides({**FILE, "warmup_ratio": 0.05}, {})["warmup_steps"] == 0.05


def test_alpha_stays_when_the_rank_changes():
    made = with_overrides(FILE, {"lora_r": 64})
    assert (made["lora_r"], made["lora_alpha"]) == (64, 16)


def test_more_epochs_are_not_hidden_behind_max_steps():
    assert "max_steps" not in with_overrides({**FILE, "max_steps": 100}, {"num_train_epochs": 2})


def test_the_config_that_is_given_is_left_as_it_is():
    before = dict(FILE)
    with_overrides(FILE, {"batch_size": 32, "learning_rate": 1.0})
    assert before == FILE


def test_a_silent_file_has_trl_s_defaults():
    assert setting_value({}, "sft", "learning_rate") == 2e-5
    assert setting_value({}, "dpo", "learning_rate") == 1e-6
    assert setting_value({}, "dpo", "beta") == 0.1
    assert setting_value({}, "dpo", "loss_type") == "sigmoid"
    assert setting_value({}, "sft", "batch_size") == 8
    assert setting_value({}, "sft", "warmup_ratio") == 0.0


@pytest.mark.parametrize("method", TRL_METHODS)
def test_the_defaults_that_are_known_without_trl_are_trl_s(method):
    assert {name: keys_of(method)[name].default for name in DEFAULTS} == DEFAULTS


def test_the_batch_counts_every_process(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert setting_value(FILE, "sft", "batch_size") == 32
    assert with_overrides(FILE, {"batch_size": 64})["gradient_accumulation_steps"] == 2
    with pytest.raises(SpecError, match=r"batch_size 6 .* 4 processes"):
        with_overrides(FILE, {"batch_size": 6})


def test_warm_up_in_steps_is_a_share_only_when_the_total_is_known():
    assert setting_value({"warmup_steps": 10.0, "max_steps": 100}, "sft", "warmup_ratio") == 0.1
    assert setting_value({"warmup_steps": 10.0}, "sft", "warmup_ratio") is None


def test_batch_keys_that_disagree_are_refused(tmp_path):
    config = {"batch_size": 32, "per_device_train_batch_size": 8, "gradient_accumulation_steps": 2}
    with pytest.raises(SpecError, match=r"x\.yaml: batch_size 32"):
        check_batch(config, tmp_path / "x.yaml")
    check_batch({**config, "gradient_accumulation_steps": 4}, tmp_path / "x.yaml")


def test_settings_hold_what_was_changed_and_the_defaults():
    settings = settings_of(with_overrides(FILE, {"batch_size": 32, "warmup_ratio": 0.1}), "sft")
    assert (settings.batch_size, settings.warmup_ratio, settings.learning_rate) == (32, 0.1, 1e-5)
    assert (settings.method, settings.lora_r, settings.lora_dropout) == ("sft", 8, 0.05)
    assert settings.max_steps is None
    assert settings_of({"use_peft": False}, "sft").lora_r is None


@pytest.mark.parametrize(
    ("config", "batch", "limits", "parts"),
    [
        ({"per_device_train_batch_size": 8}, 32, (4, 8), (4, 8, 8)),
        ({"per_device_train_batch_size": 8, "gradient_accumulation_steps": 2}, None, (2, 1), (2, 8, 1)),
        ({"per_device_train_batch_size": 8, "per_device_eval_batch_size": 16}, None, (8, 16), (8, 1, 16)),
        ({"per_device_train_batch_size": 2}, 2, (4, 8), (2, 1, 8)),
        ({"batch_size": 12, "per_device_train_batch_size": 6}, None, (4, 4), (4, 3, 4)),
    ],
)
def test_a_limit_lowers_the_rows_of_a_device_and_never_the_effective_batch(config, batch, limits, parts):
    overrides = dict(zip(("device_batch_limit", "eval_batch_limit"), limits, strict=True))
    made = with_overrides(config, overrides | ({"batch_size": batch} if batch else {}))
    keys = ("per_device_train_batch_size", "gradient_accumulation_steps", "per_device_eval_batch_size")
    assert tuple(made[key] for key in keys) == parts
    assert "device_batch_limit" not in made and "eval_batch_limit" not in made


def test_a_limit_leaves_the_number_of_steps_alone():
    made = with_overrides({**FILE, "max_steps": 100}, {"device_batch_limit": 2, "eval_batch_limit": 8})
    assert made["max_steps"] == 100
