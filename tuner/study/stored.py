"""A study as its ``study.json`` has it."""

from __future__ import annotations

from pathlib import Path

from diagnostics.errors import BadInput
from tuner.config.bounded_read import read_json
from tuner.errors import error_text
from tuner.study.results import StudyResult


class NoStudy(BadInput):
    """The file does not hold a study that can be shown; the message says why."""


def load_study(path: Path) -> StudyResult:
    """The study in a ``study.json``; raises ``NoStudy`` when the file is gone, half written, or something else."""
    try:
        raw = read_json(path)
    except OSError as error:
        raise NoStudy(f"{path.name}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        why = error_text(error, 100)
        raise NoStudy(f"{path.name}: not JSON: {why} (a study that is being written is whole again soon)") from error
    if not isinstance(raw, dict):
        raise NoStudy(f"{path.name}: holds a {type(raw).__name__}, not a study")
    try:
        return StudyResult.from_dict(raw)
    except (TypeError, ValueError, KeyError, AttributeError, ArithmeticError, RecursionError) as error:
        raise NoStudy(f"{path.name}: not what `tuner study` writes ({error_text(error)})") from error
