"""Made-up trainers that train step by step: each logs, saves, stops, resumes and runs out of memory as its own does.

``python -m tests.tuner.drivers.live NAME WORDS...`` takes what the trainer's command takes. ``FITS`` in the environment
is how many rows its device holds.
"""

from __future__ import annotations

import json
import math
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.diagnostics.readers.records import event, simple, version

EACH = 2
"""Steps between two evaluations with a checkpoint, where the config does not say."""
NO_MEMORY = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB"
)
BY_TORCHRUN = """{error}
E1122 04:00:00.000000 1 torch/distributed/elastic/multiprocessing/api.py:984] failed (exitcode: 1) local_rank: 0
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
trainer FAILED
  exitcode  : 1 (pid: 1)"""


@dataclass
class Job:
    """What a trainer understood: its rate, the rows that a device holds at once, its length, where it writes.

    ``start`` is the step that it resumes after, ``each`` the steps between checkpoints; event files lie in ``events``.
    """

    rate: float
    rows: int
    steps: int
    output: Path
    start: int = 0
    each: int = EACH
    events: Path = Path()

    def loss(self, step: int) -> float:
        """A bowl over the learning rate."""
        return 1 + (math.log10(self.rate) + 3) ** 2 / 4 + 2 * math.exp(-step / 12)


def read(file: str) -> dict[str, Any]:
    return dict(yaml.safe_load(Path(file).read_text(encoding="utf-8")))


def newest(output: Path, pattern: str) -> int:
    """The step of the newest checkpoint, 0 without one."""
    return max((int(re.findall(r"\d+", path.name)[-1]) for path in output.glob(pattern)), default=0)


def of_axolotl(words: list[str]) -> Job:
    config = read(words[1])
    assert not (config.get("evals_per_epoch") and config.get("eval_steps")), "eval_steps and evals_per_epoch"
    assert not (config.get("saves_per_epoch") and config.get("save_steps")), "save_steps and saves_per_epoch"
    checkpoint = config.get("resume_from_checkpoint")
    start = int(Path(checkpoint).name.removeprefix("checkpoint-")) if checkpoint else 0
    steps = config.get("max_steps") or 40
    each = config.get("save_steps") or 5
    assert config["use_tensorboard"]
    events, rows = Path(os.environ["TENSORBOARD_LOGGING_DIR"]), config["micro_batch_size"]
    return Job(float(config["learning_rate"]), rows, steps, _output(config), start, each, events)


def of_unsloth(words: list[str]) -> Job:
    config = read(words[2])
    training, logging = config["training"], config["logging"]
    assert logging["enable_tensorboard"]
    output, events = Path(training["output_dir"]), Path(logging["tensorboard_dir"])
    return Job(training["learning_rate"], training["batch_size"], training["max_steps"], output, events=events)


def of_open_instruct(words: list[str]) -> Job:
    config = read(words[-1])
    assert config["do_not_randomize_output_dir"] and not config["push_to_hub"]
    assert not config["try_launch_beaker_eval_jobs"]
    each, output = config.get("checkpointing_steps") or "5", _output(config)
    assert each.isdigit()  # it asks a text, and a number has no such method
    done = [path for path in output.glob("step_*") if (path / "COMPLETED").exists()]
    start = max((int(path.name.removeprefix("step_")) for path in done), default=0)
    steps = config.get("max_train_steps") or 40
    return Job(config["learning_rate"], config["per_device_train_batch_size"], steps, output, start, int(each))


def of_verl(words: list[str]) -> Job:
    known = dict(word.split("=", 1) for word in words if "=" in word and not word.startswith("--"))
    assert known["data.use_dynamic_bsz"] == "false", "the rows of a device count for nothing"
    output = Path(known["trainer.default_local_dir"])
    start = newest(output, "global_step_*") if known["trainer.resume_mode"] == "auto" else 0
    rows, steps = int(known["data.micro_batch_size_per_gpu"]), int(known["trainer.total_training_steps"])
    return Job(float(known["optim.lr"]), rows, steps, output, start, int(known["trainer.save_freq"]))


def of_automodel(words: list[str]) -> Job:
    config = read(words[0])
    steps, checkpoint = config["step_scheduler"], config["checkpoint"]
    assert checkpoint["enabled"]
    restored = checkpoint.get("restore_from")
    start = int(restored.rpartition("_")[2]) + 1 if restored else 0
    output, rows = Path(checkpoint["checkpoint_dir"]), steps["local_batch_size"]
    return Job(config["optimizer"]["lr"], rows, steps["max_steps"], output, start, steps["ckpt_every_steps"])


def _output(config: Mapping[str, Any]) -> Path:
    return Path(config["output_dir"])


def as_state(job: Job, step: int, evaluates: bool = True) -> None:
    """transformers' event file, and its log in each of its checkpoints."""
    saves = step % job.each == 0 or step == job.steps
    values = {"train/loss": job.loss(step), "train/learning_rate": job.rate, "train/epoch": step / job.steps}
    values |= {"eval/loss": job.loss(step) + 0.02} if saves and evaluates else {}
    job.events.mkdir(parents=True, exist_ok=True)
    with (job.events / f"events.out.tfevents.{os.getpid()}.host.1.0").open("ab") as log:
        begins = [version()] if step == job.start + 1 else []
        log.write(b"".join([*begins, *(event(step, simple(tag, value)) for tag, value in values.items())]))
    if saves:
        (job.output / f"checkpoint-{step}").mkdir(parents=True, exist_ok=True)
        state = {"global_step": step, "max_steps": job.steps, "log_history": [{"step": step, "loss": job.loss(step)}]}
        (job.output / f"checkpoint-{step}" / "trainer_state.json").write_text(json.dumps(state))


def as_print(job: Job, step: int) -> None:
    """open-instruct's line, and its folder of a step that is marked when it is complete."""
    print(f"  Step: {step}, LR: {job.rate}, Loss: {job.loss(step)}", flush=True)
    if step % job.each == 0:
        (job.output / f"step_{step}").mkdir(parents=True, exist_ok=True)
        (job.output / f"step_{step}" / "COMPLETED").touch()


def as_verl(job: Job, step: int) -> None:
    """verl's lines of JSON, in the file that a variable names."""
    data = {"train/loss": job.loss(step), "train/lr": job.rate}
    saves = step % job.each == 0
    data |= {"val/loss": job.loss(step) + 0.02} if saves else {}
    with Path(os.environ["VERL_FILE_LOGGER_PATH"]).open("a") as log:
        log.write(json.dumps({"step": step, "data": data}) + "\n")
    if saves:
        (job.output / f"global_step_{step}").mkdir(parents=True, exist_ok=True)
        (job.output / f"global_step_{step}" / "model.pt").touch()


def as_automodel(job: Job, step: int) -> None:
    """Automodel's two files of JSON lines; its first step is 0."""
    saves = step % job.each == 0
    _add(job.output / "training.jsonl", {"step": step - 1, "epoch": 0, "loss": job.loss(step), "lr": job.rate})
    if saves:
        _add(job.output / "validation.jsonl", {"step": step - 1, "epoch": 0, "val_loss": job.loss(step) + 0.02})
        save_automodel(job, step)


def save_automodel(job: Job, step: int) -> None:
    (job.output / f"epoch_0_step_{step - 1}").mkdir(parents=True, exist_ok=True)
    (job.output / f"epoch_0_step_{step - 1}" / "step_scheduler.pt").touch()


def save_adapter(job: Job, step: int) -> None:
    (job.output / "adapter_model.safetensors").touch()


def _add(path: Path, row: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as log:
        log.write(json.dumps(row) + "\n")


@dataclass(frozen=True)
class Kind:
    """A trainer: how it reads its config and logs a step, and which signal it answers by saving and leaving with 0."""

    job: Callable[[list[str]], Job]
    log: Callable[[Job, int], None]
    answers: int | None = None
    save: Callable[[Job, int], None] = save_adapter
    error: str = NO_MEMORY


KINDS: Mapping[str, Kind] = {
    "axolotl": Kind(of_axolotl, as_state, signal.SIGINT),
    "unsloth": Kind(of_unsloth, lambda job, step: as_state(job, step, evaluates=False)),
    "open-instruct": Kind(of_open_instruct, as_print, error=f"[rank0]: {NO_MEMORY}"),
    "verl": Kind(of_verl, as_verl, error=BY_TORCHRUN.format(error=f"[rank0]: {NO_MEMORY}")),
    "automodel": Kind(
        of_automodel, as_automodel, signal.SIGTERM, save_automodel, BY_TORCHRUN.format(error=f"[rank0]: {NO_MEMORY}")
    ),
}


def main(name: str, words: list[str]) -> None:
    """Train, and end as that trainer ends."""
    kind, told = KINDS[name], []
    if kind.answers is not None:
        signal.signal(kind.answers, lambda *_: told.append(True))
    job = kind.job(words)
    if job.rows > int(os.environ.get("FITS", "1000")):
        sys.exit(kind.error)
    for step in range(job.start + 1, job.steps + 1):
        kind.log(job, step)
        if told:
            kind.save(job, step)
            return
        time.sleep(float(os.environ.get("PAUSE", "0.001")))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
