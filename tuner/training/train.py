"""One trained run: TRL's trainer on a study file with overrides, logged, diagnosed and saved in a folder."""

from __future__ import annotations

import errno
import gc
import logging
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.message import Message
from diagnostics.readers import read
from tuner.config.library_logging import quiet
from tuner.config.methods import TRL_METHODS
from tuner.config.overrides import settings_of, with_overrides
from tuner.config.study_file import StudySpec, environment
from tuner.data import load_data
from tuner.errors import SpecError
from tuner.training.checkpoints import clear, clear_run, last_whole
from tuner.training.device_batch import chain, lowered_batch_note
from tuner.training.logging_defaults import with_logging_defaults
from tuner.training.protocol import Report
from tuner.training.run_config import is_same, rerun_config, write_config
from tuner.training.team import ALONE, Team

logger = logging.getLogger("tuner")


def train(
    spec: StudySpec,
    overrides: Mapping[str, Any],
    out: str | Path,
    report: Report | None = None,
    *,
    keep_checkpoints: bool = False,
    resume: bool = True,
    reuse: bool = False,
    say: Callable[[str], None] | None = None,
) -> Run:
    """What one training run logged; the run itself is left in the folder ``out``.

    ``overrides`` are settings (and ``seed``) to change in the file, and limits to the rows on a device. ``report`` is
    called at every evaluation with the run so far and the share of the schedule done (0 to 1); a text that it returns
    stops the run, for that reason. A run that was cut off continues from its last whole checkpoint when its settings
    are the same. With ``reuse``, one that was trained to its end with the same settings is read instead of trained
    again. ``say`` receives the live verdicts.

    Sets the variables of the file's ``env`` in this process, as TRL's parser does, and ``HF_TOKEN`` to its
    ``hub_token``. Raises ``SpecError`` for what the
    user can fix, ``KeyboardInterrupt`` after Ctrl-C or SIGTERM (the run can continue from where it was), and what the
    trainer raises, out of memory included, with the memory freed.
    """
    set_environment(spec)
    with quiet():
        known = finished(spec, dict(overrides), Path(out)) if reuse else None
        if known is not None:
            return known
        try:
            return _train_once(spec, dict(overrides), Path(out), report, keep_checkpoints, resume, say or logger.info)
        except BaseException as error:
            # The frames hold the model; a study continues after an out-of-memory error.
            for one in chain(error):
                traceback.clear_frames(one.__traceback__)
            gc.collect()
            raise
        finally:
            _free_memory()


def set_environment(spec: StudySpec) -> None:
    """Set the file's variables in this process, and its token where the libraries look; nothing stores that."""
    os.environ.update(environment(spec.config))
    if spec.config.get("hub_token"):
        os.environ["HF_TOKEN"] = str(spec.config["hub_token"])


def finished(spec: StudySpec, overrides: Mapping[str, Any], out: Path) -> Run | None:
    """The run in the folder, if one with these settings has ended there; its report is the last thing it wrote."""
    made = rerun_config(spec, with_overrides(spec.config, overrides), out)
    if not (out / "diagnosis.json").exists() or not is_same(made, out):
        return None
    try:
        return replace(read(out), name=out.name)
    except BadInput:
        return None


def _train_once(
    spec: StudySpec,
    overrides: dict[str, Any],
    out: Path,
    report: Report | None,
    keep_checkpoints: bool,
    resume: bool,
    say: Callable[[str], None],
) -> Run:
    config = with_overrides(spec.config, overrides)
    checkpoint = opened(out, rerun_config(spec, config, out), resume)
    note = lowered_batch_note(spec.config, spec.method, overrides)
    run = in_session(Task(spec, config, out, checkpoint, (note,) if note else ()), report, say)
    if not keep_checkpoints:
        clear(out)
    return replace(run, name=out.name)


@dataclass(frozen=True)
class Task:
    """One training in an open folder: ``config`` is the file's with all overrides; ``notes`` go into its report."""

    spec: StudySpec
    config: Mapping[str, Any]
    out: Path
    checkpoint: Path | None
    notes: tuple[Message, ...] = ()


def in_session(task: Task, report: Report | None, say: Callable[[str], None], team: Team = ALONE) -> Run:
    """What a training logged that ran in this process, alone or as one of the processes of a team."""
    from tuner.training.session import Session

    spec, config = task.spec, task.config
    data = load_data(config, spec.method, spec.path.parent, seed=int(spec.config.get("seed", 42)))
    logged = with_logging_defaults(config, *_best_by(spec))
    session = Session(spec, logged, data, task.out, report, say, settings_of(logged, spec.method), team)
    session.diagnosis_callback.notes += task.notes
    try:
        session.train(task.checkpoint)
        return session.save()
    finally:
        session.close()


def _best_by(spec: StudySpec) -> tuple[str, str]:
    """The trainer's name and the direction of the metric that chooses the best checkpoint."""
    name = TRL_METHODS[spec.method].trainer_name(spec.study.metric)
    curves = {one.curve for one in spec.study.answer_metrics}
    is_metric = spec.study.metric.startswith("eval_") and spec.study.metric not in curves
    return name, spec.study.direction if is_metric else "minimize"


def _create(out: Path) -> None:
    """Create the run's folder; raises ``SpecError`` when it cannot be written to."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise SpecError(f"{out}: cannot write there ({error.strerror}); choose another folder") from error


def opened(out: Path, made: Mapping[str, Any], resume: bool = True) -> Path | None:
    """The checkpoint to continue from in the run's folder; what another run left is deleted, and ``made`` written.

    Raises ``SpecError`` when the folder cannot be made or written to.
    """
    _create(out)
    finished = (out / "diagnosis.json").exists()
    checkpoint = last_whole(out) if resume and not finished and is_same(made, out) else None
    if checkpoint is None:
        clear_run(out)
    write_config(made, out)
    return checkpoint


def _free_memory() -> None:
    """Free the last model now; on a CPU a forced collection would cost half a second for nothing."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.accelerator.is_available():
        gc.collect()
        torch.accelerator.empty_cache()
