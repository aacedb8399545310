"""What the study loop needs of a trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from diagnostics.model.curves import Run
from tuner.training.protocol import Report

__all__ = ["Report", "Train"]

Train = Callable[[Mapping[str, Any], Path, Report], Run]
