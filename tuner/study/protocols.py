"""What the study loop asks of a trainer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnostics.model.curves import Run

if TYPE_CHECKING:
    pass


Report = Callable[[Run, float], str | None]


Train = Callable[[Mapping[str, Any], Path, Report], Run]
