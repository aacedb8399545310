"""One trial from start to end: train, watch, and record how it went."""

from __future__ import annotations

import math
import time

from optuna.exceptions import StorageInternalError
from optuna.trial import FrozenTrial, Trial, TrialState

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.message import message
from tuner.errors import Unfinished
from tuner.messages import text
from tuner.search.attributes import BEFORE, CURVE, DIVERGED, ERROR, METRICS, SECONDS, STEPS, STOPPED
from tuner.search.divergence import diverged
from tuner.search.log_diagnosis import record
from tuner.search.seeds import replicate_of, seed_of
from tuner.study.context import StudyContext
from tuner.study.events import Advanced, Notice, Started
from tuner.study.failure import Failure, FailureKind
from tuner.study.fit_memory import train_fitting
from tuner.study.history import INFEASIBLE, MEMORY, trial_result
from tuner.study.measure import Measure, measure
from tuner.study.results import Text, TrialResult, text_from
from tuner.study.retry import retried, write_traceback
from tuner.study.workers.claims import Claim

LOSS_OF_GUESSING = 10.0
"""A loss that is bad for any model (a guess among 22,000 tokens): the value of a bad trial that no other one can be
compared with."""


class LostTrial(Exception):
    """The trial is in other hands: the connection that held it was cut, and another worker took it up."""


def run_trial(context: StudyContext, held: Claim) -> TrialResult | None:
    """Train one trial and record how it went; an error of the training is a result, too.

    None when another worker has taken the trial over in the meantime. Raises ``Unfinished``, with the trial left to be
    continued, where the error lies at the machine and does not pass.
    """
    here = held.folder.exists()
    held.folder.mkdir(parents=True, exist_ok=True)
    result = _result(context, held.trial)
    if held.continued and not here:
        context.show(Notice(message("trial-taken-over", trial=result.number)))
    continued = held.continued and here
    context.show(Started(result.number, result.settings, result.moved, result.proposer, result.because, continued))
    watch = _Watch(context, held, earlier=result.seconds)
    try:
        _train(context, held, watch)
    except LostTrial:
        context.show(Notice(message("trial-lost", trial=result.number)))
        return None
    return _result(context, held.trial)


def _train(context: StudyContext, held: Claim, watch: _Watch) -> None:
    try:
        seed = _seed(context, held.trial)
        run, notes = retried(
            context, held.folder, lambda: train_fitting(context, held.settings, held.folder, watch.report, seed)
        )
    except (BadInput, LostTrial, StorageInternalError, Unfinished):
        raise
    except Exception as error:
        watch.check()
        watch.save_time()
        _record_failure(context, held, error)
    else:
        watch.check()
        watch.save_time()
        if notes:
            held.trial.set_user_attr(MEMORY, [note.to_dict() for note in notes])
        _record_run(context, held.trial, run, watch.stopped)


def _seed(context: StudyContext, trial: Trial) -> dict[str, int]:
    """What a repeat of earlier settings moves on top of them: its seed."""
    return {"seed": seed_of(trial, int(context.file_value("seed") or 0))} if replicate_of(trial) else {}


def _result(context: StudyContext, trial: Trial) -> TrialResult:
    trials = context.study.get_trials(deepcopy=False)
    return trial_result(trials[trial.number], {t.number: t.params for t in trials})


class _Watch:
    """Watches a running trial: keeps its verdict and values, and decides when to stop it."""

    def __init__(self, context: StudyContext, held: Claim, earlier: float) -> None:
        self._context, self._trial, self._lock = context, held.trial, held.lock
        self._begun, self._earlier = time.monotonic(), earlier
        self.stopped: Text | None = None
        self._known = set(self._frozen.intermediate_values)

    @property
    def _frozen(self) -> FrozenTrial:
        return self._context.study.get_trials(deepcopy=False)[self._trial.number]

    def check(self) -> None:
        """Raise ``LostTrial`` when another worker has the trial, or had it and has recorded its value."""
        if not self._lock.keep() or self._frozen.state.is_finished():
            raise LostTrial

    def report(self, run: Run, share: float) -> str | None:
        """Why the run should stop, or None; called at every evaluation."""
        self.check()
        metric = self._context.spec.study.metric
        diagnosis = record(self._trial, run, metric=metric, share=share, bounds=self._context.spec.study.bounds)
        self.save_time()
        curve = run.curve(metric)
        values = () if curve is None else tuple(curve.values.tolist())
        value = values[-1] if values else None
        step = round(1000 * share)
        if value is not None and step not in self._known:
            self._trial.report(value, step)
            self._known.add(step)
        label, at = str(diagnosis.label), run.last_step
        self._context.show(Advanced(self._trial.number, share, value, label, step=at, values=values))
        if self._trial.should_prune():
            self.stopped = text_from(self._frozen.user_attrs.get(STOPPED)) or message("pruned")
        return None if self.stopped is None else text(self.stopped)

    def save_time(self) -> None:
        """Keep how long the trial has taken, the time before it was cut included."""
        self._trial.set_user_attr(SECONDS, self._earlier + time.monotonic() - self._begun)


def _record_run(context: StudyContext, trial: Trial, run: Run, stopped: Text | None) -> None:
    """Store what the run showed, and its value; a run that diverged gets a finite bad one."""
    diagnosis = record(trial, run, metric=context.spec.study.metric, bounds=context.spec.study.bounds)
    found = measure(run, context.spec.study.metric, context.direction)
    _keep(trial, found)
    if found.value is None or diverged(run, diagnosis, context.spec.study.metric):
        trial.set_user_attr(DIVERGED, True)
        _record_bad_value(context, trial, found.first)
        return
    if stopped is not None:
        trial.set_user_attr(STOPPED, stopped if isinstance(stopped, str) else stopped.to_dict())
    # Optuna gets the value of a stopped trial as well: GPSampler does not see pruned ones and would come back.
    context.study.tell(trial, found.value)


def _keep(trial: Trial, found: Measure) -> None:
    for key, value in (
        (STEPS, found.steps),
        (METRICS, dict(found.metrics)),
        (BEFORE, dict(found.before)),
        (CURVE, [list(point) for point in found.curve]),
    ):
        trial.set_user_attr(key, value)


def _record_bad_value(context: StudyContext, trial: Trial, first: float | None) -> None:
    """Record a finite value that is worse than all others: samplers ignore failed trials and would try it again.

    That is the metric before training or the worst one seen, whichever is worse. Without either, the trial has failed,
    unless it did not fit into memory.
    """
    losses = [
        context.direction.sign * t.value for t in finished(context) if t.value is not None and math.isfinite(t.value)
    ]
    losses += [context.direction.sign * first] if first is not None and math.isfinite(first) else []
    if not losses and not context.study.get_trials(deepcopy=False)[trial.number].user_attrs.get(INFEASIBLE):
        context.study.tell(trial, state=TrialState.FAIL)
        return
    worst = max(losses, default=LOSS_OF_GUESSING if context.direction.sign > 0 else 0.0)
    context.study.tell(trial, context.direction.sign * (worst + 0.05 * abs(worst)))


def _record_failure(context: StudyContext, held: Claim, error: Exception) -> None:
    """Record why a trial failed in the study, and the whole traceback in ``error.txt``."""
    write_traceback(held.folder)
    failure = Failure.of(error)
    held.trial.set_user_attr(ERROR, failure.to_dict())
    if failure.infeasible:
        held.trial.set_user_attr(INFEASIBLE, True)
    if failure.kind is FailureKind.WORKERS_LOST:
        # That its workers are lost need not be the fault of its settings, so no value speaks against them.
        context.study.tell(held.trial, state=TrialState.FAIL)
        return
    _record_bad_value(context, held.trial, None)


def finished(context: StudyContext) -> list[FrozenTrial]:
    """The trials of the study that have ended."""
    return [t for t in context.study.get_trials(deepcopy=False) if t.state.is_finished()]
