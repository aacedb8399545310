"""Made-up trainers: each reads its settings from its own keys, as that trainer has them, and writes that trainer's log.

``python dialects.py NAME WORDS...`` takes what the trainer's command takes. A key that is missing is an error, as it is
there.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.dialects import automodel, consoles, hf, llamafactory, swift, torchtune
from benchmarks.dialects.measured import Eval, Layout, Measured

STEPS = 60


@dataclass(frozen=True)
class Run:
    """What a trainer understood of its config."""

    rate: float
    rows: int
    rank: int
    seed: int
    output: Path
    length: int = STEPS

    def measured(self) -> Measured:
        """A bowl over the learning rate, as a training loop would measure it."""
        steps = np.arange(1, self.length + 1)
        losses = 1 + (math.log10(self.rate) + 3) ** 2 / 4 + 2 * np.exp(-steps / 12) + 0.001 * np.sin(steps * self.seed)
        evals = tuple(Eval(int(step), float(losses[step - 1]) + 0.02) for step in range(5, self.length + 1, 5))
        settings = {"learning_rate": self.rate, "batch_size": self.rows, "lora_r": self.rank, "lora_alpha": 16}
        ones = np.ones(self.length)
        return Measured(losses, self.rate * ones, ones, evals, self.length, {**settings, "num_train_epochs": 1})


def read(file: str) -> dict[str, Any]:
    """A config as PyYAML reads it: ``1e-4`` is a text there, and would not do."""
    return dict(yaml.safe_load(Path(file).read_text(encoding="utf-8")))


def number(value: Any) -> float:
    assert isinstance(value, (int, float)), f"{value!r} is no number"
    return float(value)


def of_hf(config: Mapping[str, Any], rank: str, rows: str = "per_device_train_batch_size") -> Run:
    """A run by the names that transformers gives most settings."""
    batch = config[rows] * config["gradient_accumulation_steps"]
    return Run(number(config["learning_rate"]), batch, config[rank], config["seed"], Path(config["output_dir"]))


def run_llamafactory(words: list[str]) -> None:
    assert words[0] == "train"
    config = read(words[1])
    run = of_hf(config, "lora_rank")
    assert not config["val_size"] and "overwrite_output_dir" not in config
    info = json.loads((Path(config["dataset_dir"]) / "dataset_info.json").read_text())
    parts = [json.loads((Path(config["dataset_dir"]) / info[config[key]]["file_name"]).read_text()) for key in DATASETS]
    assert [len(part) for part in parts] == [27, 3]
    llamafactory.write(run.measured(), Layout(1), run.output)


DATASETS = ("dataset", "eval_dataset")


def run_axolotl(words: list[str]) -> None:
    assert words[0] == "train"
    config = read(words[1])
    run = of_hf(config, "lora_r", "micro_batch_size")
    assert config["base_model"] and config["val_set_size"] == 0 and config["use_tensorboard"]
    parts = [json.loads(Path(config[key][0]["path"]).read_text()) for key in ("datasets", "test_datasets")]
    assert [len(part) for part in parts] == [27, 3]
    hf.write_state(run.measured(), Layout(1), run.output / f"checkpoint-{STEPS}")


def run_swift(words: list[str]) -> None:
    assert words[0] == "sft"
    config = read(words[1])
    run = of_hf(config, "lora_rank")
    assert config["add_version"] is False and config["data_seed"] == 42 and config["split_dataset_ratio"] == 0.1
    swift.write(run.measured(), Layout(1), run.output)


def run_torchtune(words: list[str]) -> None:
    assert words[:3] == ["run", "lora_finetune_single_device", "--config"]
    config = read(words[3])
    rows = config["batch_size"] * config["gradient_accumulation_steps"]
    rate, rank = number(config["optimizer"]["lr"]), config["model"]["lora_rank"]
    run = Run(rate, rows, rank, config["seed"], Path(config["output_dir"]))
    assert config["metric_logger"]["_component_"].endswith("DiskLogger") and config["model"]["_component_"]
    torchtune.write(run.measured(), Layout(1), Path(config["metric_logger"]["log_dir"]))


def run_unsloth(words: list[str]) -> None:
    assert words[:2] == ["train", "-c"]
    config = read(words[2])
    training, lora = config["training"], config["lora"]
    rows = training["batch_size"] * training["gradient_accumulation_steps"]
    output = Path(training["output_dir"])
    run = Run(
        number(training["learning_rate"]), rows, lora["lora_r"], training["random_seed"], output, training["max_steps"]
    )
    assert config["logging"]["tensorboard_dir"] == f"{output}/runs"
    hf.write_state(run.measured(), Layout(1, evals=False), run.output / f"checkpoint-{run.length}")


def run_open_instruct(words: list[str]) -> None:
    config = read(words[-1])
    run = of_hf(config, "lora_rank")
    assert config["logging_steps"] == 1
    consoles.write_open_instruct(run.measured(), Layout(1), run.output / "made")
    print((run.output / "made" / "train.log").read_text())
    (run.output / "made" / "train.log").unlink()


def run_verl(words: list[str]) -> None:
    import os

    known = dict(word.split("=", 1) for word in words if "=" in word)
    assert known["trainer.logger"] == "[console,file]" and known["data.val_files"] == "'[a b.parquet]'"
    rank, output = int(known["model.lora_rank"]), Path(known["trainer.default_local_dir"])
    rows, seed = int(known["data.train_batch_size"]), int(known["trainer.seed"])
    run = Run(float(known["optim.lr"]), rows, rank, seed, output, int(known["trainer.total_training_steps"]))
    assert run.rows % int(known["data.micro_batch_size_per_gpu"]) == 0
    made = consoles.write_verl(run.measured(), Layout(1, seed=1), output / "made")
    made.replace(os.environ["VERL_FILE_LOGGER_PATH"])


def run_automodel(words: list[str]) -> None:
    config = read(words[0])
    assert words[1:] == ["--nproc-per-node", "1"]
    steps, peft = config["step_scheduler"], config["peft"]
    rate, output = number(config["optimizer"]["lr"]), Path(config["checkpoint"]["checkpoint_dir"])
    run = Run(rate, steps["global_batch_size"], peft["dim"], config["rng"]["seed"], output, steps["max_steps"])
    automodel.write(run.measured(), Layout(1), output)


def run_trl(words: list[str]) -> None:
    assert words[:2] == ["dpo", "--config"]
    config = read(words[2])
    run = of_hf(config, "lora_r")
    assert config["warmup_steps"] < 1 and "warmup_ratio" not in config
    parts = [(Path(config["dataset_name"]) / f"{part}.jsonl").read_text().count("\n") for part in ("train", "test")]
    assert parts == [27, 3]
    hf.write_state(run.measured(), Layout(1), run.output)


TRAINERS: Mapping[str, Callable[[list[str]], None]] = {
    "llamafactory": run_llamafactory,
    "axolotl": run_axolotl,
    "swift": run_swift,
    "torchtune": run_torchtune,
    "unsloth": run_unsloth,
    "open-instruct": run_open_instruct,
    "verl": run_verl,
    "automodel": run_automodel,
    "trl": run_trl,
}

if __name__ == "__main__":
    TRAINERS[sys.argv[1]](sys.argv[2:])
