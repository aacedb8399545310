"""The exact match of a run: measured before the first step and after the last, with the answers kept to read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from tuner.training.generation import Question, Sample, exact_match, generate

NAME = "eval_exact_match"
SHOWN = 8
"""How many answers go into the event file; all of them go into ``samples.jsonl``."""

_baseline_cache: dict[Any, list[Sample]] = {}
"""The untouched model's answers, by model and questions: the trials of a study share them."""


def model_key(parsed: Any) -> tuple[Any, ...]:
    """What the untouched model's answers depend on beside the questions."""
    model = parsed.model
    return (model.model_name_or_path, model.model_revision, model.dtype, model.load_in_4bit, model.load_in_8bit)


class ExactMatchCallback(TrainerCallback):  # type: ignore[misc]
    """Puts the held-out questions to the model."""

    def __init__(self, trainer: Any, questions: Sequence[Question], key: tuple[Any, ...]) -> None:
        self.trainer = trainer
        self.questions = questions
        self.key = (key, json.dumps([(one.prompt, one.reference) for one in questions], sort_keys=True))
        self.before: list[Sample] = []
        self.after: list[Sample] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Question the untouched model, unless the run continues from a checkpoint."""
        if not self.questions or state.global_step:
            return
        if self.key not in _baseline_cache:
            _baseline_cache.clear()
            _baseline_cache[self.key] = self._generate()
        self.before = _baseline_cache[self.key]
        self.trainer.log({NAME: exact_match(self.before)})

    def measure_again(self) -> None:
        """Question the trained model (its best checkpoint)."""
        if self.questions:
            self.after = self._generate()
            self.trainer.log({NAME: exact_match(self.after)})

    def _generate(self) -> list[Sample]:
        return generate(self.trainer.model, self.trainer.processing_class, self.questions)

    def write(self, out: Path, board: Any) -> None:
        """Write the answers to ``samples.jsonl``, and the first of them into the event file."""
        if not self.after:
            return
        lines = [json.dumps(sample.to_dict(), ensure_ascii=False) for sample in self.after]
        (out / "samples.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        if board:
            board.text("samples", _table(self.before, self.after), self.trainer.state.global_step)


def _table(before: Sequence[Sample], after: Sequence[Sample]) -> str:
    """The first answers as a Markdown table."""
    rows = ["| question | reference | before | after |", "|---|---|---|---|"]
    for number, sample in enumerate(after[:SHOWN]):
        first = before[number].answer if number < len(before) else ""
        cells = (sample.prompt, sample.reference, first, sample.answer)
        rows.append("| " + " | ".join(_cell(text) for text in cells) + " |")
    return "\n".join(rows)


def _cell(text: str) -> str:
    flat = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
    return flat if len(flat) <= 200 else f"{flat[:200]}…"
