"""What can be said before a run of the answers that it compares: sampled all alike, or far more of one kind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from diagnostics.model.message import Message, message
from tuner.config.methods import TRL_METHODS

GREEDY = 0.1
"""Sampling temperatures below this write the likeliest answer nearly every time."""
BALANCE = 4.0 / 3.0
"""How far the pulls of wanted and unwanted answers may differ, either way: equation 8 of KTO (2402.01306)."""


def answer_warnings(method: str, arguments: Any, rows: Any) -> Iterator[Message]:
    """One line on each thing that is probably not meant; ``arguments`` are TRL's own, ``rows`` those trained on."""
    if TRL_METHODS[method].writes_answers:
        found = greedy(getattr(arguments, "temperature", None), getattr(arguments, "top_k", None))
    elif method == "kto" and "label" in (rows.column_names or ()):
        found = of_one_kind(rows["label"])
        if found is None and arguments.loss_type == "kto":
            found = out_of_balance(rows["label"], arguments.desirable_weight, arguments.undesirable_weight)
    else:
        found = None
    if found is not None:
        yield found


def greedy(temperature: float | None, top_k: int | None) -> Message | None:
    """Whether all answers to a prompt would be one answer, which leaves a group nothing to compare."""
    if top_k == 1:
        return message("answers-sampled-greedily", knob="top_k", value=1)
    if temperature is not None and temperature < GREEDY:
        return message("answers-sampled-greedily", knob="temperature", value=temperature)
    return None


def of_one_kind(labels: Sequence[bool]) -> Message | None:
    """Whether all answers are wanted, or none is: KTO learns from the one beside the other."""
    if not len(labels) or 0 < sum(labels) < len(labels):
        return None
    return message("answers-of-one-kind", count=len(labels), label="true" if labels[0] else "false")


def out_of_balance(labels: Sequence[bool], wanted_weight: float, unwanted_weight: float) -> Message | None:
    """Whether KTO's wanted answers pull much more than the unwanted ones, or much less; one weight mends it."""
    wanted, unwanted = sum(labels), len(labels) - sum(labels)
    if not wanted or not unwanted or not wanted_weight or not unwanted_weight:
        return None
    ratio = wanted_weight * wanted / (unwanted_weight * unwanted)
    if 1.0 / BALANCE <= ratio <= BALANCE:
        return None
    counts = {"wanted": wanted, "unwanted": unwanted, "ratio": ratio}
    if ratio > 1.0:
        low = unwanted_weight * ratio / BALANCE
        return message("answers-out-of-balance", **counts, knob="undesirable_weight", low=low, high=low * BALANCE)
    low = wanted_weight / ratio
    return message("answers-out-of-balance", **counts, knob="desirable_weight", low=low, high=low * BALANCE)
