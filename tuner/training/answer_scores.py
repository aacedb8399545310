"""What a study file wants to know of the answers: its metrics, and the judge where it asks for one."""

from __future__ import annotations

from tuner.config.answer_metrics import JUDGE
from tuner.config.study_file import StudySpec
from tuner.training.answer_metrics import scorer_of
from tuner.training.callbacks.answers import NAME, AnswerScores
from tuner.training.judge import Judge


def answer_scores(spec: StudySpec) -> AnswerScores:
    """The scorers by curve; raises ``SpecError`` when one cannot be loaded."""
    metrics = [one for one in spec.study.answer_metrics if one.curve != NAME and one.name != JUDGE]
    return AnswerScores(
        {one.curve: scorer_of(one, spec.path.parent, spec.path) for one in metrics},
        {one.curve: one.attempts for one in metrics},
        Judge(spec.study.judge) if spec.study.judge else None,
    )
