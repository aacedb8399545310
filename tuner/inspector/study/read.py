"""What a study left behind, read back from its ``study.json``: trials, best so far, and where its reports lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diagnostics.formatting import number, setting
from tuner.config.direction import Direction
from tuner.messages import text
from tuner.messages.en import STATES
from tuner.study.folder import DATABASE, RESULT
from tuner.study.results import StudyResult, TrialResult, TrialState
from tuner.study.words import ending, moves_line, proposer_words, source

MAX_DEPTH = 2
"""Levels of folders below the opened one in which studies are looked for."""


@dataclass(frozen=True)
class Step:
    """The metric after a trial: its own value and the best until then; None where the trial has no value.

    ``spent`` are the training steps of all trials up to this one; ``by`` is who proposed it.
    """

    trial: int
    value: float | None
    best: float | None
    spent: float = 0.0
    by: str = ""


def find_studies(root: Path) -> dict[str, Path]:
    """The study files at or a little below ``root``, by the name of their folder; links that lead out are left out."""
    inside = root.resolve()
    found = {}
    for deep in range(MAX_DEPTH + 1):
        for path in sorted(root.glob("*/" * deep + RESULT)):
            if path.resolve().is_relative_to(inside) and path.is_file():
                folder = path.parent.relative_to(root).as_posix()
                found[root.name if folder == "." else folder] = path
    return found


def beginning(root: Path) -> dict[str, Path]:
    """Folders of studies whose first trial is still being trained, by name: they have a storage and no result yet."""
    inside, known = root.resolve(), {path.parent for path in find_studies(root).values()}
    found = {}
    for deep in range(MAX_DEPTH + 1):
        for path in sorted(root.glob("*/" * deep + DATABASE)):
            if path.parent not in known and path.resolve().is_relative_to(inside):
                folder = path.parent.relative_to(root).as_posix()
                found[root.name if folder == "." else folder] = path.parent
    return found


def in_order(study: StudyResult) -> list[TrialResult]:
    """The trials by their number."""
    return sorted(study.trials, key=lambda trial: trial.number)


def progress(study: StudyResult) -> list[Step]:
    """The metric trial by trial with the best so far in the study's direction.

    Pruned trials set no best, nor do those that forget more than the study allows.
    """
    better = min if study.direction is Direction.MINIMIZE else max
    best: float | None = None
    spent = 0.0
    steps = []
    for trial in in_order(study):
        spent += trial.steps
        if trial.value is not None and trial.state is TrialState.COMPLETE and not study.forgets_too_much(trial):
            best = trial.value if best is None else better(best, trial.value)
        steps.append(Step(trial.number, trial.value, best, spent, source(trial.proposer)))
    return steps


def trial_rows(study: StudyResult) -> list[dict[str, Any]]:
    """One line for each trial: its value, verdict, settings, who proposed it, what moved and why."""
    rows = []
    for trial in in_order(study):
        rows.append(
            {
                "trial": trial.number,
                study.metric: trial.value,
                "state": "★ best" if trial.number == study.best else STATES[trial.state],
                "verdict": trial.label or "–",
                "cause": trial.cause or "–",
                "proposed by": proposer_words(trial.proposer),
                "moved": moves_line(trial) or "–",
                "why": "; ".join(part for part in (text(trial.because), ending(trial)) if part) or "–",
                **{knob: setting(knob, value) for knob, value in trial.settings.items()},
                "steps": number(trial.steps),
                "curve": [value for _, value in trial.curve],
            }
        )
    return rows


def numeric_knobs(study: StudyResult) -> list[str]:
    """The settings that took at least two different numbers in the study, the learning rate first."""
    seen: dict[str, set[float]] = {}
    for trial in study.trials:
        for knob, value in trial.settings.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                seen.setdefault(knob, set()).add(float(value))
    return sorted((knob for knob, values in seen.items() if len(values) > 1), key=lambda knob: knob != "learning_rate")


def against(study: StudyResult, knob: str) -> list[dict[str, Any]]:
    """The trials with a value as points: the setting ``knob`` against the metric, and who proposed each."""
    points = []
    for trial in in_order(study):
        value = trial.settings.get(knob)
        if trial.value is not None and isinstance(value, (int, float)):
            points.append(
                {
                    "trial": trial.number,
                    "setting": float(value),
                    "metric": trial.value,
                    "by": source(trial.proposer),
                    "verdict": trial.label or "–",
                    "state": str(trial.state),
                }
            )
    return points


def report(study_file: Path, folder: str, name: str) -> bytes | None:
    """A report that a study or one of its trials left (``folder`` as study.json gives it), None when there is none.

    ``folder`` comes out of a file, so nothing outside the study's own folder is read.
    """
    root = study_file.parent.resolve()
    try:
        path = (root / folder / name).resolve()
        return path.read_bytes() if path.is_relative_to(root) and path.is_file() else None
    except (OSError, ValueError):
        return None
