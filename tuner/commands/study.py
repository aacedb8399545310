"""``tuner study``: trials of a study file until the budget is spent, and the report on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from tuner.commands.loading import load_study_file
from tuner.commands.on_cluster import study_on
from tuner.commands.output import show as show_on
from tuner.config.bounds import STUDY_BOUNDS, limit_broken
from tuner.config.cluster import Cluster
from tuner.config.driven_file import check_program
from tuner.config.library_logging import quiet
from tuner.config.slots import with_slots
from tuner.config.study_file import AS_MANY_AS_FIT, StudySpec
from tuner.errors import Unfinished

HERE = Cluster()

if TYPE_CHECKING:
    from tuner.study.protocols import Report
    from tuner.study.results import StudyResult


def study(
    file: Path,
    budget: Mapping[str, Any] | None = None,
    *,
    stop_early: bool | None = None,
    out: Path | None = None,
    storage: str | None = None,
    workers: int | None = None,
    gpus: Mapping[str, Any] | None = None,
    cluster: Cluster = HERE,
    verbose: bool = False,
    trust_remote_code: bool = False,
) -> int:
    """Run or continue the study of ``file`` and print where its report is; the exit status.

    ``budget`` holds trials, minutes and steps that replace those of the file, and so do ``stop_early``, ``workers`` and
    ``gpus`` (a text of numbers, how many for a trial, how many trials on each); None keeps the file's. ``cluster`` says
    where the workers run. Raises ``Unfinished`` when no trial has a value.
    """
    cluster.check((gpus or {}).get("gpus"))
    broken = limit_broken("workers", workers, STUDY_BOUNDS)
    if broken and cluster.is_here:
        raise BadInput(f"--workers must be {broken}, not {workers}")
    spec = load_study_file(file, verbose, trust_remote_code)
    given = {key: value for key, value in (budget or {}).items() if value is not None}
    if (given.keys() & {"minutes", "steps"}) and not spec.study.trials_given:
        given.setdefault("trials", AS_MANY_AS_FIT)
    given |= {} if stop_early is None else {"stop_early": stop_early}
    given |= {} if workers is None else {"workers": workers}
    given |= {key: value for key, value in (gpus or {}).items() if value is not None}
    spec = replace(spec, study=replace(spec.study, **given))
    if cluster.is_here:
        spec = with_slots(spec, workers)
        check_program(spec)
    from rich.console import Console

    from tuner.study.display.ending import ending
    from tuner.study.display.terminal import progress
    from tuner.study.loop import run_study
    from tuner.study.pool.gpus import slot
    from tuner.study.pool.supervise import run_pool

    folder, many = out or Path("runs") / spec.name, spec.study.workers
    console = Console()
    with quiet(), progress(console) as show:
        if not cluster.is_here:
            options = {"storage": storage, "verbose": verbose, "trust_remote_code": trust_remote_code}
            result = study_on(cluster, spec, folder, {**given, **options}, workers, show)
        elif many == 1:
            with slot(spec.study, show):
                result = run_study(spec, StudyTrainer(spec), folder, storage=storage, show=show)
        else:
            trainer = StudyTrainer(spec)
            result = run_pool(spec, trainer, folder, storage=storage, show=show, workers=many, verbose=verbose)
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


@dataclass(frozen=True)
class StudyTrainer:
    """``train``, or the file's other trainer, with the study file bound, as the loop calls it.

    Live verdicts stay out of the table of trials.
    """

    spec: StudySpec

    def __call__(self, overrides: Mapping[str, Any], folder: Path, report: Report) -> Run:
        """The run of these settings."""
        if self.spec.driver is not None:
            from tuner.drivers.drive import drive

            return drive(self.spec, overrides, folder, report)
        if self.spec.study.gpus_per_trial > 1:
            from tuner.drivers.ranks import train_on_devices

            return train_on_devices(self.spec, overrides, folder, report, self.spec.study.gpus_per_trial)
        from tuner.training.train import train

        return train(self.spec, overrides, folder, report, reuse=True, say=lambda line: None)
