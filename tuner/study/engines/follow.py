"""What the workers of a cluster do, as events, told from the study's storage alone."""

from __future__ import annotations

from diagnostics.model.message import Message
from tuner.study import repeats
from tuner.study.context import StudyContext, repeat_plan
from tuner.study.events import Finished, Notice, Repeated, Started
from tuner.study.history import best_number, trial_results
from tuner.study.outcome import ENDED
from tuner.study.results import text_from
from tuner.study.workers.claims import PLACE


class Follow:
    """Shows what is new in a study since the last look."""

    def __init__(self, context: StudyContext) -> None:
        self._context = context
        trials = trial_results(context.study)
        self._ended = {trial.number for trial in trials if not trial.is_running}
        self._begun = {trial.number for trial in trials}
        self._repeated = {(one.trial, one.seed) for one in repeats.all_of(context.study)}
        self._why = text_from((context.study.user_attrs.get(ENDED) or {}).get("why"))

    def __call__(self) -> int:
        """Show what is new; how many runs have ended so far."""
        study, show = self._context.study, self._context.show
        held = {one.number for one in study.get_trials(deepcopy=False) if PLACE in one.user_attrs}
        for trial in trial_results(study):
            if trial.number in held - self._begun:  # before that its settings are still being chosen
                self._begun.add(trial.number)
                show(Started(trial.number, trial.settings, trial.moved, trial.proposer, trial.because))
            if trial.number not in self._ended and not trial.is_running:
                self._ended.add(trial.number)
                show(Finished(trial, best_number(study)))
        done = repeats.all_of(study)
        for one in done:
            if (one.trial, one.seed) not in self._repeated:
                self._repeated.add((one.trial, one.seed))
                count, total = len(self._repeated), max(len(repeat_plan(self._context)), len(self._repeated))
                show(Repeated(one.trial, one.seed, count, total, True, one.value, one.seconds))
        why = text_from((study.user_attrs.get(ENDED) or {}).get("why"))
        if isinstance(why, Message) and why != self._why:
            self._why = why
            show(Notice(why))
        return len(self._ended) + len(self._repeated)
