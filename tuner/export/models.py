"""Models loaded to be asked: the run's own, and what was made of it."""

from __future__ import annotations

import gc
import io
from collections.abc import Sequence
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from tuner.training.generation import Question, Sample, Way, generate

MOST_TOKENS = 64
"""The tokens of an answer: what is broken shows in the first ones."""


def answers(model: Any, tokenizer: Any, asked: Sequence[Question]) -> list[Sample]:
    """The model's greedy answers to questions that are text already, on the accelerator where there is one."""
    import torch

    if torch.accelerator.is_available():
        model = model.to(torch.accelerator.current_accelerator())
    way = Way(most_tokens=MOST_TOKENS, special_tokens=not _in_template(tokenizer, asked))
    return generate(model, tokenizer, asked, way=way)


def _in_template(tokenizer: Any, asked: Sequence[Question]) -> bool:
    """Whether the questions are in the tokenizer's chat template, which has the special tokens in it."""
    if not tokenizer.chat_template or not asked:
        return False
    turn = [{"role": "user", "content": "?"}]
    with_start, without = (
        tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=flag) for flag in (True, False)
    )
    start = with_start.removeprefix(without)
    return bool(start) and str(asked[0].prompt).endswith(start)


def told_apart(one: Any, other: Any, asked: Sequence[Question]) -> int:
    """How many questions are other tokens to one tokenizer than to the other."""
    texts = [str(question.prompt) for question in asked]
    ids = [tokenizer(texts, add_special_tokens=False)["input_ids"] for tokenizer in (one, other)]
    return sum(a != b for a, b in zip(*ids, strict=True))


def load(folder: Path, trusted: bool = False, **more: Any) -> tuple[Any, Any]:
    """Model and tokenizer of a folder in the numbers that it is stored in; ``more`` goes to both."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with redirect_stderr(io.StringIO()):  # a progress bar that no setting silences
        model = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", trust_remote_code=trusted, **more)
        return model, AutoTokenizer.from_pretrained(folder, trust_remote_code=trusted, **more)


def forget() -> None:
    """Give the memory of models back that nobody holds any more."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
