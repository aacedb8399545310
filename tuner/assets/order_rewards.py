"""Rewards for answers to orders. Each function gets a batch of answers, and the rows' other columns by name.

It returns a number for each answer; None leaves an answer out. What it logs is called after the function.
"""

import json
from typing import Any

Answer = str | list[dict[str, str]]  # a text where the prompt is one, else the messages of the assistant


def parses(completions: list[Answer], **columns: Any) -> list[float]:
    """1 for an answer that is one JSON object and nothing else, 0 for any other."""
    return [float(_object(one) is not None) for one in completions]


def facts(completions: list[Answer], answer: list[str], **columns: Any) -> list[float]:
    """The share of the order's facts that the object holds, with all that it makes up counted against it."""
    return [_share(_object(one), json.loads(right)) for one, right in zip(completions, answer, strict=True)]


def _object(completion: Answer) -> dict[str, Any] | None:
    try:
        made = json.loads(completion if isinstance(completion, str) else completion[0]["content"])
    except ValueError:
        return None
    return made if isinstance(made, dict) else None


def _share(made: dict[str, Any] | None, right: dict[str, Any]) -> float:
    if not made:
        return 0.0
    values = list(made.values())
    return sum(value in values for value in right.values()) / max(len(right), len(made))
