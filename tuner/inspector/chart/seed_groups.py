"""Runs that differ in nothing but the seed, and their curves as one: the mean with a band around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

import numpy as np

from diagnostics.chart.smoothing import smoothed
from diagnostics.model.curves import FloatArray
from tuner.inspector.chart.series import View, along
from tuner.inspector.escape import one_line
from tuner.inspector.runs.folder import Opened
from tuner.training.run_config import own_config

MAY_DIFFER = ("seed", "data_seed", "output_dir", "run_name", "logging_dir", "transformers_version")
"""What may differ between two runs of one group."""

MAX_PLACES = 400
BANDS = ("min to max", "standard deviation")


@dataclass(frozen=True)
class Group:
    """Runs of equal settings by their places in the list; ``name`` is what their names have in common."""

    name: str
    places: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Spread:
    """A curve of several runs on common places of the x axis: mean, and the band around it; ``runs`` of them logged it.

    With one run the band is the curve.
    """

    name: str
    x: FloatArray
    mean: FloatArray
    low: FloatArray
    high: FloatArray
    runs: int


def groups(runs: Sequence[Opened]) -> list[Group]:
    """The runs grouped by their settings without the seed; a run of unknown learning rate is a group of its own."""
    alike: dict[str, list[int]] = {}
    for place, opened in enumerate(runs):
        known = opened.run.settings.known() | (own_config(opened.path) or {})
        config = sorted((key, repr(value)) for key, value in known.items() if key not in MAY_DIFFER)
        key = repr(config) if "learning_rate" in known else f"alone {place}"
        alike.setdefault(key, []).append(place)
    named = [Group(_name([runs[place].name for place in places]), tuple(places)) for places in alike.values()]
    return [Group(_numbered(group.name, named, n), group.places) for n, group in enumerate(named)]


def _name(names: Sequence[str]) -> str:
    """What the names have in common, without the loose end that a cut number leaves; with how many there are."""
    if len(names) == 1:
        return one_line(names[0], 40)
    letters = (set(place) for place in zip(*names, strict=False))
    shared = "".join(letter.pop() for letter in takewhile(lambda one: len(one) == 1, letters))
    shared = shared.rstrip("0123456789").rstrip("-_./ ").removesuffix("seed").rstrip("-_./ ") or names[0]
    return f"{one_line(shared, 40)} ({len(names)} runs)"


def _numbered(name: str, named: Sequence[Group], place: int) -> str:
    same = [n for n, group in enumerate(named) if group.name == name]
    return name if len(same) == 1 else f"{name}, {same.index(place) + 1}"


def spread(name: str, runs: Sequence[Opened], curve: str, view: View, band: str = BANDS[0]) -> Spread | None:
    """The curve of the runs as one; None when none of them logged it, or they have no part of the axis in common.

    Each is smoothed first, as it would be drawn, and laid on the places that any of them logged. The mean goes from
    where the last one begins to where the first one ends: further on it would be the mean of fewer runs, and jump.
    """
    lines = [points for opened in runs if (points := _points(opened, curve, view)) is not None]
    if not lines:
        return None
    first, last = max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines)
    if view.between is not None:
        first, last = max(first, view.between[0]), min(last, view.between[1])
    if view.log_x:
        first = max(first, float(np.nextafter(0, 1)))
    grid = np.unique(np.concatenate([x[(x >= first) & (x <= last)] for x, _ in lines]))
    if not grid.size:
        return None
    if grid.size > MAX_PLACES:
        grid = grid[np.unique(np.linspace(0, grid.size - 1, MAX_PLACES).astype(int))]
    table = np.stack([np.interp(grid, x, y) for x, y in lines])
    mean = table.mean(axis=0)
    if band == BANDS[1]:
        half = table.std(axis=0, ddof=1) if len(lines) > 1 else np.zeros_like(mean)
        return Spread(name, grid, mean, mean - half, mean + half, len(lines))
    return Spread(name, grid, mean, table.min(axis=0), table.max(axis=0), len(lines))


def _points(opened: Opened, name: str, view: View) -> tuple[FloatArray, FloatArray] | None:
    """The curve's places on the axis, rising, and its values, smoothed as in ``view``."""
    curve = opened.run.curve(name)
    if curve is None or not len(curve):
        return None
    mean = smoothed(name, curve, view.smoothing)
    y = curve.values if mean is None else mean
    x = along(opened.run, curve.steps, view.x)
    keep = np.r_[True, np.diff(x) > 0]  # a measure of progress can stay the same
    return x[keep], y[keep]
