"""What a training run and its caller agree on."""

from __future__ import annotations

from collections.abc import Callable

from diagnostics.model.curves import Run

Report = Callable[[Run, float], str | None]
"""Called at every evaluation with the run so far and the share of the schedule done (0 to 1).

A text that it returns stops the run, for that reason.
"""
