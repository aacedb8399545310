"""One study replayed on a table: each proposal is answered by a run that was trained before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.trial import Trial, TrialState

from benchmarks.search.grids import Setting
from benchmarks.search.strategies import Strategy
from benchmarks.search.table import Judge, Table
from diagnostics.model.curves import Run
from tuner.search.attributes import DIVERGED
from tuner.search.distributions import suggest
from tuner.search.log_diagnosis import record
from tuner.search.seeds import replicate_of
from tuner.search.trial_view import trial_view
from tuner.search.winner import held_for_best

STARTS = {"30 times too low": -3, "10 times too high": 2, "near the best": 0}
"""Trial 0: how many half decades its rate lies from the best setting's. Its other knobs are the axes' first values."""


@dataclass(frozen=True)
class Point:
    """After a trial: the runs paid so far (a pruned one pays its share), three regrets, the trial, and who moved.

    ``regret`` is that of the trial that the strategy holds for the best, ``trained`` the lowest of all trials, and
    ``apart`` the same less its standard error.
    """

    paid: float
    regret: float
    trained: float
    apart: float
    setting: Setting
    value: float
    moved_by: str


@dataclass(frozen=True)
class Course:
    """The figures of one study, a number for each trial."""

    paid: tuple[float, ...]
    regret: tuple[float, ...]
    trained: tuple[float, ...]
    apart: tuple[float, ...]


def start_of(table: Table, offset: int) -> dict[str, float]:
    """Trial 0 of a replay: the best setting's rate moved by half decades, the other knobs as a beginner has them."""
    return start_from(table.axes, dict(table.best)["learning_rate"], offset)


def start_from(axes: Mapping[str, tuple[float, ...]], rate: float, offset: int) -> dict[str, float]:
    """As ``start_of``, for the axes of a table and its best rate."""
    rates = axes["learning_rate"]
    place = rates.index(rate) + offset
    plain = {"batch_size": 8, "warmup_ratio": 0.0, "lora_r": 4, "beta": 0.1, "num_train_epochs": 3}
    rest = {
        knob: min(values, key=lambda v: abs(math.log((v + 1e-3) / (plain[knob] + 1e-3))))
        for knob, values in axes.items()
        if knob != "learning_rate"
    }
    return {"learning_rate": rates[min(max(place, 0), len(rates) - 1)], **rest}


def replay(
    table: Table, judge: Judge, strategy: Strategy, offset: int, seed: int, trials: int, then: Sequence[Setting] = ()
) -> list[Point]:
    """The course of one study; the seed decides the sampler's random numbers and the seed that all its runs share.

    ``then`` are the settings of the trials after trial 0; the strategy chooses those that follow.

    As in ``tuner study`` and with a ``Trainer`` of its own, every trial trains with the same seed; a setting that was
    not trained with it (it lies far from the best) answers with the one that it has.
    """
    sampler, pruner = strategy.sampler(seed, table.space), strategy.pruner()
    # Hyperband draws a trial's bracket from the study's name, which is random unless it is given.
    study = optuna.create_study(study_name=f"{strategy.name} {seed}", sampler=sampler, pruner=pruner)
    for settings in (start_of(table, offset), *map(dict, then)):
        study.enqueue_trial(settings)
    course = _Course(table, judge, strategy, study, seed)
    return [course.step() for _ in range(trials)]


class _Course:
    """A study under way, and what it has paid and found."""

    def __init__(self, table: Table, judge: Judge, strategy: Strategy, study: optuna.Study, seed: int) -> None:
        self.table, self.judge, self.strategy, self.study, self.seed = table, judge, strategy, study, seed
        self.paid, self.regret, self.trained, self.apart = 0.0, math.inf, math.inf, math.inf
        self.settings: list[Setting] = []

    def step(self) -> Point:
        trial = self.study.ask()
        settings = suggest(trial, self.table.space)
        at = self.table.nearest(settings)
        run = self.table.run(at, self.seed + replicate_of(trial))
        share = self._watched(trial, run)
        value = self.table.value(self.judge.part(run, share))
        self.paid += share
        self._tell(trial, run, value, share)
        self.settings.append(at)
        best = self._best()
        self.regret = math.inf if best is None else self.table.regret(self.settings[best])
        self.trained = min(self.trained, self.table.regret(at))
        self.apart = min(self.apart, self.table.regret_apart(at))
        mover = self.study.get_trials(deepcopy=False)[trial.number].user_attrs.get("moved_by", "")
        return Point(self.paid, self.regret, self.trained, self.apart, at, value, str(mover))

    def _best(self) -> int | None:
        """The number of the trial that the strategy holds for the best."""
        trials = self.study.get_trials(deepcopy=False)
        if self.strategy.reads_curves:
            best = held_for_best([trial_view(trial, 1.0) for trial in trials], self.table.space)
            return None if best is None else best.number
        ended = {trial.number: trial.value for trial in trials if trial.value is not None}
        return min(ended, key=lambda number: ended[number], default=None)

    def _watched(self, trial: Trial, run: Run) -> float:
        """How much of the run was trained, 0 to 1: less than all where the pruner stopped it."""
        curve = run.curve(self.table.metric)
        if curve is None:
            return 1.0
        for step, value in zip(curve.steps, curve.values, strict=True):
            share = float(step / run.last_step)
            if not 0 < share < 1:
                continue
            if self.strategy.reads_curves:
                self._record(trial, run, share)
            trial.report(float(self.table.sign * value), round(1000 * share))
            if trial.should_prune():
                return share
        return 1.0

    def _record(self, trial: Trial, run: Run, share: float) -> None:
        part = self.judge.part(run, share)
        record(trial, part, self.judge.of(run, share), metric=self.table.metric, share=share)

    def _tell(self, trial: Trial, run: Run, value: float, share: float) -> None:
        """As ``tuner study`` does: a diverged run has a finite bad value. The others prune as Optuna prunes."""
        if self.strategy.reads_curves:
            self._record(trial, run, share)
            if share == 1:
                trial.report(value, 1000)
            attributes = self.study.get_trials(deepcopy=False)[trial.number].user_attrs
            self.study.tell(trial, self._bad(run) if attributes.get(DIVERGED) else value)
        elif share < 1:
            self.study.tell(trial, state=TrialState.PRUNED)
        else:
            self.study.tell(trial, value if math.isfinite(value) else self._bad(run))

    def _bad(self, run: Run) -> float:
        """A value worse than all so far: samplers ignore failed trials, so nan must not fail."""
        known = [t.value for t in self.study.get_trials(deepcopy=False) if t.value is not None]
        curve = run.curve(self.table.metric)
        known += [float(np.max(self.table.sign * curve.values))] if curve is not None and len(curve) else []
        worst = max(known, default=1.0)
        return worst + 0.05 * abs(worst)


def course_of(points: Sequence[Point]) -> Course:
    """The figures of a course alone."""
    return Course(*(tuple(getattr(point, name) for point in points) for name in ("paid", "regret", "trained", "apart")))


def paid_until(course: Course, within: float) -> float:
    """Runs paid until what the strategy holds for the best is within a share of the table's best for good.

    Infinite when it never is.
    """
    for number, paid in enumerate(course.paid):
        if all(regret <= within for regret in course.regret[number:]):
            return paid
    return math.inf


def paid_until_trained(course: Course, within: float) -> float:
    """Runs paid until a setting within a share of the table's best was trained; infinite when none was."""
    return next((paid for paid, least in zip(course.paid, course.trained, strict=True) if least <= within), math.inf)


def paid_until_tied(course: Course, within: float) -> float:
    """As ``paid_until_trained``, or until one was trained that the table's seeds do not tell from its best."""
    return next((paid for paid, least in zip(course.paid, course.apart, strict=True) if least <= within), math.inf)


def regret_after(course: Course, trials: int) -> float:
    """The regret of what the strategy holds for the best after so many trials."""
    return course.regret[min(trials, len(course.regret)) - 1]
