"""The plan that transformers' Trainer, and the scripts that train without it, print before the first step.

``  Num Epochs = 3``, ``  Total train batch size (w. parallel, distributed & accumulation) = 16`` and others, each line
behind whatever a logging library writes before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite

from diagnostics.readers.tabular.rows import Row, number

TITLE = "***** Running training *****"
LINES = 24
"""The plan ends within so many lines; those of several processes may be mixed."""
SAID = re.compile(r"([A-Z][^=]{4,80}?) = (\d[\d,]{0,20})\s*$")
OPTIONS: Mapping[str, str] = {
    "Num Epochs": "num_train_epochs",
    "Instantaneous batch size per device": "per_device_train_batch_size",
    "Total train batch size (w. parallel, distributed & accumulation)": "batch_size",
    "Gradient Accumulation steps": "gradient_accumulation_steps",
    "Total optimization steps": "max_steps",
    "Number of trainable parameters": "trainable_parameters",
}


def settings_in(lines: Sequence[str]) -> dict[str, object]:
    """The settings that the last plan names, and that it is transformers'; empty without a plan."""
    at = next((place for place in reversed(range(len(lines))) if TITLE in lines[place]), None)
    if at is None:
        return {}
    said = [pair for line in lines[at + 1 : at + 1 + LINES] for pair in SAID.findall(line)]
    named = {
        option: value.replace(",", "") for name, value in said for key, option in OPTIONS.items() if name.endswith(key)
    }
    return {"written_by": "transformers", **named}


def with_steps(rows: Sequence[Row], plan: Mapping[str, object]) -> list[Row]:
    """The rows with their step, which follows from their epoch where no row names one.

    As they are without a plan, and where epochs are rounded so far that two training losses would share a step.
    """
    steps, epochs = number(plan.get("max_steps")), number(plan.get("num_train_epochs"))
    if not steps or not epochs or any("step" in row for row in rows):
        return list(rows)
    places = [(number(row.get("epoch")) or 0.0) * steps / epochs for row in rows]
    counted = [round(place) if isfinite(place) and place > 0.0 else None for place in places]
    trained = [step for row, step in zip(rows, counted, strict=True) if "loss" in row]
    known = [step for step in trained if step is not None]
    if len(known) < len(trained) or any(later <= step for step, later in pairwise(known)):
        return list(rows)
    return [row if step is None else {**row, "step": step} for row, step in zip(rows, counted, strict=True)]
