"""Runs whose trainer writes its own log: transformers' Trainer, and TRL's for SFT and DPO."""

from __future__ import annotations

import copy
import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fresh.loop import BROKEN_FROM, Truth, truth_of
from benchmarks.fresh.project import project
from benchmarks.fresh.recipe import Recipe
from benchmarks.fresh.rows import Row, row
from benchmarks.fresh.tasks import Task
from benchmarks.fresh.tasks.text import CONTEXT

LETTERS_OF = "\u00b7 abcdefghijklmnopqrstuvwxyz+*"
"""A letter for each token of the made-up languages: 0 is the padding, 1 the space between words."""
Trainer = Callable[[Task, Recipe, Path, dict[str, Any]], Truth]


def made(trainer: Trainer, tasks: tuple[str, ...], rng: np.random.Generator, count: int, folder: Path) -> list[Row]:
    """A project whose runs a real trainer trains and logs; folders of runs that are not scored are deleted."""
    kind = str(rng.choice(tasks))
    how = {
        "events": bool(rng.random() < 0.5),
        "evals": kind == "pairs" or bool(rng.random() < 0.8),
        "settings": bool(rng.random() < 0.6),
        "every": int(rng.choice([1, 2, 5, 10])),
        "beta": float(rng.choice([0.1, 0.1, 0.5])),
    }
    made_so_far = list[Path]()

    def train(task: Task, recipe: Recipe) -> tuple[Path, Truth]:
        out = folder / f"{len(made_so_far)}"
        made_so_far.append(out)
        return out, trainer(task, recipe, out, how)

    runs = project(kind, rng, count, False, train)
    runs = [run for run in runs if how["evals"] or run.answer.name != "overfit"]
    for path in {*made_so_far} - {run.log for run in runs}:
        shutil.rmtree(path, ignore_errors=True)
    return [row(run.log, run) for run in runs]


def transformers(task: Task, recipe: Recipe, out: Path, how: dict[str, Any]) -> Truth:
    """Transformers' Trainer on a language task."""
    from transformers import Trainer as HfTrainer
    from transformers import TrainingArguments

    model = task.model(recipe)
    rows = [{"input_ids": x, "labels": y} for x, y in zip(*(t[: recipe.rows] for t in task.rows), strict=True)]
    held = [{"input_ids": x, "labels": y} for x, y in zip(*(t[: task.seen] for t in task.held), strict=True)]
    trainer = HfTrainer(model, TrainingArguments(**_arguments(recipe, out, how)), train_dataset=rows, eval_dataset=held)
    return _trained(trainer, task, recipe, how)


def sft(task: Task, recipe: Recipe, out: Path, how: dict[str, Any]) -> Truth:
    """TRL's SFTTrainer: an adapter for another language."""
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    rows, held = (
        Dataset.from_dict({"text": [_spelled(one) for one in of[0][:count]]})
        for of, count in ((task.rows, recipe.rows), (task.held, task.seen))
    )
    arguments = SFTConfig(**_arguments(recipe, out, how), max_length=CONTEXT + 2)
    tools = {"processing_class": tokenizer(), "peft_config": _adapter(recipe)}
    trainer = SFTTrainer(
        task.model(replace(recipe, lora_r=None)), arguments, train_dataset=rows, eval_dataset=held, **tools
    )
    return _trained(trainer, task, recipe, how)


def dpo(task: Task, recipe: Recipe, out: Path, how: dict[str, Any]) -> Truth:
    """TRL's DPOTrainer: an adapter that prefers the order of the words; the truth is its own evaluation."""
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    rng = np.random.default_rng(recipe.seed)
    rows, held = (
        Dataset.from_list([_pair(_spelled(one), rng) for one in of[0][:count]])
        for of, count in ((task.rows, recipe.rows), (task.held, task.seen))
    )
    arguments = DPOConfig(**_arguments(recipe, out, how), max_length=CONTEXT + 2, beta=float(how["beta"]))
    tools = {"processing_class": tokenizer(), "peft_config": _adapter(recipe)}
    trainer = DPOTrainer(
        task.model(replace(recipe, lora_r=None)), args=arguments, train_dataset=rows, eval_dataset=held, **tools
    )
    _quietly(trainer)
    _leave(trainer, how)
    logged = [(r["step"], r["eval_loss"]) for r in trainer.state.log_history if "eval_loss" in r]
    return Truth.of([0, *(s for s, _ in logged)], [math.log(2), *(v for _, v in logged)])


def _spelled(tokens: Any) -> str:
    return "".join(LETTERS_OF[int(token)] for token in tokens)


def _pair(sentence: str, rng: np.random.Generator) -> dict[str, str]:
    """A sentence cut in two, against the same with the words of its second part mixed."""
    words = sentence.split(" ")
    cut = max(1, len(words) // 3)
    mixed = rng.permutation(words[cut:])
    return {"prompt": " ".join(words[:cut]) + " ", "chosen": " ".join(words[cut:]), "rejected": " ".join(mixed)}


def _arguments(recipe: Recipe, out: Path, how: dict[str, Any]) -> dict[str, Any]:
    every = max(1, recipe.steps // recipe.evals)
    evals = {"eval_strategy": "steps", "eval_steps": every} if how["evals"] else {"eval_strategy": "no"}
    return {
        "output_dir": str(out),
        "learning_rate": recipe.rate,
        "max_steps": recipe.steps,
        "per_device_train_batch_size": recipe.batch,
        "lr_scheduler_type": recipe.schedule,
        "warmup_steps": recipe.warmup,
        "weight_decay": recipe.decay,
        "max_grad_norm": recipe.clip or 0.0,
        "seed": recipe.seed % (1 << 31),
        "logging_steps": how["every"],
        "logging_nan_inf_filter": recipe.fault != "nan",
        "save_strategy": "no",
        "report_to": ["tensorboard"] if how["events"] else [],
        "use_cpu": True,
        "bf16": False,
        "gradient_checkpointing": False,
        "disable_tqdm": True,
        **evals,
    }


def _adapter(recipe: Recipe) -> Any:
    from peft import LoraConfig

    rank = recipe.lora_r or 8
    return LoraConfig(r=rank, lora_alpha=2 * rank, target_modules="all-linear", task_type="CAUSAL_LM")


@cache
def tokenizer() -> Any:
    """One token a letter; the space is the mark between words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    spelled = Tokenizer(models.WordLevel({letter: n for n, letter in enumerate(LETTERS_OF)}, unk_token=LETTERS_OF[0]))
    spelled.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    return PreTrainedTokenizerFast(
        tokenizer_object=spelled, pad_token=LETTERS_OF[0], eos_token=LETTERS_OF[0], unk_token=LETTERS_OF[0]
    )


def _trained(trainer: Any, task: Task, recipe: Recipe, how: dict[str, Any]) -> Truth:
    """Train, and measure the truth a few times on the way; leave what such programs leave."""
    from transformers import TrainerCallback

    due = {round(recipe.steps * i / 6) for i in range(1, 7)}
    steps, truths = [0], [truth_of(task, trainer.model)]
    begun = copy.deepcopy(trainer.model.state_dict()) if recipe.fault == "frozen" else {}

    class Watch(TrainerCallback):  # type: ignore[misc]
        def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **_: Any) -> None:
            if begun:
                model.load_state_dict(begun)
            if recipe.fault in ("nan", "zeros") and state.global_step >= BROKEN_FROM * recipe.steps:
                _fill_with_nan(model)
            if state.global_step in due:
                steps.append(state.global_step)
                truths.append(truth_of(task, model))

    trainer.add_callback(Watch())
    _quietly(trainer)
    _leave(trainer, how)
    return Truth.of(steps, truths)


def _fill_with_nan(model: Any) -> None:
    """What an overflow in 16 bits leaves of the weights that are trained."""
    import torch

    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.fill_(math.nan)


def _quietly(trainer: Any) -> None:
    """Train without the printed rows."""
    from transformers import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    trainer.train()


def _leave(trainer: Any, how: dict[str, Any]) -> None:
    """Leave the state where no events were written; with settings, also what beside an adapter tells of it."""
    if not how["events"]:
        trainer.save_state()
    if how["settings"] and hasattr(trainer.model, "peft_config"):
        trainer.model.peft_config["default"].save_pretrained(trainer.args.output_dir)


MAKERS = {
    "transformers": partial(made, transformers, ("other-language", "pretraining")),
    "trl-sft": partial(made, sft, ("other-language",)),
    "trl-dpo": partial(made, dpo, ("pairs",)),
}
