"""Claims: continue a trial that was cut or begin a new one, never with two workers on the same trial."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from diagnostics.readers.discovery import DRIVEN
from tuner.drivers.checkpoints import drop_output
from tuner.search.attributes import MOVED_BY
from tuner.search.distributions import Distributions, suggest
from tuner.search.proposer import FILE
from tuner.study.folder import trial_folder
from tuner.study.workers.file_locks import Lock, Locks, locked

CLAIM_LOCK = "turn"
PLACE = "place"
"""Where a trial's folder lies: the machine's name and the path there."""


@dataclass(frozen=True)
class Claim:
    """A trial that this worker holds; ``continued`` when it was cut before, here or by a worker elsewhere."""

    trial: Trial
    settings: Mapping[str, Any]
    folder: Path
    lock: Lock
    continued: bool


def folder_of(out: Path, number: int) -> Path:
    """The folder of a trial: ``trial-007``."""
    return out / trial_folder(number)


def claim(
    study: Study, locks: Locks, out: Path, space: Distributions, total: int, start: Mapping[str, Any]
) -> Claim | None:
    """The next trial to run, held by a lock; None when ``total`` trials are finished or in other hands.

    A running trial whose lock can be had belonged to a worker that died: it continues under its number. ``start`` are
    the settings of trial 0.
    """
    with locked(locks, CLAIM_LOCK):
        return _cut(study, locks, out, space) or _fresh(study, locks, out, space, total, start)


def _cut(study: Study, locks: Locks, out: Path, space: Distributions) -> Claim | None:
    running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
    for frozen in running if running and locks.are_settled() else ():
        folder = folder_of(out, frozen.number)
        lock = locks.try_lock(folder.name)
        if lock is None:
            continue
        if not study.get_trials(deepcopy=False)[frozen.number].state.is_finished():
            return _held(Trial(study, frozen._trial_id), folder, lock, space, continued=True)
        lock.release()  # its worker recorded its value in between
    return None


def _fresh(
    study: Study, locks: Locks, out: Path, space: Distributions, total: int, start: Mapping[str, Any]
) -> Claim | None:
    trials = study.get_trials(deepcopy=False)
    if not trials:
        study.enqueue_trial(dict(start), user_attrs={MOVED_BY: str(FILE)})
    if sum(trial.state is not TrialState.WAITING for trial in trials) >= total:
        return None
    trial = study.ask()
    folder = folder_of(out, trial.number)
    lock = locks.try_lock(folder.name)
    if lock is None:
        raise RuntimeError(f"the lock of {folder} is held, but trial {trial.number} is new; give another --out")
    return _held(trial, folder, lock, space, continued=False)


def _held(trial: Trial, folder: Path, lock: Lock, space: Distributions, *, continued: bool) -> Claim:
    settings = suggest(trial, space)
    trial.set_user_attr(PLACE, [platform.node(), str(folder.resolve())])
    return Claim(trial, settings, folder, lock, continued)


def free_disk(out: Path, finished: list[FrozenTrial], best: int | None) -> None:
    """Drop the checkpoints of finished trials, and every adapter but that of the best."""
    for trial in finished:
        folder = folder_of(out, trial.number)
        drop_weights(folder, adapter=trial.number != best)


def drop_weights(folder: Path, *, adapter: bool) -> None:
    """Remove ``checkpoint-*`` below a run's folder, and its adapter with ``adapter``.

    Of a run of another trainer nobody knows which of its files is the best adapter: with ``adapter`` all weights go,
    without it all stay.
    """
    if (folder / DRIVEN).exists():
        if adapter:
            drop_output(folder)
        return
    for path in [*folder.glob("checkpoint-*"), *([folder / "adapter"] if adapter else [])]:
        shutil.rmtree(path, ignore_errors=True)
