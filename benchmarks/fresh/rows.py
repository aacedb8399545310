"""A run that is to be judged, as it is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fresh.labels import Answer

Row = Mapping[str, Any]
Make = Callable[[np.random.Generator, int, Path], list[Row]]
"""Trains one project below a folder: up to so many runs, each with its ``path``, ``task`` and ``label``."""


def row(path: Path, task: str, answer: Answer) -> Row:
    """The run at a path, with its label."""
    return {"path": path, "task": task, "label": answer.to_dict()}
