"""Runs of which it is known how they ended, as features."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from benchmarks.fresh.labels import Answer
from benchmarks.verdicts.cases import Labeled
from diagnostics.diagnosis.context import prepare
from diagnostics.model.curves import Run
from diagnostics.outlook.features import outlook_features
from diagnostics.signals import memo_scope

OUTCOMES = ("well", "slow", "hot", "overfit")
OF_LABEL = {"healthy": 0, "underfit": 1, "unstable": 2, "overfit": 3}
OF_ANSWER = {"healthy": 0, "rate too low": 1, "never learns": 1, "rate too high": 2, "overfit": 3}
LEARNED = 0.3
"""A set-up that was made to be dead and lost this share of its loss has learned after all."""


@dataclass(frozen=True)
class Known:
    """Features, outcome (an index of ``OUTCOMES``), the kind of source, and the task, of which runs share much."""

    kind: str
    task: str
    outcome: int
    features: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        short = {name: float(f"{value:.6g}") for name, value in self.features.items()}
        return {"kind": self.kind, "task": self.task, "outcome": self.outcome, "features": short}


def known(kind: str, task: str, run: Run, outcome: int | None) -> list[Known]:
    """The run as features; none where it is not known how it ended."""
    if outcome is None or "train_loss" not in run.curves:
        return []
    with memo_scope():
        seen = prepare(run, None)
        features = outlook_features(seen.curves, seen.settings, seen.rate)
    return [Known(kind, task, outcome, features)]


def of_labeled(kind: str, task: str, item: Labeled) -> list[Known]:
    """A labeled run; not one that may be called well and ill, nor one whose log cannot tell."""
    if item.label not in OF_LABEL or ("healthy" in item.accepted and len(item.accepted) > 1):
        return []
    if item.label == "overfit" and "eval_loss" not in item.run.curves and kind == "trained":
        return []
    found = known(kind, task, item.run, OF_LABEL[item.label])
    dead = task.startswith("dead")
    return [one for one in found if not (dead and one.features.get("train_fall", 0.0) > LEARNED)]


def of_answer(kind: str, task: str, run: Run, answer: Answer | None) -> list[Known]:
    """A run with the label of the fresh runs."""
    if answer is None or (answer.name == "healthy" and answer.acceptable):
        return []
    if answer.name == "overfit" and "eval_loss" not in run.curves:
        return []
    return known(kind, task, run, OF_ANSWER.get(answer.name))


def flat(found: Iterable[list[Known]]) -> list[Known]:
    """All of them in one list."""
    return [one for some in found for one in some]
