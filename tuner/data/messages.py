"""Fields of a row, checked: text that is there, conversations in ChatML or ShareGPT, one answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tuner.errors import brief

Row = Mapping[str, Any]
Messages = list[dict[str, Any]]

ROLES: Mapping[str, str] = {
    **dict.fromkeys(("user", "human", "prompter"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bing", "bard", "model", "bot"), "assistant"),
    **dict.fromkeys(("function_call",), "assistant"),
    **dict.fromkeys(("tool", "observation", "function_response", "ipython"), "tool"),
    "system": "system",
    "developer": "developer",
}
"""ShareGPT's and ChatML's names of the speakers, and the role each becomes."""


class RowError(ValueError):
    """What is wrong with one row, without its number."""


def filled(row: Row, name: str) -> str:
    """The text in a field; raises ``RowError`` when it is missing, empty or not a text."""
    if name not in row or row[name] is None:
        raise RowError(f"{name} is missing")
    value = row[name]
    if not isinstance(value, str):
        raise RowError(f"{name} must be a text, not {_kind(value)}")
    if not value.strip():
        raise RowError(f"{name} is empty")
    return value


def _kind(value: Any) -> str:
    names = {bool: "true/false", int: "a number", float: "a number", list: "a list", dict: "a mapping", str: "a text"}
    return names.get(type(value), f"a {type(value).__name__}")


def truth(row: Row, name: str) -> bool:
    """Whether a field says yes: true or false, 1 or 0, as such or as text."""
    known = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
    value = str(row.get(name)).strip().lower()
    if value not in known:
        raise RowError(f"{name} must be true or false, not {brief(row.get(name))}")
    return known[value]


def instruction_of(row: Row) -> str:
    """The question of an Alpaca row: its instruction, and its input below it when there is one."""
    instruction, extra = filled(row, "instruction"), row.get("input")
    if extra is not None and not isinstance(extra, str):
        raise RowError(f"input must be a text, not {_kind(extra)}")
    return f"{instruction}\n\n{extra}" if extra and extra.strip() else instruction


def history(row: Row) -> list[tuple[str, str]]:
    """The earlier questions and answers of an Alpaca row, in order."""
    turns = row.get("history")
    if turns is None:
        return []
    if not isinstance(turns, (list, tuple)):
        raise RowError(f"history must be a list of questions with their answers, not {_kind(turns)}")
    for number, turn in enumerate(turns, 1):
        if not (isinstance(turn, (list, tuple)) and len(turn) == 2 and all(isinstance(part, str) for part in turn)):
            raise RowError(f"history, turn {number} must be a question and its answer, both texts")
    return [(question, answer) for question, answer in turns]


def conversation(row: Row, name: str, *, ends_with: str = "") -> Messages:
    """The turns in a field as role and content; raises ``RowError`` with the turn at fault."""
    raw = row.get(name)
    if isinstance(raw, str) and raw.lstrip().startswith("["):
        raw = _parsed(raw, name)  # a CSV holds conversations as JSON text
    if raw is None or isinstance(raw, str) or not hasattr(raw, "__iter__"):
        raise RowError(f"{name} is missing" if raw is None else f"{name} must be a list of turns, not {_kind(raw)}")
    turns = [message(turn, f"{name}, turn {number}") for number, turn in enumerate(raw, 1)]
    if not turns:
        raise RowError(f"{name} is empty")
    if ends_with == "assistant" and not any(turn["role"] == "assistant" for turn in turns):
        raise RowError(f"{name} has no turn of the assistant")
    if ends_with == "user" and turns[-1]["role"] == "assistant":
        raise RowError(f"{name} already ends with an answer; it must end with the question")
    return turns


def _parsed(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RowError(f"{name} must be a list of turns, as JSON or as such") from None


def message(turn: Any, where: str) -> dict[str, Any]:
    """One turn as role and content, from ChatML's or ShareGPT's keys; tool calls are kept."""
    if not isinstance(turn, Mapping):
        raise RowError(f"{where} must be a mapping with role and content, not {_kind(turn)}")
    speaker = turn.get("role", turn.get("from"))
    content = turn.get("content", turn.get("value"))
    if speaker is None:
        raise RowError(f"{where} has no role (or from)")
    if str(speaker).lower() not in ROLES:
        raise RowError(f"{where} has the unknown role {speaker!r}; must be one of {', '.join(ROLES)}")
    more = {key: turn[key] for key in ("tool_calls", "name") if turn.get(key)}
    calls = more.get("tool_calls", [])
    if not isinstance(calls, (list, tuple)) or not all(isinstance(call, Mapping) for call in calls):
        raise RowError(f"{where}: tool_calls must be a list of mappings")
    if not isinstance(content, str) and not more:
        raise RowError(f"{where} has no content (or value)" if content is None else f"{where}: content must be a text")
    role = ROLES[str(speaker).lower()]
    if role == "assistant" and not more and not content.strip():
        raise RowError(f"{where} is empty")
    return {"role": role, "content": content or "", **more}


def text_or_messages(row: Row, name: str) -> str | Messages:
    """A field that holds a text, one turn, or a list of turns."""
    value = row.get(name)
    if isinstance(value, Mapping):
        return [message(value, name)]
    if isinstance(value, (list, tuple)):
        return conversation(row, name)
    return filled(row, name)


def one_answer(row: Row, name: str) -> Messages:
    """A field that holds an answer, as text, one turn, or a list of turns, as assistant messages."""
    value = text_or_messages(row, name)
    return [{"role": "assistant", "content": value}] if isinstance(value, str) else value


def system_first(row: Row, turns: Messages) -> Messages:
    """The turns, after the row's system text when it has one and the turns do not begin with one."""
    system = row.get("system")
    if not system or turns[0]["role"] == "system":
        return turns
    if not isinstance(system, str):
        raise RowError(f"system must be a text, not {_kind(system)}")
    return [{"role": "system", "content": system}, *turns]


def shared_prefix(chosen: Messages, rejected: Messages) -> Messages:
    """The turns with which both conversations begin, at least one turn of each left over."""
    count = 0
    for one, other in zip(chosen[:-1], rejected[:-1], strict=False):
        if one != other:
            break
        count += 1
    return chosen[:count]
