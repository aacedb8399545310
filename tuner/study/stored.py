"""A study as its ``study.json`` has it."""

from __future__ import annotations

import json
from pathlib import Path

from diagnostics.errors import BadInput
from tuner.study.results import StudyResult

MAX_BYTES = 64_000_000


class NoStudy(BadInput):
    """The file does not hold a study that can be shown; the message says why."""


def load_study(path: Path) -> StudyResult:
    """The study in a ``study.json``; raises ``NoStudy`` when the file is gone, half written, or something else."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise NoStudy(f"{path.name}: larger than {MAX_BYTES // 1_000_000} MB; that is not a study of tuner")
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NoStudy(f"{path.name}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise NoStudy(f"{path.name}: not JSON (a study that is being written is whole again in a moment)") from error
    if not isinstance(raw, dict):
        raise NoStudy(f"{path.name}: holds a {type(raw).__name__}, not a study")
    try:
        return StudyResult.from_dict(raw)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise NoStudy(f"{path.name}: not what `tuner study` writes ({error})") from error
