"""Groups of answers to one prompt: whole groups must fit into a batch where a method compares the answers of a group.

In these methods a batch counts answers, not prompts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.config.methods import TRL_METHODS, TrlMethod
from tuner.config.overrides import setting_value, world_size
from tuner.config.search_space import Choice, Space
from tuner.errors import SpecError


def check_groups(config: Mapping[str, Any], method: str, space: Space, path: Path) -> None:
    """Raise ``SpecError`` unless every batch of the file and its space holds whole groups of every size there."""
    if not TRL_METHODS[method].writes_answers:
        return
    batches = _values(config, method, space, "batch_size", path)
    if config.get("generation_batch_size") or config.get("steps_per_generation"):
        batches = []  # TRL checks the two against each other
    for size in _values(config, method, space, "num_generations", path):
        for batch in batches:
            if batch % size:
                raise SpecError(
                    f"{path}: batch_size {batch} does not hold whole groups of num_generations {size} answers; "
                    f"use a multiple of {size}"
                )


def _values(config: Mapping[str, Any], method: str, space: Space, name: str, path: Path) -> list[int]:
    """The values that a run can have: the file's own, and those of its space."""
    span = space.get(name)
    if span is not None and not isinstance(span, Choice):
        raise SpecError(f"{path}: study.space.{name}: must be a list, because whole groups must fit into a batch")
    own = setting_value(config, method, name)
    return [int(value) for value in (own, *(span.values if span is not None else ())) if value is not None]


def fitting_groups(config: Mapping[str, Any], row: TrlMethod) -> dict[str, int]:
    """The answers to each held-out prompt, where the file is silent: as many of a group as the device's batch holds.

    TRL refuses a batch that does not hold whole groups. The mean reward means the same for groups of any size.
    """
    if not row.writes_answers or config.get("num_generations_eval"):
        return {}
    size = int(setting_value(config, row.name, "num_generations"))
    rows = int(setting_value(config, row.name, "per_device_eval_batch_size")) * world_size()
    return {"num_generations_eval": math.gcd(size, rows)}
