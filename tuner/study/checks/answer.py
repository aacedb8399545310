"""The check of an answer: what the model of the short run says to a held-out question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tuner.config.study_spec import StudySpec
from tuner.errors import SpecError, error_text
from tuner.study.answers import question_of
from tuner.study.checks.record import Check, passed, skipped
from tuner.training.generation import Question, Sample, Way, generate, questions
from tuner.training.merge import adapted, adapter_of, base_of, trained_dtype
from tuner.training.tokenizer import PLAIN_TEMPLATE

MOST_TOKENS = 48
SHOWN = 100
"""Characters of a question and of its answer that are shown."""


def check_of_answer(spec: StudySpec, run: Path, rows: Sequence[Mapping[str, Any]], trusted: bool) -> Check:
    """The greedy answer to the first of the rows that has a question.

    Nothing is fetched for another trainer: its base model must lie on this machine.
    """
    try:
        asked = questions(rows, 1)
        adapter = adapter_of(run)
        if spec.driver is not None and not Path(base := base_of(adapter)).is_dir():
            return skipped("check-base-elsewhere", base=base)
        return passed("check-answer", **_shown(_answer(spec, run, adapter, asked, trusted)))
    except SpecError as error:
        return skipped("check-no-answer", why=error_text(error))


def _answer(spec: StudySpec, run: Path, adapter: Path, asked: list[Question], trusted: bool) -> Sample:
    import torch

    loaded = adapted(run, adapter, dtype=trained_dtype(spec.config), trust_remote_code=trusted)
    if not loaded.tokenizer.chat_template:
        loaded.tokenizer.chat_template = PLAIN_TEMPLATE
    model = loaded.model
    if torch.accelerator.is_available():
        model = model.to(torch.accelerator.current_accelerator())
    return generate(model, loaded.tokenizer, asked, way=Way(most_tokens=MOST_TOKENS))[0]


def _shown(sample: Sample) -> dict[str, str]:
    question = " ".join(question_of(sample.prompt).split())
    answer = " ".join(sample.answer.split())
    return {"question": f"…{question[-SHOWN:]}" if len(question) > SHOWN else question, "answer": answer[:SHOWN]}
