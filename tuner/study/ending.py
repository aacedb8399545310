"""When to train no more: the total, the budget, the noise, or errors that more trials would repeat."""

from __future__ import annotations

from diagnostics.errors import BadInput
from tuner.search.distributions import is_used_up
from tuner.study import repeats
from tuner.study.budget import used_up
from tuner.study.enough import enough
from tuner.study.history import told_trials, trial_results
from tuner.study.opening import ENDED_BADLY, SAME_ERRORS
from tuner.study.setup import Setup

MEMORY_CURE = "lower max_length, or set gradient_checkpointing or load_in_4bit,"


def why_no_more(setup: Setup, seconds: float) -> str | None:
    """Why no other trial shall begin, the total aside; None while one may. ``seconds`` are spent so far."""
    trials = trial_results(setup.study)
    if is_used_up([trial.settings for trial in trials], setup.space):
        return "every setting of the space has been tried"
    over = used_up(setup.spec.study, trials, repeats.all_of(setup.study), seconds)
    if over is not None or not setup.spec.study.stop_early:
        return over
    found = enough(told_trials(setup.study), setup.space)
    return None if found is None else found.why(setup.spec.study.metric)


def stop_if_hopeless(setup: Setup) -> None:
    """Raise ``BadInput`` when the latest trials all failed with the same error, out of memory aside.

    That is a bug, or a full disk: more trials would fail alike, and settings are not to blame.
    """
    trials = [trial for trial in trial_results(setup.study) if trial.state != "running"]
    errors = {trial.error for trial in trials[-SAME_ERRORS:]}
    error = errors.pop()
    learned = any(trial.state not in ENDED_BADLY for trial in trials)
    if len(trials) < SAME_ERRORS or errors or error is None or trials[-1].state not in ENDED_BADLY:
        return
    if learned and "memory" in error.lower():
        return
    cure = MEMORY_CURE if "memory" in error.lower() else "mend it"
    which = "latest" if learned else "first"
    more = f" with --trials {setup.total + SAME_ERRORS}" if learned else ""
    raise BadInput(
        f"{setup.spec.path}: the {which} {SAME_ERRORS} trials all failed with {error}; the traceback is in "
        f"{setup.out / trials[-1].folder / 'error.txt'}; {cure} and run the command again{more}"
    )
