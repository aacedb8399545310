"""When to train no more: the total, the budget, the noise, or errors that more trials would repeat."""

from __future__ import annotations

from diagnostics.errors import BadInput
from tuner.search.distributions import is_used_up
from tuner.search.stopping import should_stop
from tuner.study import repeats
from tuner.study.budget import used_up
from tuner.study.context import StudyContext
from tuner.study.history import told_trials, trial_results
from tuner.study.open_study import ENDED_BADLY, SAME_ERRORS

MEMORY_CURE = "lower max_length, or set gradient_checkpointing or load_in_4bit,"


def why_no_more(context: StudyContext, seconds: float) -> str | None:
    """Why no other trial shall begin, the total aside; None while one may. ``seconds`` are spent so far."""
    trials = trial_results(context.study)
    if is_used_up([trial.settings for trial in trials], context.space):
        return "every setting of the space has been tried"
    over = used_up(context.spec.study, trials, repeats.all_of(context.study), seconds)
    if over is not None or not context.spec.study.stop_early:
        return over
    found = should_stop(told_trials(context.study), context.space)
    return None if found is None else found.why(context.spec.study.metric)


def stop_if_hopeless(context: StudyContext) -> None:
    """Raise ``BadInput`` when the latest trials all failed with the same error, out of memory aside.

    That is a bug, or a full disk: more trials would fail alike, and settings are not to blame.
    """
    trials = [trial for trial in trial_results(context.study) if trial.state != "running"]
    errors = {trial.error for trial in trials[-SAME_ERRORS:]}
    error = errors.pop()
    learned = any(trial.state not in ENDED_BADLY for trial in trials)
    if len(trials) < SAME_ERRORS or errors or error is None or trials[-1].state not in ENDED_BADLY:
        return
    if learned and "memory" in error.lower():
        return
    cure = MEMORY_CURE if "memory" in error.lower() else "mend it"
    which = "latest" if learned else "first"
    more = f" with --trials {context.total + SAME_ERRORS}" if learned else ""
    raise BadInput(
        f"{context.spec.path}: the {which} {SAME_ERRORS} trials all failed with {error}; the traceback is in "
        f"{context.out / trials[-1].folder / 'error.txt'}; {cure} and run the command again{more}"
    )
