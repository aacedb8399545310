"""What a study file says, checked: the records that all of the study reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diagnostics.model.methods import TrainingMethod
from tuner.config.answer_metrics import AnswerMetric
from tuner.config.judge import JudgeBlock
from tuner.config.search_space import Range, Space, Span, is_number
from tuner.config.trainers.driver import Driver


@dataclass(frozen=True)
class StudyBlock:
    """What a study does: how many trials, which metric, over which space.

    ``metric`` is a canonical curve name; ``seeds`` the repeats of the winner and of trial 0; ``exact_match_rows``
    the held-out rows whose generated answers are compared, 0 for none; ``answer_metrics`` is what else is measured
    of those answers, the study's own metric among it, and ``judge`` compares them with those before the run.
    ``minutes`` and ``steps`` are budgets of the whole study, repeats included; one step is one optimizer step of
    trial 0, so as many samples as its batch. ``stop_early`` ends the search when no gain beyond noise is likely.
    ``workers`` are the processes of this machine that share the trials; each has a slot for itself: ``gpus_per_trial``
    of the ``gpus`` (by number; empty: all that there are), each of which takes ``slots_per_gpu`` trials at once.
    ``prior`` is what is known of the best learning rate beforehand: a rate, or the folder of a study.
    ``general_text`` is the file whose loss shows what a run forgets, None where that is not watched; the best trial is
    chosen among those where that loss rose by at most ``forgetting_limit`` nats a token. ``trials_given`` says whether
    the file names a number of trials.
    """

    trials: int = 12
    metric: str = TrainingMethod.metric
    direction: str = TrainingMethod.direction
    space: Space = field(default_factory=dict)
    seeds: int = 3
    minutes: float | None = None
    steps: int | None = None
    stop_early: bool = True
    exact_match_rows: int = 0
    answer_metrics: tuple[AnswerMetric, ...] = ()
    judge: JudgeBlock | None = None
    workers: int = 1
    gpus: tuple[str, ...] = ()
    gpus_per_trial: int = 1
    slots_per_gpu: int = 1
    prior: float | str | None = None
    general_text: Path | None = None
    forgetting_limit: float | None = None
    trials_given: bool = False

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """The user's own range of each numeric setting, lowest and highest."""
        ends = {name: _ends(span) for name, span in self.space.items()}
        return {name: pair for name, pair in ends.items() if pair is not None}


def _ends(span: Span) -> tuple[float, float] | None:
    if isinstance(span, Range):
        return (span.low, span.high)
    numbers = [value for value in span.values if is_number(value)]
    return (min(numbers), max(numbers)) if len(numbers) == len(span.values) else None


@dataclass(frozen=True)
class StudySpec:
    """A checked study file: ``config`` holds the user's own TRL keys, numbers as numbers.

    Where another trainer trains, ``driver`` says how, and ``config`` holds its keys under our names as far as there are
    any.
    """

    path: Path
    name: str
    method: str
    config: Mapping[str, Any]
    study: StudyBlock
    driver: Driver | None = None
