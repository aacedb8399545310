"""A run that was started again: what its second log overwrites in the first, and what a single log holds twice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from diagnostics.model.curves import FloatArray
from diagnostics.model.message import Message, message
from diagnostics.readers.assemble.tags import match
from diagnostics.readers.raw_log import Series

MAX_RESTARTS = 20
"""Steps that go back more often than this are out of order, not restarts."""

FEWEST_ROWS = 4
"""Nor is a run that logged fewer rows than these between two restarts, if it logged no step again."""


def kept_rows(
    steps: FloatArray, training: NDArray[np.int64]
) -> tuple[NDArray[np.bool_], tuple[float, ...], list[Message]]:
    """Which rows of one log count, the steps at which the run was started again, and a note on each.

    It was started again where the steps of the ``training`` rows go back. Earlier rows from that step on belong to
    an abandoned branch. A run that is started again logs some steps again: rows that go back every few rows and log no
    step twice are out of order.
    """
    keep = np.ones(steps.size, dtype=np.bool_)
    if _newest_first(steps[training]):
        return keep, (), [message("newest-first")]
    back = np.flatnonzero(np.diff(steps[training]) < 0)
    if back.size > training.size / FEWEST_ROWS and np.unique(steps[training]).size == training.size:
        return keep, (), [message("rows-out-of-order")]
    discontinuities: list[float] = []
    notes: list[Message] = []
    for row in training[back + 1].tolist() if back.size <= MAX_RESTARTS else ():
        lost = keep[:row] & (steps[:row] >= steps[row])
        keep[:row] &= ~lost
        discontinuities.append(float(steps[row]))
        notes.append(message("log-restarts", step=discontinuities[-1], rows=int(lost.sum())))
    return keep, tuple(discontinuities), notes


def _newest_first(steps: FloatArray) -> bool:
    """Whether every row lies before the one above it: sorted, the log is whole."""
    return steps.size > 2 and bool((np.diff(steps) < 0).all())


def started_again(before: Mapping[str, Series], after: Mapping[str, Series]) -> float | None:
    """The first step of the training losses in a further file, None when one of both files has none."""
    tags = [tag for tag in after if tag in before and (found := match(tag)) and found.name == "train_loss"]
    return min((float(after[tag].steps.min()) for tag in tags), default=None)


def continued(
    before: Mapping[str, Series], after: Mapping[str, Series], name: str, notes: list[Message]
) -> dict[str, Series]:
    """The series of a run whose log continues in another file, ``name``.

    Where the further file starts again at a step that was logged before, the earlier points from there on are left
    out, of every tag: they belong to an abandoned branch. TensorBoard does the same.
    """
    restart = _restart(before, after)
    if restart is not None:
        kept = {tag: _until(points, restart) for tag, points in before.items()}
        lost = sum(points.steps.size for points in before.values()) - sum(p.steps.size for p in kept.values())
        notes.append(message("file-restarts", file=name, step=restart, points=lost))
        before = {tag: points for tag, points in kept.items() if points.steps.size}
    joined = dict(before)
    for tag, points in after.items():
        joined[tag] = _then(before[tag], points) if tag in before else points
    return joined


def twice(points: Series, tag: str) -> Message | None:
    """A note when the steps of one log go back, as they do after a restart; else None."""
    back = np.flatnonzero(np.diff(points.steps) < 0)
    if not back.size or _newest_first(points.steps):
        return None
    again = points.steps.size - np.unique(points.steps).size
    return message("steps-logged-twice", tag=tag, step=float(points.steps[back[0] + 1]), steps=int(again))


def _restart(before: Mapping[str, Series], after: Mapping[str, Series]) -> float | None:
    """The step at which the further log starts again, None when it continues where the first one ended.

    Training losses decide; where there are none, losses on held-out rows. A log of one later evaluation is not a
    restart.
    """
    for wanted in ("train_loss", "eval_loss"):
        tags = [tag for tag in after if tag in before and (found := match(tag)) and found.name == wanted]
        starts = [float(after[tag].steps.min()) for tag in tags if after[tag].steps.min() <= before[tag].steps.max()]
        if starts:
            return min(starts)
        if any((found := match(tag)) and found.name == "train_loss" for tag in (*before, *after)):
            return None
    return None


def _until(points: Series, step: float) -> Series:
    """The points before a step."""
    keep = points.steps < step
    return Series(points.steps[keep], points.values[keep], None if points.times is None else points.times[keep])


def _then(first: Series, second: Series) -> Series:
    """Two series one after the other; times are kept when both have them."""
    times = None
    if first.times is not None and second.times is not None:
        times = np.concatenate([first.times, second.times])
    steps = np.concatenate([first.steps, second.steps])
    return Series(steps, np.concatenate([first.values, second.values]), times)
