"""A run's folder: its event files and ``trainer_state.json``, joined."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from diagnostics.model.message import Message, message
from diagnostics.readers import sidecars, trainer_state
from diagnostics.readers.discovery import STATE, Parts, parts
from diagnostics.readers.files import UnreadableLog, text
from diagnostics.readers.raw_log import Log, Series
from diagnostics.readers.tabular import jsonlines
from diagnostics.readers.tensorboard import event_files

RELATIVE_TOLERANCE = 1e-3
"""The relative difference up to which two logged values are the same; event files hold 32-bit numbers."""

CANONICAL = {"lr": "learning_rate"}
"""LLaMA-Factory's names where they are not those of transformers."""


def reads(path: Path) -> bool:
    """Whether the path is a folder that is one run."""
    return os.path.isdir(path) and parts(path) is not None


def read_log(path: Path) -> Log:
    """The log of a run's folder. Raises ``UnreadableLog`` when nothing in it can be read."""
    held = parts(path)
    if held is None:
        raise UnreadableLog(f"{path}: the folder holds no log; give a run's folder or a log file")
    logs, errors = _logs(held)
    if not logs:
        raise errors[0]
    _, log = logs[0]
    for name, other in logs[1:]:
        log = _filled(log, other, name)
    return sidecars.with_settings(log, sidecars.around(path, held.checkpoint)).with_notes(*map(_not_read, errors))


def _not_read(error: UnreadableLog) -> Message:
    """A note on a log that is left out."""
    return message("log-not-read", why=str(error))


def _logs(held: Parts) -> tuple[list[tuple[str, Log]], list[UnreadableLog]]:
    """The logs that can be read with their file names, event files first, and the errors of the others."""
    readers: list[tuple[str, Callable[[], Log]]] = []
    if held.events:
        readers.append(("the event files", lambda: event_files.join(held.events, held.prefixes)))
    if held.states:
        readers.append((STATE, lambda: _state(held)))
    if held.jsonl:
        readers.append((held.jsonl.name, lambda: jsonlines.read_log(held.jsonl or Path())))
    logs: list[tuple[str, Log]] = []
    errors: list[UnreadableLog] = []
    for name, reader in readers:
        try:
            log = reader()
        except UnreadableLog as error:
            errors.append(error)
        else:
            logs.append((name, _tagged(log) if held.jsonl and name == held.jsonl.name and logs else log))
    return logs, errors


def _tagged(log: Log) -> Log:
    """A log of lines with the tags that the other logs of its run have."""
    return replace(log, series={trainer_state.tag(CANONICAL.get(name, name)): s for name, s in log.series.items()})


def _state(held: Parts) -> Log:
    """The log of the state with the highest step; where it is damaged, of the next one that is not.

    Raises ``UnreadableLog`` when no state can be read.
    """
    errors: list[UnreadableLog] = []
    for path in (*_furthest_first(held.states), *held.older):
        try:
            return trainer_state.read_log(path).with_notes(*map(_not_read, errors))
        except UnreadableLog as error:
            errors.append(error)
    raise errors[0]


def _furthest_first(states: tuple[Path, ...]) -> list[Path]:
    """The states, those with higher steps first; of equal ones in their order."""
    return sorted(states, key=_step_of, reverse=True) if len(states) > 1 else list(states)


def _step_of(state: Path) -> int:
    """The step that a state is of, -1 when it does not say."""
    try:
        found = re.search(r'"global_step":\s*(\d{1,15})\b', text(state))
    except UnreadableLog:
        return -1
    return int(found.group(1)) if found else -1


def _filled(log: Log, other: Log, name: str) -> Log:
    """The log completed from another log of the same run; one that disagrees is left out."""
    shared = [tag for tag in other.series if tag in log.series]
    if any(not _agree(log.series[tag], other.series[tag]) for tag in shared if tag.endswith("loss")):
        return log.with_notes(message("other-run", log=name))
    series = dict(log.series)
    for tag, points in other.series.items():
        series[tag] = _union(log.series[tag], points) if tag in log.series else points
    added = sum(points.steps.size for points in series.values()) - sum(s.steps.size for s in log.series.values())
    joined = replace(
        log,
        series=series,
        options={**other.options, **log.options},
        total_steps=log.total_steps or other.total_steps,
        derived=log.derived | (other.derived - log.options.keys()),
        discontinuities=(*log.discontinuities, *other.discontinuities),
    )
    more = [message("points-added", points=added, log=name)] if added and log.series else []
    return joined.with_notes(*more, *other.notes)


def _agree(one: Series, other: Series) -> bool:
    """Whether most of the steps that both series hold have the same value in both; True when they share none."""
    _, mine, theirs = np.intersect1d(one.steps, other.steps, return_indices=True)
    same = np.isclose(one.values[mine], other.values[theirs], rtol=RELATIVE_TOLERANCE, atol=1e-6, equal_nan=True)
    return bool(same.size == 0 or same.mean() > 0.5)


def _union(mine: Series, other: Series) -> Series:
    """My points, and the other's at steps that mine lacks."""
    new = ~np.isin(other.steps, mine.steps)
    if not new.any():
        return mine
    steps = np.concatenate([other.steps[new], mine.steps])
    order = np.argsort(steps, kind="stable")
    return Series(steps[order], np.concatenate([other.values[new], mine.values])[order])
