"""Held-out answers of which none got a reward: there is nothing to judge the run by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from tuner.errors import SpecError


class ScoredCallback(TrainerCallback):  # type: ignore[misc]
    """Ends a run whose reward functions returned None for every held-out answer; one of several may do so."""

    def __init__(self, metric: str, where: Path) -> None:
        self.metric, self.where = metric, where

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **kwargs: Any) -> None:
        """Raise ``SpecError`` where the metric was not measured; TRL leaves out answers without a reward."""
        if (metrics or {}).get(self.metric, 0.0) is None:
            raise SpecError(
                f"{self.where}: reward_funcs: {self.metric} has no value, for every held-out answer got None; return a "
                "number for those that a function is for"
            )
