"""What the loop works with, and the repeats that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna

from tuner.config.direction import Direction
from tuner.config.overrides import setting_value
from tuner.search.distributions import Distributions
from tuner.search.rescaling import searched_space
from tuner.search.run_model.posterior import RunModel
from tuner.search.run_model.priors import stored_rate
from tuner.study import repeats
from tuner.study.events import Show
from tuner.study.history import best_number, trial_results
from tuner.study.protocols import Train
from tuner.study.workers.file_locks import Locks

if TYPE_CHECKING:
    from tuner.config.study_file import StudySpec


@dataclass(frozen=True)
class StudyContext:
    """What the loop works with: the study file, how to train, where, and what shows its events."""

    spec: StudySpec
    train: Train
    out: Path
    study: optuna.Study
    space: Distributions
    total: int
    locks: Locks
    show: Show

    @property
    def searched(self) -> Distributions:
        """The space without the settings that rescale the study's metric."""
        return searched_space(self.space, self.spec.method, self.spec.study.metric)

    @property
    def model(self) -> RunModel:
        """The model of this study's runs."""
        return RunModel(self.searched, stored_rate(self.study.user_attrs))

    def file_value(self, knob: str) -> Any:
        """What the study file sets a knob to; TRL's default where the file leaves it out."""
        return file_value(self.spec, knob)

    @property
    def direction(self) -> Direction:
        """Which way the metric is meant to go."""
        return Direction(self.spec.study.direction)


def file_value(spec: StudySpec, knob: str) -> Any:
    """What a study file sets a knob to; TRL is imported (for seconds) only for keys that the file leaves out."""
    return setting_value(spec.config, spec.method, knob)


def repeat_plan(context: StudyContext) -> list[tuple[int, int]]:
    """The repeats of this study as (trial, seed); none while trial 0 is the best or cannot have a value.

    A trial 0 that failed by an error is trained again all the same: since then others had a value, so its cause may
    be gone.
    """
    baseline = next(iter(trial_results(context.study)), None)
    if baseline is None or (baseline.value is None and (baseline.failure is None or baseline.failure.for_memory)):
        return []
    first = int(context.file_value("seed") or 0)
    return repeats.planned(best_number(context.study), context.spec.study.seeds, first)
