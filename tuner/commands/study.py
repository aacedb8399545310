"""``tuner study``: trials of a study file until the budget is spent, and the report on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnostics.model.curves import Run
from tuner.commands.loading import load_study_file
from tuner.commands.output import show as show_on
from tuner.config.library_logging import quiet
from tuner.config.study_file import AS_MANY_AS_FIT, StudySpec
from tuner.errors import Unfinished

if TYPE_CHECKING:
    from tuner.study.results import StudyResult


def study(
    file: Path,
    budget: Mapping[str, Any] | None = None,
    *,
    stop_early: bool | None = None,
    out: Path | None = None,
    storage: str | None = None,
    verbose: bool = False,
    trust_remote_code: bool = False,
) -> int:
    """Run or continue the study of ``file`` and print where its report is; the exit status.

    ``budget`` holds trials, minutes and steps that replace those of the file; None keeps the file's. Raises
    ``Unfinished`` when no trial has a value.
    """
    spec = load_study_file(file, verbose, trust_remote_code)
    given = {key: value for key, value in (budget or {}).items() if value is not None}
    if (given.keys() & {"minutes", "steps"}) and not spec.study.trials_given:
        given.setdefault("trials", AS_MANY_AS_FIT)
    given |= {} if stop_early is None else {"stop_early": stop_early}
    spec = replace(spec, study=replace(spec.study, **given))
    from rich.console import Console

    from tuner.study.display.ending import ending
    from tuner.study.display.terminal import progress
    from tuner.study.loop import run_study

    folder = out or Path("runs") / spec.name
    console = Console()
    with quiet(), progress(console) as show:
        result = run_study(spec, _trainer(spec), folder, storage=storage, show=show)
    show_on(console, ending(result, folder))
    if result.winner is None:
        raise Unfinished(_without_value(result, folder))
    return 0


def _without_value(result: StudyResult, folder: Path) -> str:
    """Why a study ended with nothing to choose from, and what to do."""
    from tuner.study.folder import TRACEBACK
    from tuner.study.words import failure_words

    failed = next((trial for trial in reversed(result.trials) if trial.failure is not None), None)
    if failed is None or failed.failure is None:
        return f"{folder}: no trial has a value: all of them diverged; lower the rates of study.space"
    where = f"; the traceback is in {folder / failed.folder / TRACEBACK}" if not failed.failure.for_memory else ""
    return (
        f"{folder}: no trial has a value: trial {failed.number} failed with {failure_words(failed.failure)}{where}; "
        "fix it and run the same command again"
    )


def _trainer(spec: StudySpec) -> Callable[[Mapping[str, Any], Path, Callable[[Run, float], str | None]], Run]:
    """``train`` with the study file bound, as the loop calls it; live verdicts stay out of the table of trials."""
    from tuner.training.train import train as train_once

    def bound(overrides: Mapping[str, Any], folder: Path, report: Callable[[Run, float], str | None]) -> Run:
        return train_once(spec, overrides, folder, report, reuse=True, say=lambda line: None)

    return bound
