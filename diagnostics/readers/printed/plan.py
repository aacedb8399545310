"""The plan that transformers' Trainer, and the scripts that train without it, print before the first step.

``  Num Epochs = 3``, ``  Total train batch size (w. parallel, distributed & accumulation) = 16`` and others, each line
behind whatever a logging library writes before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import ceil, isfinite

from diagnostics.readers.tabular.rows import Row, number

TITLE = "***** Running training *****"
LINES = 24
"""The plan ends within so many lines; those of several processes may be mixed."""
LONGEST = 200
"""Characters at the end of a line that hold a setting: a line can be a million long."""
SAID = re.compile(r"([A-Z][^=]{4,80}?) = (\d[\d,]{0,20})\s*$")
BATCH, STEPS = "Total train batch size (w. parallel, distributed & accumulation)", "Total optimization steps"
EXAMPLES, EPOCHS, STEPS_OF_EPOCH = "Num examples", "Num Epochs", "Num update steps per epoch"
OPTIONS: Mapping[str, str] = {
    "Instantaneous batch size per device": "per_device_train_batch_size",
    BATCH: "batch_size",
    "Gradient Accumulation steps": "gradient_accumulation_steps",
    STEPS: "max_steps",
    "Number of trainable parameters": "trainable_parameters",
}
ROUNDED = 0.05
"""A number of epochs that differs by less from the printed one, which is rounded up, is that one."""


@dataclass(frozen=True)
class Plan:
    """The settings that a plan names, and the steps of an epoch, as far as they follow from it."""

    options: Mapping[str, object] = field(default_factory=dict)
    steps_of_epoch: float | None = None


def plan_in(lines: Sequence[str]) -> Plan:
    """The last plan that was printed, as transformers'; an empty one where there is none."""
    at = next((place for place in reversed(range(len(lines))) if TITLE in lines[place]), None)
    if at is None:
        return Plan()
    said = [pair for line in lines[at + 1 : at + 1 + LINES] for pair in SAID.findall(line[-LONGEST:])]
    numbers = {
        key: float(value.replace(",", ""))
        for name, value in said
        for key in (*OPTIONS, EXAMPLES, EPOCHS, STEPS_OF_EPOCH)
        if name.endswith(key)
    }
    found: dict[str, object] = {option: numbers[key] for key, option in OPTIONS.items() if key in numbers}
    steps, each = numbers.get(STEPS), _steps_of_epoch(numbers)
    if steps and each:
        epochs, printed = steps / each, numbers.get(EPOCHS, 0.0)
        found["num_train_epochs"] = printed if abs(epochs - printed) < ROUNDED * printed else epochs
    return Plan({"written_by": "transformers", **found}, each)


def _steps_of_epoch(numbers: Mapping[str, float]) -> float | None:
    """As printed since version 5, else by the rows and the batch: epochs are rounded up, where steps were asked for."""
    if numbers.get(STEPS_OF_EPOCH):
        return numbers[STEPS_OF_EPOCH]
    rows, batch = numbers.get(EXAMPLES), numbers.get(BATCH)
    return float(ceil(rows / batch)) if rows and batch else None


def with_steps(rows: Sequence[Row], plan: Plan) -> list[Row]:
    """The rows with their step, which follows from their epoch where no row names one.

    As they are without a plan, and where epochs are rounded so far that two training losses would share a step.
    """
    if not plan.steps_of_epoch or any("step" in row for row in rows):
        return list(rows)
    places = [(number(row.get("epoch")) or 0.0) * plan.steps_of_epoch for row in rows]
    counted = [round(place) if isfinite(place) and place > 0.0 else None for place in places]
    trained = [step for row, step in zip(rows, counted, strict=True) if "loss" in row]
    known = [step for step in trained if step is not None]
    if len(known) < len(trained) or any(later <= step for step, later in pairwise(known)):
        return list(rows)
    return [row if step is None else {**row, "step": step} for row, step in zip(rows, counted, strict=True)]
