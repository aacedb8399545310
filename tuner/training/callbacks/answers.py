"""The answers of a run to held-out questions, scored before the first step and after the last, and kept to read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from tuner.training.answer_metrics import Scorer
from tuner.training.generation import Question, Sample, Way, exact_match, generate
from tuner.training.judge import Judge

NAME = "eval_exact_match"
SHOWN = 8
"""How many answers go into the event file; all of them go into ``samples.jsonl``."""
SAMPLING_TEMPERATURE = 0.8
"""Where several answers to one question are wanted: the temperature of the paper that defined pass@k (Chen 2021)."""

_baseline_cache: dict[Any, list[Sample]] = {}
"""The untouched model's answers, by model and questions: the trials of a study share them."""


@dataclass(frozen=True)
class AnswerScores:
    """What is measured of the answers, beside the exact match: by the name of its curve."""

    scorers: Mapping[str, Scorer] = field(default_factory=dict)
    attempts: Mapping[str, int] = field(default_factory=dict)
    judge: Judge | None = None


def model_key(parsed: Any) -> tuple[Any, ...]:
    """What the untouched model's answers depend on beside the questions."""
    model = parsed.model
    return (model.model_name_or_path, model.model_revision, model.dtype, model.load_in_4bit, model.load_in_8bit)


class AnswersCallback(TrainerCallback):  # type: ignore[misc]
    """Puts the held-out questions to the model."""

    def __init__(
        self, trainer: Any, questions: Sequence[Question], key: tuple[Any, ...], scores: AnswerScores | None = None
    ) -> None:
        self.trainer = trainer
        self.questions = questions
        self.scores = scores or AnswerScores()
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
        self.trainer.log(self._scored(self.before))

    def measure_again(self) -> None:
        """Question the trained model (its best checkpoint), and ask the judge whether it answers better than before."""
        if not self.questions:
            return
        self.after = self._generate()
        found = self._scored(self.after)
        if self.scores.judge is not None and self.before:
            found |= self.scores.judge.compared(self.before, self.after)
        self.trainer.log(found)

    def _scored(self, samples: Sequence[Sample]) -> dict[str, float]:
        found = {NAME: exact_match(samples)}
        for name, scorer in self.scores.scorers.items():
            attempts = self.scores.attempts.get(name, 1)
            found[name] = scorer(samples if attempts == 1 else self._sampled(attempts))
        return found

    def _generate(self) -> list[Sample]:
        return generate(self.trainer.model, self.trainer.processing_class, self.questions)

    def _sampled(self, attempts: int) -> list[Sample]:
        """Several answers to each question, always the same ones of the same model; the run's own draws are kept."""
        import torch

        asked = [question for question in self.questions for _ in range(attempts)]
        with torch.random.fork_rng():
            torch.manual_seed(0)
            return generate(
                self.trainer.model, self.trainer.processing_class, asked, way=Way(temperature=SAMPLING_TEMPERATURE)
            )

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
