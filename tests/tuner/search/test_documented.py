"""The plug-ins as the documentation shows them, in real trainers."""

from __future__ import annotations

import logging
import re
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.samplers import RandomSampler

from tuner import DiagnosisCallback, DiagnosisPruner, DiagnosisSampler, record
from tuner.config.library_logging import quiet

PAGE = Path(__file__).parents[3] / "docs" / "quickstart" / "my-optuna-study.md"
STEPS = 40
NAME = "documented"
"""One run in eight is spared, by the study's name: in this one none of the first three."""


def snippet(name: str) -> dict[str, Any]:
    """What a block of the page defines."""
    found = re.search(rf"<!-- run: {name} -->\n```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    names: dict[str, Any] = {}
    exec(found.group(1), names)
    return names


def trained(folder: Path, rate: float, callback: Any) -> float:
    """A real Trainer that learns which number follows which; its last eval loss."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments

    random = torch.Generator().manual_seed(0)
    follows = torch.randint(0, 32, (32,), generator=random)
    rows = []
    for first in torch.randint(0, 32, (96,), generator=random).tolist():
        row = [first]
        for _ in range(7):
            row.append(int(follows[row[-1]]))
        rows.append({"input_ids": torch.tensor(row), "labels": torch.tensor(row)})
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=32, num_key_value_heads=2, **shape))
    arguments = TrainingArguments(
        str(folder),
        learning_rate=rate,
        max_steps=STEPS,
        logging_steps=2,
        eval_strategy="steps",
        eval_steps=4,
        report_to="tensorboard",
        per_device_train_batch_size=16,
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    )
    trainer = Trainer(model, arguments, train_dataset=rows[:64], eval_dataset=rows[64:], callbacks=[callback])
    trainer.train()
    return float(trainer.evaluate()["eval_loss"])


def test_the_pages_callback_prunes_a_trainer(tmp_path: Path):
    prune = snippet("prune")["Prune"]

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("learning_rate", 1e-6, 1.0, log=True)
        log = tmp_path / str(trial.number)
        value = trained(log, rate, prune(trial, log))
        record(trial, log)
        return value

    study = optuna.create_study(study_name=NAME, sampler=DiagnosisSampler(), pruner=DiagnosisPruner())
    for rate in (1e-2, 1e-6, 1.0):
        study.enqueue_trial({"learning_rate": rate})
    with quiet():
        study.optimize(objective, n_trials=3)
    good, slow, wild = study.trials
    assert (good.state.name, slow.state.name) == ("COMPLETE", "PRUNED")
    assert slow.last_step is not None and slow.last_step < STEPS
    assert wild.state.name == "PRUNED" and wild.user_attrs["stopped"]["code"] in ("diverged", "out-of-reach")


def test_a_study_with_several_objectives_is_warned_of_once(caplog: pytest.LogCaptureFixture):
    def objective(trial: optuna.Trial) -> tuple[float, float]:
        rate = trial.suggest_float("learning_rate", 1e-5, 1e-1, log=True)
        return rate, 1 / rate

    study = optuna.create_study(directions=["minimize"] * 2, sampler=DiagnosisSampler(RandomSampler(seed=0)))
    with caplog.at_level(logging.WARNING, "tuner"):
        study.optimize(objective, n_trials=5)
    assert len([one for one in caplog.records if one.name == "tuner"]) == 1
    assert {trial.state.name for trial in study.trials} == {"COMPLETE"}


def test_a_trial_to_which_nothing_was_reported_is_warned_of_once(caplog: pytest.LogCaptureFixture, tmp_path: Path):
    (tmp_path / "log.csv").write_text("step,loss\n" + "".join(f"{step},{1 / step}\n" for step in range(1, 40)))
    trial = optuna.create_study(pruner=DiagnosisPruner()).ask()
    with caplog.at_level(logging.WARNING, "tuner"):
        for share in (0.4, 0.6):
            record(trial, tmp_path, share=share)
            assert not trial.should_prune()
    assert len([one for one in caplog.records if one.name == "tuner"]) == 1


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_reward_based_trainer_is_not_called_healthy_in_mid_run(small_model: Path, tmp_path: Path):
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    def lengths(completions: list[str], **_: Any) -> list[float]:
        return [float(len(one) % 7) for one in completions]

    said: list[str] = []
    arguments = GRPOConfig(
        str(tmp_path / "out"),
        max_steps=16,
        per_device_train_batch_size=4,
        num_generations=4,
        max_completion_length=4,
        logging_steps=1,
        report_to="none",
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
    )
    rows = Dataset.from_list([{"prompt": f"What is color {n}?"} for n in range(8)])
    callback = DiagnosisCallback(say=said.append, every=4, share=1.0)
    with quiet():
        GRPOTrainer(str(small_model), lengths, args=arguments, train_dataset=rows, callbacks=[callback]).train()
    assert callback.run.settings.method == "grpo" and len(callback.run.curves["reward"]) == 16
    assert not [line for line in said if "healthy" in line]
