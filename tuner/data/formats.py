"""The known row formats, recognized by their columns, and how each becomes TRL's columns.

A converter takes one row and returns TRL's columns for it, or raises ``RowError`` that says which field is at fault.
Everything with roles becomes conversational; plain prompt-completion pairs and plain text stay text.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from tuner.config.methods import RowKind
from tuner.data.messages import (
    RowError,
    conversation,
    filled,
    history,
    instruction_of,
    one_answer,
    shared_prefix,
    system_first,
    text_or_messages,
    truth,
)

Row = Mapping[str, Any]

INSTRUCTION, PREFERENCE = RowKind.INSTRUCTION, RowKind.PREFERENCE
LABELS = ("label", "kto_tag", "desirable")
"""Columns that say whether an answer is wanted."""
QUESTIONS = ("prompt", "question", "query", "problem", "instruction")
"""Columns of a question without an answer. Text under ``prompt`` stays text; the others become a user's turn."""
PAIRS = (
    *(("prompt", "completion"), ("prompt", "response"), ("question", "answer"), ("question", "response")),
    *(("query", "response"), ("instruction", "response"), ("instruction", "output"), ("input", "output")),
)
"""Columns of a question and its answer, by the names they go by."""
TASK = ("prompt", "answer")
"""A task and its reference answer: a prompt for reward functions, else a question and its answer."""


@dataclass(frozen=True)
class Format:
    """A row format: ``fits`` looks at the column names, ``convert`` makes TRL's columns of one row."""

    name: str
    rows: RowKind
    fits: Callable[[Collection[str]], bool]
    convert: Callable[[Row], dict[str, Any]]


def has(*names: str) -> Callable[[Collection[str]], bool]:
    """A test that all these columns are there."""
    return lambda columns: set(names) <= set(columns)


def preference_alpaca(row: Row) -> dict[str, Any]:
    """Instruction, optional input, chosen and rejected text."""
    prompt = system_first(row, [{"role": "user", "content": instruction_of(row)}])
    return {"prompt": prompt, **_answers(row)}


def preference_conversations(row: Row) -> dict[str, Any]:
    """ShareGPT turns (or messages) as the prompt, with one chosen and one rejected answer."""
    column = "conversations" if "conversations" in row else "messages"
    return {"prompt": system_first(row, conversation(row, column, ends_with="user")), **_answers(row)}


def _answers(row: Row) -> dict[str, Any]:
    return {name: one_answer(row, name) for name in ("chosen", "rejected")}


def preference_explicit(row: Row) -> dict[str, Any]:
    """Prompt, chosen and rejected: all text, or all messages; a text prompt before messages is one user turn."""
    name = "prompt" if "prompt" in row else "question"
    chosen, rejected = (text_or_messages(row, side) for side in ("chosen", "rejected"))
    if isinstance(chosen, str) != isinstance(rejected, str):
        raise RowError("chosen and rejected must both be text or both be messages")
    prompt = text_or_messages(row, name)
    if isinstance(chosen, str):
        if isinstance(prompt, str) and not row.get("system"):
            return {"prompt": prompt, "chosen": chosen, "rejected": rejected}
        return {"prompt": _turns(row, prompt), **_answers(row)}
    turns = _turns(row, prompt)
    if len(chosen) > 1 and chosen[0]["role"] in ("user", "system"):
        return preference_implicit(row)  # the whole conversation again: the prompt column says nothing new
    return {"prompt": turns, "chosen": chosen, "rejected": rejected}


def _turns(row: Row, prompt: Any) -> list[dict[str, Any]]:
    return system_first(row, [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt)


def preference_implicit(row: Row) -> dict[str, Any]:
    """Two whole conversations (or texts) that begin alike: what they share is the prompt."""
    chosen, rejected = (text_or_messages(row, side) for side in ("chosen", "rejected"))
    if isinstance(chosen, str) or isinstance(rejected, str):
        if not (isinstance(chosen, str) and isinstance(rejected, str)):
            raise RowError("chosen and rejected must both be text or both be messages")
        return {"chosen": chosen, "rejected": rejected}
    prompt = shared_prefix(chosen, rejected)
    if not prompt:
        raise RowError("chosen and rejected must share their first turn, which is the prompt")
    return {"prompt": prompt, "chosen": chosen[len(prompt) :], "rejected": rejected[len(prompt) :]}


def instruction_alpaca(row: Row) -> dict[str, Any]:
    """Instruction, optional input, history and system, and the output."""
    turns = [{"role": "user", "content": instruction_of(row)}]
    for question, answer in reversed(history(row)):
        turns[:0] = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return {"prompt": system_first(row, turns), "completion": [{"role": "assistant", "content": filled(row, "output")}]}


def instruction_messages(row: Row) -> dict[str, Any]:
    """ChatML messages, or ShareGPT turns made into them; the loss is TRL's choice (``assistant_only_loss``)."""
    column = next((name for name in ("messages", "conversations", "conversation") if name in row), "messages")
    return {"messages": system_first(row, conversation(row, column, ends_with="assistant"))}


def instruction_pair(row: Row) -> dict[str, Any]:
    """A question and its answer: TRL's prompt-completion, text or messages."""
    question, answer = _pair(row)
    prompt, completion = text_or_messages(row, question), text_or_messages(row, answer)
    if (question, answer) == ("prompt", "completion") and not row.get("system"):
        if isinstance(prompt, str) is isinstance(completion, str):
            return {"prompt": prompt, "completion": completion}
        raise RowError("prompt and completion must both be text or both be messages")
    return {"prompt": _turns(row, prompt), "completion": one_answer(row, answer)}


def _pair(row: Row) -> tuple[str, str]:
    """The names that a row has for a question and its answer."""
    whole = next((pair for pair in (*PAIRS, TASK) if set(pair) <= set(row)), None)
    if whole is None:
        half = next((answer for question, answer in PAIRS if question in row), "")
        raise RowError(f"{half} is missing" if half else "has no question and answer, such as prompt and completion")
    return whole


def plain_text(column: str) -> Callable[[Row], dict[str, Any]]:
    """The converter of rows of plain text in that column."""
    return lambda row: {column: filled(row, column)}


def labeled(row: Row) -> dict[str, Any]:
    """A question, an answer, and whether the answer is wanted (KTO's unpaired rows)."""
    name = next((one for one in LABELS if one in row), LABELS[0])
    form = next((one for one in formats() if one.rows is INSTRUCTION and one.fits(row)), None)
    made = form.convert(row) if form else instruction_pair(row)
    return {**with_answer(made), "label": truth(row, name)}


def with_answer(made: dict[str, Any]) -> dict[str, Any]:
    """A converted row with its question and its last answer apart."""
    if "messages" not in made:
        return made
    turns = made["messages"]
    last = max((place for place, turn in enumerate(turns) if turn["role"] == "assistant"), default=0)
    if not last:
        raise RowError("messages must begin with a question and end with its answer")
    return {"prompt": turns[:last], "completion": [turns[last]]}


def prompt_alone(row: Row) -> dict[str, Any]:
    """A question that reward functions answer for: what else the row holds is for them."""
    name = next((one for one in QUESTIONS if row.get(one) is not None), QUESTIONS[0])
    prompt = instruction_of(row) if name == "instruction" else text_or_messages(row, name)
    is_plain = name == "prompt" and isinstance(prompt, str) and not row.get("system")
    return {"prompt": prompt if is_plain else _turns(row, prompt)}


def _is_labeled(columns: Collection[str]) -> bool:
    return any(name in columns for name in LABELS) and any(
        form.fits(columns) for form in formats() if form.rows is INSTRUCTION
    )


def formats(text_column: str = "text") -> tuple[Format, ...]:
    """The formats in the order they are tried; the first that fits the columns is taken."""
    preference = has("chosen", "rejected")
    return (
        Format("ShareGPT preference", PREFERENCE, _preference_turns, preference_conversations),
        Format(
            "prompt/chosen/rejected",
            PREFERENCE,
            lambda c: preference(c) and ("prompt" in c or "question" in c),
            preference_explicit,
        ),
        Format("Alpaca preference", PREFERENCE, lambda c: preference(c) and "instruction" in c, preference_alpaca),
        Format("chosen/rejected", PREFERENCE, preference, preference_implicit),
        Format("question, answer and label", RowKind.LABELED, _is_labeled, labeled),
        Format("messages", INSTRUCTION, has("messages"), instruction_messages),
        Format("ShareGPT", INSTRUCTION, lambda c: "conversations" in c or "conversation" in c, instruction_messages),
        Format("Alpaca", INSTRUCTION, has("instruction", "output"), instruction_alpaca),
        Format("question and answer", INSTRUCTION, lambda c: any(set(p) <= set(c) for p in PAIRS), instruction_pair),
        Format("prompt", RowKind.PROMPT, lambda c: any(name in c for name in QUESTIONS), prompt_alone),
        Format("prompt and answer", INSTRUCTION, has(*TASK), instruction_pair),
        Format("text", RowKind.TEXT, has(text_column), plain_text(text_column)),
    )


def _preference_turns(columns: Collection[str]) -> bool:
    return {"chosen", "rejected"} <= set(columns) and bool({"conversations", "messages"} & set(columns))
