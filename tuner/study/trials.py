"""Whose turn it is: take up a trial that was cut, or ask for a new one, without two processes on the same trial."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from tuner.search.distributions import Distributions, suggest
from tuner.search.record import MOVED_BY
from tuner.study.locks import Lock, locked, try_lock

LOCK = ".lock"
TURN = ".turn.lock"


@dataclass(frozen=True)
class Claim:
    """A trial that this process holds; ``continued`` when it was cut before and goes on."""

    trial: Trial
    settings: Mapping[str, Any]
    folder: Path
    lock: Lock
    continued: bool


def folder_of(out: Path, number: int) -> Path:
    """The folder of a trial: ``trial-007``."""
    return out / f"trial-{number:03d}"


def claim(
    study: Study, out: Path, space: Distributions, total: int, start: Mapping[str, Any], *, ours: bool
) -> Claim | None:
    """The next trial to run, held by a file lock; None when ``total`` trials are finished or in other hands.

    A running trial whose lock can be had belonged to a process that died: it goes on under its number. ``start`` are
    the settings of trial 0. ``ours`` says that nobody but this folder uses the storage.
    """
    with locked(out / TURN):
        return _cut(study, out, space, ours=ours) or _fresh(study, out, space, total, start)


def _cut(study: Study, out: Path, space: Distributions, *, ours: bool) -> Claim | None:
    for frozen in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        folder = folder_of(out, frozen.number)
        # In a shared storage, a trial without a lock file here is run from another folder or machine.
        if not ours and not (folder / LOCK).exists():
            continue
        lock = try_lock(folder / LOCK)
        if lock is not None:
            return _held(Trial(study, frozen._trial_id), folder, lock, space, continued=True)
    return None


def _fresh(study: Study, out: Path, space: Distributions, total: int, start: Mapping[str, Any]) -> Claim | None:
    trials = study.get_trials(deepcopy=False)
    if not trials:
        study.enqueue_trial(dict(start), user_attrs={MOVED_BY: "file"})
    if sum(trial.state is not TrialState.WAITING for trial in trials) >= total:
        return None
    trial = study.ask()
    folder = folder_of(out, trial.number)
    lock = try_lock(folder / LOCK)
    if lock is None:
        raise RuntimeError(f"{folder / LOCK} is locked, but trial {trial.number} is new; give another --out")
    return _held(trial, folder, lock, space, continued=False)


def _held(trial: Trial, folder: Path, lock: Lock, space: Distributions, *, continued: bool) -> Claim:
    return Claim(trial, suggest(trial, space), folder, lock, continued)


def free_disk(out: Path, finished: list[FrozenTrial], best: int | None) -> None:
    """Drop the checkpoints of finished trials, and every adapter but that of the best."""
    for trial in finished:
        folder = folder_of(out, trial.number)
        drop_weights(folder, adapter=trial.number != best)


def drop_weights(folder: Path, *, adapter: bool) -> None:
    """Remove ``checkpoint-*`` below a run's folder, and its adapter when asked."""
    for path in [*folder.glob("checkpoint-*"), *([folder / "adapter"] if adapter else [])]:
        shutil.rmtree(path, ignore_errors=True)
