"""Open a study's storage: create it the first time; later, check that the study file defines the same study."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import optuna
from optuna.distributions import BaseDistribution, distribution_to_json
from optuna.storages import RDBStorage
from optuna.study import StudyDirection

from diagnostics.errors import BadInput
from diagnostics.formatting import setting
from tuner.config.bounded_read import read_json
from tuner.config.direction import Direction
from tuner.config.general_text import digest
from tuner.config.secret_keys import without_secrets
from tuner.config.trust import TRUST
from tuner.search.attributes import FORGETTING_LIMIT, RATE_PRIOR
from tuner.search.distributions import distributions
from tuner.search.pruner import DiagnosisPruner
from tuner.search.sampler import DiagnosisSampler
from tuner.study.context import file_value
from tuner.study.events import Notice, Show
from tuner.study.folder import LOCKS, RESULT, database_url
from tuner.study.history import trial_results
from tuner.study.prior import rate_prior
from tuner.study.workers.claims import CLAIM_LOCK
from tuner.study.workers.file_locks import Locks, locked
from tuner.study.workers.patience import Patience
from tuner.study.workers.storage import check_address, database_at, kept_reachable, locks_for, reachable, shown
from tuner.training.checkpoints import checkpoints

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from tuner.config.study_file import StudySpec

DEFINITION = "definition"
SAME_FAILURES = 3
"""So many trials in a row that fail alike show a bug, not bad settings."""
MAY_CHANGE = ("output_dir", "run_name", "report_to", "env", "logging_dir", TRUST)
"""Keys of the file that may change: they do not change what is trained. Neither do its secrets."""


@contextmanager
def opened(
    spec: StudySpec,
    out: Path,
    storage: str | None = None,
    base: BaseSampler | None = None,
    show: Show = lambda event: None,
) -> Iterator[tuple[optuna.Study, Locks]]:
    """The Optuna study of this file, made when it is new, and its locks; the database is closed after the block.

    Raises ``BadInput`` when the storage cannot be opened, when ``out`` cannot be written, or when the file's space,
    metric or configuration changed since; a folder that was made for nothing is gone again. Raises ``Unfinished`` when
    the storage is lost on the way; a server is waited for, and ``show`` is called with the notice of it.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    check_address(storage)
    if not out.exists():
        rate_prior(spec)  # what it refuses is refused before a folder is made
    patience = Patience(shown(storage), lambda note: show(Notice(note))) if storage else None
    locks = locks_for(storage, out, spec.name, patience)
    url = storage or database_url(out)
    with kept_reachable(url), ExitStack() as stack:
        with _folder(out), reachable(url):
            with locked(locks, CLAIM_LOCK):
                # One at a time: two processes that make the tables of a new database at once trip over each other.
                database = database_at(url, patience)
            stack.callback(_close, database)
            study = _study(spec, out, database, locks, base, storage)
        if patience is not None:
            patience.begin()
        yield study, locks


def _close(database: RDBStorage) -> None:
    database.remove_session()
    database.engine.dispose()


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """A block with the folder made; where it is new and the block raises ``BadInput``, it is removed again."""
    missing = [folder for folder in (out, *out.parents) if not folder.exists()]
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not os.access(out, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise BadInput(
            f"{out}: {error.strerror}, so no study can live there; choose another folder with --out"
        ) from error
    try:
        yield
    except BadInput:
        _remove(out, missing)
        raise


def _remove(out: Path, made: list[Path]) -> None:
    """Take back the folders that were made for a study that did not open, unless another one lives there by now."""
    if not made or any(path.name != LOCKS for path in out.iterdir()):
        return
    shutil.rmtree(out)
    with suppress(OSError):
        for folder in made[1:]:
            folder.rmdir()


def _study(
    spec: StudySpec, out: Path, database: RDBStorage, locks: Locks, base: BaseSampler | None, storage: str | None
) -> optuna.Study:
    """The study in an open database, checked against the study file."""
    space = distributions(spec.study.space)
    minimize = spec.study.direction == Direction.MINIMIZE

    def load() -> optuna.Study:
        return optuna.create_study(
            study_name=spec.name,
            storage=database,
            direction=StudyDirection.MINIMIZE if minimize else StudyDirection.MAXIMIZE,
            sampler=DiagnosisSampler(
                base,
                seed=int(file_value(spec, "seed") or 0),
                space=space,
                reseed=spec.study.seeds > 0,
                metric=spec.study.metric,
            ),
            pruner=DiagnosisPruner(),
            load_if_exists=True,
        )

    with locked(locks, CLAIM_LOCK):
        _check_alone(spec, out, database, storage)
        study, wanted = load(), definition(spec, space)
        fixed = _stored(study, wanted) != wanted and _nothing_learned(study, locks, out)
        if storage is None and (fixed or _nothing_but_errors(study, spec.study.trials)):
            # No trial has a value to keep, so the corrected file or training starts at its trial 0.
            optuna.delete_study(study_name=spec.name, storage=database)
            study = load()
        stored = _stored(study, wanted)
        if (study.user_attrs.get(RATE_PRIOR) or {}).get("given") != spec.study.prior:
            # It stays what it was when the study began, whatever becomes of the study that it came from.
            study.set_user_attr(RATE_PRIOR, rate_prior(spec))
        if study.user_attrs.get(DEFINITION) != stored:
            study.set_user_attr(DEFINITION, stored)  # a new study, or one of the versions that stored secrets
    _check_same(stored, wanted, spec, out, storage)
    if study.user_attrs.get(FORGETTING_LIMIT) != spec.study.forgetting_limit:
        study.set_user_attr(FORGETTING_LIMIT, spec.study.forgetting_limit)
    return study


def _stored(study: optuna.Study, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The definition that the study began with, ``wanted`` when it is new, without what is not part of one."""
    stored = dict(study.user_attrs.get(DEFINITION, wanted))
    return {"forgetting": {}, **stored, "config": _defining(stored["config"])}


def _defining(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a config that define what is trained."""
    return dict(without_secrets({key: value for key, value in config.items() if key not in MAY_CHANGE}))


def _nothing_but_errors(study: optuna.Study, total: int) -> bool:
    """Whether an earlier run of the command ended because every trial failed."""
    trials = trial_results(study)
    return len(trials) >= min(SAME_FAILURES, total) and all(trial.state.by_failure for trial in trials)


def _nothing_learned(study: optuna.Study, locks: Locks, out: Path) -> bool:
    """Whether every trial ended by an error, or was cut before its first checkpoint and is in nobody's hands."""
    return all(
        trial.state.by_failure
        or (trial.is_running and not checkpoints(out / trial.folder) and _is_free(locks, trial.folder))
        for trial in trial_results(study)
    )


def _is_free(locks: Locks, name: str) -> bool:
    """Whether nobody holds the lock of that name."""
    lock = locks.try_lock(name)
    if lock is not None:
        lock.release()
    return lock is not None


def start_settings(spec: StudySpec) -> dict[str, Any]:
    """The settings of trial 0: the file's own value of each knob of the space."""
    return {knob: file_value(spec, knob) for knob in spec.study.space}


def definition(spec: StudySpec, space: Mapping[str, BaseDistribution]) -> dict[str, Any]:
    """What must not change while a study continues: the space, the metric, and the training configuration."""
    return {
        "space": {knob: json.loads(distribution_to_json(span)) for knob, span in space.items()},
        "metric": f"{spec.study.direction} {spec.study.metric}",
        "method": spec.method,
        "config": json.loads(json.dumps(_defining(spec.config), default=str, sort_keys=True)),
        "forgetting": _forgetting(spec),
    }


def _forgetting(spec: StudySpec) -> dict[str, Any]:
    """The general text and how far its loss may rise, which decide what a trial is worth and which is the best."""
    text, limit = spec.study.general_text, spec.study.forgetting_limit
    made = {} if text is None else {"watch_forgetting": digest(text)}
    return made if limit is None else {**made, FORGETTING_LIMIT: limit}


def _check_alone(spec: StudySpec, out: Path, database: RDBStorage, storage: str | None) -> None:
    """Raise ``BadInput`` where another study lives in ``out``: both would write the same folders."""
    others = optuna.get_all_study_names(database) if storage is None else _reported(out)
    other = next((name for name in others if name != spec.name), None)
    if other is not None:
        raise BadInput(
            f"{out}: the study {other} lives there, and {spec.path} is the study {spec.name}; give another --out"
        )


def _reported(out: Path) -> list[str]:
    """The name of the study whose report lies in ``out``, if any."""
    try:
        return [str(read_json(out / RESULT)["name"])]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def _check_same(
    stored: Mapping[str, Any], wanted: Mapping[str, Any], spec: StudySpec, out: Path, storage: str | None
) -> None:
    changes = [f"{key} ({stored[key]} -> {wanted[key]})" for key in ("method", "metric") if stored[key] != wanted[key]]
    changes += _changes(stored["space"], wanted["space"], "study.space.")
    changes += _changes(stored["config"], wanted["config"], "")
    changes += _changes(stored["forgetting"], wanted["forgetting"], "study.")
    if changes and storage is None:
        raise BadInput(
            f"{spec.path}: changed since the study in {out} began: {', '.join(changes)}; "
            "undo the change, or start a new study with another --out"
        )
    if changes:
        raise BadInput(
            f"{spec.path}: the study {spec.name} in {shown(storage or '')} is another one: {', '.join(changes)}; "
            "undo the change, or give the file another name, for it names the study"
        )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str) -> list[str]:
    """The keys whose values differ, with both values where they are short."""
    changed = []
    for key in sorted({*before, *after}):
        old, new = before.get(key), after.get(key)
        if old != new:
            plain = not isinstance(old, (dict, list)) and not isinstance(new, (dict, list))
            changed.append(f"{prefix}{key} ({setting(key, old)} -> {setting(key, new)})" if plain else f"{prefix}{key}")
    return changed
