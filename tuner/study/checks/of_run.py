"""The checks of a short run: it trains, its log is read, it stops, it continues, and what the study will cost."""

from __future__ import annotations

from collections.abc import Iterator

from diagnostics.model.curves import Run
from tuner.config.study_spec import StudySpec
from tuner.drivers.progress import planned_steps
from tuner.drivers.rehearsal import Rehearsal, Rehearsed
from tuner.study.checks.record import Check, failed, passed, warned

GIGABYTE = 1e9


def checks_of_run(rehearsal: Rehearsal) -> Iterator[Check]:
    """The checks in their order, each as soon as it is known; nothing is checked after a run that does not train."""
    spec = rehearsal.spec
    first = rehearsal.start()
    run, loss = first.run, first.run.curve("train_loss") if first.run is not None else None
    if run is None or loss is None or not len(loss):
        why = first.problem or "nothing was logged"
        yield failed("check-not-trained", why=why)
        return
    yield passed("check-trains", step=run.last_step, loss=float(loss.values[-1]))
    yield from _metric(spec, run, first, rehearsal.seconds)
    yield _labels(run)
    yield from _stop(first)
    yield _again(rehearsal.start())
    if first.peak:
        yield passed("check-memory", gigabytes=first.peak / GIGABYTE)
    yield _cost(spec, run, first)


def _metric(spec: StudySpec, run: Run, shown: Rehearsed, seconds: float) -> Iterator[Check]:
    metric = spec.study.metric
    curve = run.curve(metric)
    if curve is not None and len(curve):
        yield passed("check-metric", metric=metric, value=float(curve.values[-1]), step=float(curve.steps[-1]))
        return
    yield failed("check-no-metric", metric=metric, curves=", ".join(sorted(run.curves)))
    if shown.problem:
        yield failed("check-not-trained", why=shown.problem)
    else:
        yield warned("check-not-in-time", metric=metric, minutes=seconds / 60)


def _labels(run: Run) -> Check:
    loss = run.curves["train_loss"]
    if loss.broken or not float(loss.values[0]) > 0:
        value = "not a number" if loss.broken else f"{float(loss.values[0]):g}"
        return failed("check-no-labels", loss=value)
    return passed("check-labels")


def _stop(shown: Rehearsed) -> Iterator[Check]:
    if shown.left:
        yield failed("check-left-running", count=len(shown.left))
    elif shown.by_force:
        yield warned("check-stopped-by-force")
    elif shown.stopped_in is not None:
        yield passed("check-stops", seconds=shown.stopped_in)


def _again(second: Rehearsed) -> Check:
    if second.begins_at is None and second.through:
        return warned("check-through")
    if second.begins_at is None:
        return failed("check-not-resumed", why=second.problem or "nothing was logged")
    if second.begins_at <= 1:
        return warned("check-begins-again", step=second.begins_at)
    return passed("check-resumes", step=second.begins_at)


def _cost(spec: StudySpec, run: Run, shown: Rehearsed) -> Check:
    each, steps = shown.seconds_a_step, _steps_of_trial(spec, run)
    if each is None or steps is None:
        return warned(
            "check-cost-unknown", why="the log holds no times" if each is None else "no number of steps is known"
        )
    block = spec.study
    runs = block.trials + 2 * block.seeds
    minutes = each * steps * runs / 60 / block.workers
    values = {"trials": block.trials, "repeats": 2 * block.seeds, "workers": block.workers}
    return passed("check-cost", each=each, steps=steps, minutes=minutes, **values)


def _steps_of_trial(spec: StudySpec, run: Run) -> float | None:
    """The steps of a whole trial: the file's, or those of its epochs by the log of the short run."""
    steps = spec.config.get("max_steps") or 0
    if steps > 0:
        return float(steps)
    if spec.driver is not None and not spec.driver.profile.short:
        return planned_steps(run)
    epoch, epochs = run.curve("epoch"), spec.config.get("num_train_epochs") or 3.0
    if epoch is None or not len(epoch) or epoch.values[-1] <= 0:
        return None
    return float(round(epoch.steps[-1] / epoch.values[-1] * epochs))
