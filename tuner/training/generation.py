"""Exact match: how many held-out questions the model answers word for word, by greedy generation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tuner.errors import SpecError
from tuner.training.device_batch import is_out_of_memory

SLACK_TOKENS = 8
"""Tokens that an answer may exceed the longest reference by; beyond them it cannot match."""

MAX_NEW_TOKENS = 512


@dataclass(frozen=True)
class Sample:
    """One held-out question, the answer it should have, the one that was generated, and the row's other columns."""

    prompt: str
    reference: str
    answer: str
    columns: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def matches(self) -> bool:
        """Whether answer and reference are the same text, spaces around them aside."""
        return self.answer.strip() == self.reference.strip()

    def to_dict(self) -> dict[str, Any]:
        """The sample as plain values."""
        return {"prompt": self.prompt, "reference": self.reference, "answer": self.answer, "matches": self.matches}


@dataclass(frozen=True)
class Question:
    """A prompt, as text or as messages, its reference answer, and the other columns of its row."""

    prompt: str | list[dict[str, Any]]
    reference: str
    columns: Mapping[str, Any] = field(default_factory=dict, compare=False)


def questions(
    rows: Iterable[Mapping[str, Any]], count: int, columns: Sequence[Mapping[str, Any]] = ()
) -> list[Question]:
    """The first ``count`` held-out rows as questions; of a preference pair the chosen answer is the reference.

    ``columns`` are the same rows as the data holds them; without them, a row's own columns are kept. Unwanted answers
    (a ``label`` that is false) are no reference and are passed over. Raises ``SpecError`` for rows that have no
    question, such as plain text.
    """
    made: list[Question] = []
    for number, row in enumerate(rows if count else ()):
        if row.get("label") is False:
            continue
        if "image" in row or "images" in row:
            raise SpecError("study.exact_match_rows: must be 0, because the held-out rows have images")
        question = _question(row)
        if question is None:
            raise SpecError("study.exact_match_rows: must be 0, because the held-out rows have no question and answer")
        held = columns[number] if number < len(columns) else row
        made.append(replace(question, columns=held))
        if len(made) == count:
            break
    return made


def _question(row: Mapping[str, Any]) -> Question | None:
    if row.get("messages"):
        last = max((i for i, turn in enumerate(row["messages"]) if turn["role"] == "assistant"), default=0)
        return Question(list(row["messages"][:last]), row["messages"][last]["content"]) if last else None
    answer = row.get("completion", row.get("chosen", row.get("answer")))
    if answer is None or row.get("prompt") is None:
        return None
    return Question(row["prompt"], answer if isinstance(answer, str) else answer[0]["content"])


@dataclass(frozen=True)
class Way:
    """How answers are generated: greedily, or sampled at a ``temperature``, of at most ``most_tokens``.

    ``special_tokens`` says whether those of the tokenizer go around a prompt; None: around a text, not around messages,
    whose template has its own.
    """

    temperature: float = 0.0
    most_tokens: int = MAX_NEW_TOKENS
    special_tokens: bool | None = None


GREEDY = Way()


def generate(
    model: Any, tokenizer: Any, questions: Sequence[Question], batch_size: int = 32, way: Way = GREEDY
) -> list[Sample]:
    """The model's answers, in order; the model is left in evaluation mode.

    Prompts are padded on the left, and short ones are answered together, so that little is computed for padding. Where
    memory runs out, fewer are answered at once.
    """
    texts = [as_text(tokenizer, question.prompt) for question in questions]
    waiting = sorted(range(len(questions)), key=lambda number: len(texts[number]))
    made: dict[int, Sample] = {}
    while waiting:
        numbers = waiting[:batch_size]
        asked = [questions[n] for n in numbers]
        answers = _answers_that_fit(model, tokenizer, [texts[n] for n in numbers], asked, way)
        if answers is None:
            batch_size = max(1, len(numbers) // 2)
            continue
        for number, answer in zip(numbers, answers, strict=True):
            made[number] = Sample(texts[number], questions[number].reference, answer, questions[number].columns)
        waiting = waiting[batch_size:]
    return [made[number] for number in range(len(questions))]


def _answers_that_fit(
    model: Any, tokenizer: Any, texts: list[str], questions: Sequence[Question], way: Way
) -> list[str] | None:
    """The answers, or None when memory does not suffice for so many at once; raises for a single one."""
    try:
        return _answers(model, tokenizer, texts, questions, way)
    except Exception as error:
        if len(texts) == 1 or not is_out_of_memory(error):
            raise
    return None


def as_text(tokenizer: Any, prompt: str | list[dict[str, Any]]) -> str:
    """A prompt as the model reads it, messages in the tokenizer's template."""
    if isinstance(prompt, str):
        return prompt
    return str(tokenizer.apply_chat_template(prompt, tokenize=False, add_generation_prompt=True))


def _answers(model: Any, tokenizer: Any, texts: list[str], questions: Sequence[Question], way: Way) -> list[str]:
    import torch

    special = isinstance(questions[0].prompt, str) if way.special_tokens is None else way.special_tokens
    rows = tokenizer(texts, add_special_tokens=special)["input_ids"]
    references = tokenizer([question.reference for question in questions], add_special_tokens=False)["input_ids"]
    length = min(max(map(len, references)) + SLACK_TOKENS, way.most_tokens)
    pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows], device=model.device)
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows], device=model.device)
    model.eval()
    with torch.no_grad():
        made = model.generate(
            input_ids=ids,
            attention_mask=mask,
            max_new_tokens=length,
            do_sample=way.temperature > 0,
            **({"temperature": way.temperature, "top_k": 0, "top_p": 1.0} if way.temperature > 0 else {}),
            pad_token_id=pad,
            use_cache=True,
        )
    return [str(text) for text in tokenizer.batch_decode(made[:, width:], skip_special_tokens=True)]


def exact_match(samples: Sequence[Sample]) -> float:
    """The share of samples whose answer is the reference, 0 to 1."""
    return sum(sample.matches for sample in samples) / len(samples) if samples else 0.0
