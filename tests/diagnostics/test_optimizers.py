"""Which optimizer made a run's steps: named in the log, or the usual one of the trainer whose form the log has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from diagnostics import Curve, Run, read
from diagnostics.diagnosis.context import prepare
from diagnostics.model.optimizers import is_adam
from diagnostics.model.settings import Settings
from diagnostics.outlook.features import SMALL_STEPS, outlook_features
from diagnostics.readers.assemble.forms import optimizer_of, trainer_of

LOGS = Path(__file__).parents[1] / "data" / "logs"


@pytest.mark.parametrize(
    "name",
    ["adamw_torch_fused", "adamw_8bit", "paged_adamw_32bit", "torch.optim.AdamW", "AdamOptimizer", "NAdam", "adam"],
)
def test_the_kinds_of_adam_are_adam_whoever_wrote_the_log(name: str):
    assert is_adam(Settings(optim=name))


@pytest.mark.parametrize(
    "name", ["sgd", "adafactor", "lion_8bit", "muon", "rmsprop", "prodigy", "DAdaptAdam", "adalomo"]
)
def test_another_optimizer_that_the_log_names_wins_over_the_trainers_usual_one(name: str):
    assert not is_adam(Settings(optim=name, written_by="transformers"))


def test_without_a_name_the_trainers_usual_one_counts_and_is_no_setting_of_the_log():
    assert is_adam(Settings(written_by="mlx-lm"))
    assert not is_adam(Settings())
    assert Settings(written_by="mlx-lm", learning_rate=1e-5).known() == {"learning_rate": 1e-5}


@pytest.mark.parametrize(
    ("log", "trainer", "optimizer"),
    [
        ("llamafactory", "LLaMA-Factory", None),
        ("printed.log", "transformers", None),
        ("trl-sft", "transformers", "adamw_torch_fused"),
        ("axolotl", "transformers", "adamw_8bit"),
        ("mlx_table.log", None, "adamw"),
        ("lightning", None, "AdamW"),
        ("keras.log", None, None),
    ],
)
def test_real_logs_tell_their_trainer_or_their_optimizer(log: str, trainer: str | None, optimizer: str | None):
    settings = read(LOGS / log).settings
    assert (settings.written_by, settings.optim) == (trainer, optimizer)


@pytest.mark.parametrize(
    ("line", "trainer"),
    [
        ("Step 10 | loss:2.31 lr:0.0003 tokens_per_second_per_gpu:2210.5", "torchtune"),
        ("Iter 10: Train loss 2.871, Learning Rate 1.000e-05, It/sec 5.4, Trained Tokens 512", "mlx-lm"),
        ("{'loss': 2.31, 'grad_norm': 0.7, 'learning_rate': 5e-05, 'epoch': 0.1}", "transformers"),
        ('{"step": 10, "data": {"train/loss": 2.31, "train/lr": 0.001, "train/global_tokens": 520}}', "verl"),
        ("{'loss': 2.31, 'epoch': 1}", None),
    ],
)
def test_lines_tell_their_trainer(line: str, trainer: str | None, tmp_path: Path):
    file = tmp_path / ("train.jsonl" if line.startswith('{"') else "train.log")
    file.write_text(f"{line}\n{line.replace('10', '20', 1)}\n", encoding="utf-8")
    assert read(file).settings.written_by == trainer


def test_rows_tell_a_trainer_only_by_all_of_its_names():
    names = {"global_step/max_steps", "loss", "learning_rate", "elapsed_time"}
    assert trainer_of(names) == {"written_by": "ms-swift"}
    assert trainer_of({"step", "loss", "lr", "epoch"}) == {}


def test_a_monitored_rate_names_its_optimizer_where_it_is_one():
    assert optimizer_of(["train_loss", "lr-SGD/pg1", "lr-SGD/pg2"]) == {"optim": "SGD"}
    assert optimizer_of(["lr-Adam", "lr-SGD"]) == {}
    assert optimizer_of(["lr", "lr-1"]) == {}


def test_a_torchtune_recipe_names_its_optimizer_and_the_width_of_a_model_of_its_own(tmp_path: Path):
    (tmp_path / "log_1755850000.txt").write_text("Step 1 | loss:2.3 lr:0.1\nStep 2 | loss:2.2 lr:0.1\n", "utf-8")
    (tmp_path / "torchtune_config.yaml").write_text(
        "model: {_component_: torchtune.models.llama2.llama2, embed_dim: 512, vocab_size: 256}\n"
        "optimizer: {_component_: torch.optim.SGD, lr: 0.1}\n",
        "utf-8",
    )
    settings = read(tmp_path).settings
    assert settings.optim == "torch.optim.SGD" and not is_adam(settings)
    assert (settings.hidden_size, settings.vocab_size) == (512, None)


def adam_rate(rate: float, **known: object) -> float | None:
    """The feature of a run at this rate."""
    loss = Curve.from_points(np.arange(1.0, 41), 1.0 + 2.0 * np.exp(-np.arange(40) / 10))
    seen = prepare(Run("run", {"train_loss": loss}, Settings.from_mapping({"learning_rate": rate, **known})), None)
    return outlook_features(seen.curves, seen.settings, seen.rate).get("adam_rate")


def test_only_a_large_rate_of_adam_says_something():
    assert adam_rate(0.3, optim="adamw") == pytest.approx(np.log10(0.3))
    assert adam_rate(1e-3, optim="adamw") == adam_rate(1e-6, written_by="torchtune") == SMALL_STEPS
    assert adam_rate(0.3) is None
    assert adam_rate(0.1, optim="adamw", adapter_kind="c3a") == SMALL_STEPS  # the usual rate of such adapters
    assert adam_rate(0.3, optim="adamw", adapter_kind="a new one") is None
    assert adam_rate(0.3, optim="sgd", written_by="torchtune") is None
