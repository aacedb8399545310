"""The names of the files and folders that a study leaves behind."""

from __future__ import annotations

from pathlib import Path

RESULT = "study.json"
"""Everything that is known of the study, for programs; the inspector reads it."""
MARKDOWN_REPORT, HTML_REPORT = "study.md", "study.html"
DATABASE = "study.db"
"""Optuna's storage, where ``--storage`` names no other one."""
LOCKS = ".locks"
TRACEBACK = "error.txt"
"""The whole error of a run that failed, in the run's folder."""
REPEAT = "repeat.json"


def trial_folder(number: int) -> str:
    """The name of a trial's folder: ``trial-007``."""
    return f"trial-{number:03d}"


def repeat_folder(trial: int, seed: int) -> str:
    """The name of a repeat's folder: ``repeat-7-seed-43``."""
    return f"repeat-{trial}-seed-{seed}"


def database_url(out: Path) -> str:
    """The address of the storage in a study's folder."""
    return f"sqlite:///{out / DATABASE}"
