"""A study's result so far, put together from its storage and folder, and its reports."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from diagnostics.model.message import message
from tuner import __version__
from tuner.search.attributes import BEFORE
from tuner.search.credit import rule_records
from tuner.search.run_model.picture import RateCurve, rate_curves
from tuner.search.run_model.posterior import RunModel
from tuner.study import repeats
from tuner.study.budget import seconds_spent, steps_spent
from tuner.study.context import StudyContext, repeat_plan
from tuner.study.fit_memory import limits
from tuner.study.folder import LOCKS
from tuner.study.history import best_number, placed, pooled_trials, trial_results, trial_views
from tuner.study.noise import noise_of_study
from tuner.study.report.price_review import price_points
from tuner.study.report.review import review
from tuner.study.results import Gain, StudyResult, Text, TrialResult, TrialState, text_from
from tuner.study.workers.file_locks import FileLocks, locked

if TYPE_CHECKING:
    from tuner.config.study_spec import StudySpec

ENDED = "ended"
"""Why the search ended before its number of trials, and after how many."""
PACKAGES = ("torch", "transformers", "trl", "peft", "optuna")


def write_outcome(context: StudyContext) -> StudyResult:
    """The result so far; the study's reports are written, so that a killed study has them as well."""
    from tuner.study.report.write import write_study_reports

    result = outcome(context)
    with locked(FileLocks(context.out / LOCKS), "report"):
        write_study_reports(result, context.out)
    return result


def outcome(context: StudyContext) -> StudyResult:
    """The result of the study so far."""
    spec, study = context.spec, context.study
    trials = placed(trial_results(study), study, context.out)
    best = best_number(study)
    gain = gain_so_far(context, trials, best)
    done, known = repeats.all_of(study), pooled_trials(study)
    noise = noise_of_study(known, best, done)
    first = next((t.user_attrs.get(BEFORE) for t in study.get_trials(deepcopy=False) if t.number == 0), None)
    winner = next((trial for trial in trials if trial.number == best), None)
    missing = sum(repeats.load(study, *key) is None for key in repeat_plan(context))
    result = StudyResult(
        name=spec.name,
        path=str(spec.path),
        method=spec.method,
        metric=spec.study.metric,
        direction=context.direction,
        space=spec.study.space,
        trials=trials,
        best=best,
        gain=gain,
        records=tuple(rule_records(known).values()),
        review=review(trials, best, spec, context.space, gain, tuple(limits(study)), noise, missing),
        seconds=seconds_spent(trials, done),
        steps=steps_spent(trials, done),
        noise={name: value for name, value in asdict(noise).items() if value is not None} if noise else {},
        before=first or {},
        after=winner.metrics if winner else {},
        forgetting_limit=spec.study.forgetting_limit,
        versions=versions(),
        trainer=spec.driver.profile.name if spec.driver else "",
        notes=(*_notes(context, trials, missing), *_luck(context, trials, best)),
        rate_curves=_rate_curves(context, best),
    )
    return replace(result, review=(*result.review, *price_points(result, spec)))


def _rate_curves(context: StudyContext, best: int | None) -> tuple[RateCurve, ...]:
    """What the search expects over the learning rate at the best trial's settings."""
    views = trial_views(context.study)
    winner = next((view for view in views if view.number == best), None)
    model = context.model.posterior(views) if RunModel.serves(context.searched) else None
    if winner is None or model is None:
        return ()
    return rate_curves(model, views, winner, context.searched, context.direction.sign)


def gain_so_far(context: StudyContext, trials: tuple[TrialResult, ...], best: int | None) -> Gain | None:
    """What the finished repeats prove; None while trials are missing or no repeat has ended."""
    if best is None or any(trial.is_running for trial in trials):
        return None
    if best == 0:
        return _no_gain("file-not-beaten")
    plan = repeat_plan(context)
    if not plan:
        return _no_gain("no-repeats" if trials[0].value is not None else "first-trial-without-value")
    done = [repeat for trial, seed in plan if (repeat := repeats.load(context.study, trial, seed))]
    if not done:
        return None
    pairs = repeats.pairs_of(done, best)
    if not pairs and trials[0].value is None:
        return _no_gain("first-trial-without-value")
    lost = sum(repeat.value is None for repeat in done)
    doubts = repeats.forgets_too_much(done, best, context.spec.study.forgetting_limit)
    return repeats.gain_of(pairs, context.direction, lost, doubts)


def _no_gain(doubt: str) -> Gain:
    return Gain((), 0.0, 0.0, (message(doubt),))


def _notes(context: StudyContext, trials: tuple[TrialResult, ...], missing: int) -> tuple[Text, ...]:
    """What a reader should know: trials that are missing, repeats that are missing."""
    started = len(trials)
    notes: list[Text] = []
    ended = context.study.user_attrs.get(ENDED, {}) if started < context.total else {}
    why = text_from(ended["why"]) if ended.get("trials") == started else None
    if why is not None:
        notes.append(why)
    elif started < context.total:
        notes.append(message("trials-missing", trials=started, total=context.total))
    if missing and (why is not None or started >= context.total):
        notes.append(message("repeats-missing", repeats=missing))
    return (*notes, *_own_names(context.spec))


def _own_names(spec: StudySpec) -> tuple[Text, ...]:
    """What the other trainer calls the settings of the space, where it has names of its own."""
    driver = spec.driver
    own = {name: driver.key(name) for name in spec.study.space if driver.key(name) != name} if driver else {}
    return (message("own-names", names=", ".join(f"{name} is {key}" for name, key in own.items())),) if own else ()


def _luck(context: StudyContext, trials: tuple[TrialResult, ...], best: int | None) -> tuple[Text, ...]:
    """Why the best trial is not the one with the best value, where another settings' run has it."""
    whole = [trial for trial in trials if trial.state is TrialState.COMPLETE and trial.value is not None]
    lowest = min(whole, key=lambda one: context.direction.sign * (one.value or 0.0), default=None)
    winner = next((trial for trial in whole if trial.number == best), None)
    if lowest is None or winner is None or lowest.settings == winner.settings or lowest.value == winner.value:
        return ()
    return (message("lowest-by-luck", lowest=lowest.number, value=lowest.value, best=winner.number),)


def versions() -> Mapping[str, str]:
    """The versions of Python and of the packages that a result depends on."""
    known = {"python": platform.python_version(), "tuner": __version__}
    for package in PACKAGES:
        try:
            known[package] = version(package)
        except PackageNotFoundError:
            continue
    return known
