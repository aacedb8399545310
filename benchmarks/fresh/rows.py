"""A run that is to be judged, as it is written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.fresh.project import Trained

Row = Mapping[str, Any]
Make = Callable[[np.random.Generator, int, Path], list[Row]]
"""Trains one project below a folder: up to so many runs, each with its ``path``, ``task``, ``recipe`` and ``label``."""


def row(path: Path, run: Trained) -> Row:
    """The run at a path, with its settings and its label."""
    return {"path": path, "task": run.task, "recipe": asdict(run.recipe), "label": run.answer.to_dict()}
