"""When to begin no other trial: the total, the budget, the noise, or errors that more trials would repeat."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.errors import BadInput
from diagnostics.model.message import Message, message
from tuner.search.distributions import is_used_up
from tuner.search.stopping import should_stop
from tuner.study import repeats
from tuner.study.budget import repeats_missing, used_up
from tuner.study.context import StudyContext
from tuner.study.folder import TRACEBACK
from tuner.study.history import trial_results, trial_views
from tuner.study.judge_ledger import judge_used_up
from tuner.study.open_study import SAME_FAILURES
from tuner.study.results import TrialResult
from tuner.study.words import failure_words

MEMORY_FIX = "lower max_length, or set gradient_checkpointing or load_in_4bit,"


def why_no_more(context: StudyContext, trials: Sequence[TrialResult], seconds: float) -> Message | None:
    """Why no other trial shall begin, the total aside; None while one may. ``seconds`` are spent so far."""
    if trials and is_used_up([trial.settings for trial in trials], context.searched):
        return message("space-used-up")
    done = repeats.all_of(context.study)
    over = used_up(context.spec.study, trials, done, seconds)
    over = over or judge_used_up(context.spec.study, context.study, repeats_missing(context.spec.study, done))
    if over is not None or not context.spec.study.stop_early:
        return over
    found = should_stop(trial_views(context.study), context.searched, context.model)
    return None if found is None else found.why(context.spec.study.metric)


def stop_if_hopeless(context: StudyContext) -> None:
    """Raise ``BadInput`` when the latest trials all failed with the same error, out of memory aside.

    That is a bug: more trials would fail alike, and settings are not to blame.
    """
    trials = [trial for trial in trial_results(context.study) if not trial.is_running]
    latest = trials[-SAME_FAILURES:]
    failure = latest[-1].failure
    if failure is None or len(latest) < SAME_FAILURES or any(trial.failure != failure for trial in latest):
        return
    learned = any(not trial.state.by_failure for trial in trials)
    if learned and failure.for_memory:
        return
    fix = MEMORY_FIX if failure.for_memory else "fix it"
    which = "latest" if learned else "first"
    more = f" with --trials {context.total + SAME_FAILURES}" if learned else ""
    raise BadInput(
        f"{context.spec.path}: the {which} {SAME_FAILURES} trials all failed with {failure_words(failure)}; the "
        f"traceback is in {context.out / latest[-1].folder / TRACEBACK}; {fix} and run the command again{more}"
    )
