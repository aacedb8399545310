from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np

from diagnostics.model.message import message
from diagnostics.readers import read

ROWS = [
    {"step": 10, "epoch": 0.5, "loss": 2.5, "grad_norm": 1.0, "learning_rate": 1e-4},
    {"step": 20, "epoch": 1.0, "loss": float("nan"), "grad_norm": float("inf"), "learning_rate": 5e-5},
    {"step": 20, "epoch": 1.0, "eval_loss": 2.25, "eval_rewards/margins": 0.5, "eval_runtime": 1.0},
    {
        "step": 20,
        "epoch": 1.0,
        "train_loss": 2.4,
        "train_runtime": 100.0,
        "train_samples_per_second": 6.4,
        "total_flos": 1e9,
    },
]


def state(**more: object) -> str:
    return json.dumps({"log_history": ROWS, "global_step": 20, "max_steps": 20, "num_train_epochs": 1, **more})


def test_the_history_becomes_curves(tmp_path: Path):
    (tmp_path / "trainer_state.json").write_text(state())
    run = read(tmp_path / "trainer_state.json")
    assert run.name == tmp_path.name
    assert run.curves["train_loss"].values.tolist() == [2.5]
    assert run.curves["train_loss"].broken == (20,)
    assert run.curves["grad_norm"].broken == (20,)
    assert run.curves["eval_loss"].values.tolist() == [2.25]
    assert run.curves["eval_rewards_margins"].values.tolist() == [0.5]
    assert run.curves["epoch"].values.tolist() == [0.5, 1.0]


def test_the_state_gives_rate_length_and_batch(tmp_path: Path):
    (tmp_path / "trainer_state.json").write_text(state(train_batch_size=8, logging_steps=10))
    run = read(tmp_path / "trainer_state.json")
    assert run.settings.learning_rate == 1e-4
    assert (run.settings.max_steps, run.settings.num_train_epochs, run.settings.logging_steps) == (20, 1, 10)
    # 6.4 rows a second for 100 seconds in 20 steps.
    assert run.settings.batch_size == 32
    assert message("batch-from-throughput", batch=32) in run.notes
    assert run.settings.method == "dpo"


def test_the_files_beside_it_tell_what_the_state_does_not(tmp_path: Path):
    (tmp_path / "trainer_state.json").write_text(state(train_batch_size=8))
    (tmp_path / "adapter_config.json").write_text(
        '{"r": 8, "lora_alpha": 16, "lora_dropout": 0.1, "peft_type": "LORA"}'
    )
    (tmp_path / "config.yaml").write_text(
        "method: dpo\nlearning_rate: 1e-5\nper_device_train_batch_size: 4\ngradient_accumulation_steps: 2\n"
        "load_in_4bit: true\nwarmup_steps: 0.1\nbeta: 0.2\nloss_type: [sigmoid]\n"
        "num_train_epochs: 2.5\nstudy:\n  trials: 3\n"
    )
    known = read(tmp_path).settings.known()
    wanted = {
        "method": "dpo",
        "learning_rate": 1e-5,
        "lora_r": 8,
        "lora_alpha": 16,
        "lora_dropout": 0.1,
        "use_peft": True,
        "load_in_4bit": True,
        "warmup_ratio": 0.1,
        "beta": 0.2,
        "loss_type": "sigmoid",
        "num_train_epochs": 2.5,
    }
    assert {key: known.get(key) for key in wanted} == wanted
    assert "max_steps" not in known


def test_an_unreadable_settings_file_is_noted_and_left_out(tmp_path: Path):
    (tmp_path / "trainer_state.json").write_text(state())
    (tmp_path / "config.yaml").write_text("learning_rate: [1\n")
    (tmp_path / "adapter_config.json").write_bytes(b"\0\1")
    run = read(tmp_path)
    assert message("settings-not-read", file="config.yaml") in run.notes
    assert run.settings.lora_r is None


def test_a_bare_history_and_keras_columns_are_read_too(tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps(ROWS))
    assert read(tmp_path / "a.json").curves["eval_loss"].steps.tolist() == [20]
    (tmp_path / "k.json").write_text('{"loss": [3, 2, 1], "val_loss": [3.5, 2.5, 2], "params": {}}')
    run = read(tmp_path / "k.json")
    assert run.curves["train_loss"].values.tolist() == [3, 2, 1]
    assert run.curves["eval_loss"].steps.tolist() == [1, 2, 3]


ODD = [float("inf"), float("nan"), 1e308, -1e308, 10**400, -1, 0, True, None, "", "x", "1e999", [], [10**400], {}]
CONFIG = {
    "learning_rate": 1e-4,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 2,
    "warmup_steps": 9,
    "max_steps": 90,
    "num_train_epochs": 3,
    "world_size": 1,
    "text_config": {"hidden_size": 64},
}


def test_odd_values_anywhere_in_the_state_and_the_study_file_do_no_harm(tmp_path: Path):
    pick = random.Random(11)
    for _ in range(150):
        records = json.loads(state(train_batch_size=8, logging_steps=10))
        for target in [records, *pick.sample(records["log_history"], 2)]:
            target[pick.choice(sorted(target.keys() - {"log_history"}))] = pick.choice(ODD)
        (tmp_path / "trainer_state.json").write_text(json.dumps(records))
        (tmp_path / "config.yaml").write_text(json.dumps({**CONFIG, pick.choice(sorted(CONFIG)): pick.choice(ODD)}))
        run = read(tmp_path)
        assert run.curves
        assert all(np.isfinite(curve.values).all() for curve in run.curves.values())
