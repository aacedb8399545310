"""Another attempt at a run that failed for a reason that passes."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from optuna.exceptions import StorageInternalError

from diagnostics.errors import BadInput
from diagnostics.model.message import message
from tuner.errors import Unfinished, error_text
from tuner.search.attributes import ERROR
from tuner.study.context import StudyContext
from tuner.study.events import Notice
from tuner.study.folder import TRACEBACK
from tuner.study.passing import is_passing

Result = TypeVar("Result")

RETRY_PAUSES = (5.0, 30.0, 120.0)
"""Seconds before each further attempt at a run that failed for a passing reason."""


def retried(context: StudyContext, folder: Path, attempt: Callable[[], Result]) -> Result:
    """What ``attempt`` returns; after a passing failure it is called again, after longer and longer pauses.

    Raises ``Unfinished`` when the failure has not passed by then, with the run left open to be continued, and what
    the attempt raises for any other reason.
    """
    for pause in (*RETRY_PAUSES, None):
        try:
            return attempt()
        except Exception as error:
            if not _may_retry(context, error):
                raise
            why = error_text(error, 300)
            write_traceback(folder)
            if pause is None:
                raise Unfinished(
                    f"{folder}: {why}; {len(RETRY_PAUSES) + 1} attempts failed alike, and nothing is recorded of the "
                    "run; the same command continues once the cause is gone"
                ) from error
        # Outside of the handler, so that nothing holds on to the frames of the run that failed.
        context.show(Notice(message("failure-may-pass", run=folder.name, why=why, seconds=pause)))
        time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _may_retry(context: StudyContext, error: Exception) -> bool:
    """Whether the failure may pass. Bad input may, once a trial has shown that the same input works."""
    if isinstance(error, StorageInternalError) or not is_passing(error):
        return False
    return not isinstance(error, BadInput) or any(
        ERROR not in trial.user_attrs and trial.state.is_finished()
        for trial in context.study.get_trials(deepcopy=False)
    )


def write_traceback(folder: Path) -> None:
    """Keep the error that is being handled in the run's folder, if the disk takes it."""
    with suppress(OSError):
        (folder / TRACEBACK).write_text(traceback.format_exc(), encoding="utf-8", errors="backslashreplace")
