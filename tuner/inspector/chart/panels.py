"""A run's chart as panels under each other that share one x axis, one pair of hairs and one zoom; plain numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.chart.model import Chart
from diagnostics.formatting import SIGNS, number, plain_name
from diagnostics.model.curves import FloatArray, Run
from diagnostics.model.records import Label
from tuner.inspector.chart.series import LOSSES, Figure, Line, View, along, evenly, figure
from tuner.inspector.escape import one_line

REWARDS = ("rewards_chosen", "rewards_rejected", "rewards_margins")
SPLITS = re.compile(r"^(?:train|eval|val|valid|validation|test)[/_](?=.)")
MOST_HAIRS = 300
MOST_SERIES = 12
FEW = 60  # a curve of fewer points shows each of them
USUAL = (2.0, 98.0)  # percentiles
Reading = tuple[str, float, float]
"""A curve's name, a step and the value there."""

ROOM = 0.25  # of what the usual values span, beyond them


@dataclass(frozen=True, eq=False)
class Shade:
    """The band around the line of that name: from ``low`` to ``high`` at each place of the x axis."""

    name: str
    x: FloatArray
    low: FloatArray
    high: FloatArray


@dataclass(frozen=True, eq=False)
class Panel:
    """Lines that share an axis of values, over their bands.

    ``limits`` are those of that axis where outliers are ignored, ``beyond`` says how many; ``shaded`` is whether lines
    here may have bands, for a chart is the same whether some are there or not.
    """

    title: str
    lines: tuple[Line, ...]
    limits: tuple[float, float] | None = None
    beyond: int = 0
    shades: tuple[Shade, ...] = ()
    shaded: bool = False


@dataclass(frozen=True, eq=False)
class ChartData:
    """What is drawn: the whole figure, its panels from top to bottom, and for each place of ``hairs`` what it says."""

    figure: Figure
    panels: tuple[Panel, ...]
    hairs: tuple[tuple[float, str], ...] = ()

    @property
    def beyond(self) -> int:
        """How many points are drawn at the edge, for they lie beyond it."""
        return sum(panel.beyond for panel in self.panels)


def chart_data(run: Run, chart: Chart, names: Sequence[str], view: View) -> ChartData:
    """The chart of those curves of a run (at most twelve) as the reader wants to see it."""
    picture = figure(run, chart, names[:MOST_SERIES], view)
    panels = tuple(_panel(title, lines, view) for title, lines in grouped(picture.lines))
    return ChartData(picture, panels, crosshair(run, picture, view))


def grouped(lines: Sequence[Line]) -> list[tuple[str, list[Line]]]:
    """The lines that belong on one axis of values, with its title: both losses, the rewards, a curve of both splits."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(family(line.name), []).append(line)
    return [(title if len(own) > 1 else own[0].name, own) for title, own in groups.items()]


def family(name: str) -> str:
    """What a curve is of, whichever rows it was measured on."""
    if name in LOSSES:
        return "loss"
    own = SPLITS.sub("", name)
    return "rewards" if own in REWARDS else own


def dotted(line: Line) -> bool:
    """Whether each point of a line is drawn as a dot."""
    return line.x.size <= FEW or (line.name.startswith("eval") and line.x.size <= 4 * FEW)


def _panel(title: str, lines: Sequence[Line], view: View) -> Panel:
    if not view.ignore_outliers:
        return Panel(title, tuple(lines))
    limits = usual([line.y for line in lines], log=view.log_y)
    beyond = 0 if limits is None else sum(int(((line.y < limits[0]) | (line.y > limits[1])).sum()) for line in lines)
    return Panel(title, tuple(lines), limits if beyond else None, beyond)


def usual(values: Sequence[FloatArray], *, log: bool = False) -> tuple[float, float] | None:
    """The limits of an axis that shows what is usual; None where there is nothing to tell it from."""
    parts = [np.log(part) if log else part for part in values if part.size]
    if not parts:
        return None
    low, high = np.array([np.percentile(part, USUAL) for part in parts]).T
    span = float(high.max() - low.min())
    if not (math.isfinite(span) and span > 0):
        return None
    first, last = float(low.min()) - ROOM * span, float(high.max()) + ROOM * span
    return (math.exp(first), math.exp(last)) if log else (first, last)


def crosshair(run: Run, picture: Figure, view: View) -> tuple[tuple[float, str], ...]:
    """Places on the x axis, each with the step, the value of every line there and the findings over it, as text."""
    drawn = [line.x for line in picture.lines if line.x.size]
    if not drawn:
        return ()
    places = np.array(evenly(np.unique(np.concatenate(drawn)).tolist(), MOST_HAIRS))
    said: list[list[Reading]] = [[] for _ in places]
    steps = np.full(places.size, np.nan)
    for line in picture.lines:
        curve = run.curves[line.name]
        at = _before(along(run, curve.steps, view.x), places)
        there = at >= 0
        own = np.where(there, curve.steps[at], np.nan)
        steps = np.fmax(steps, own)
        for place in np.flatnonzero(there).tolist():
            said[place].append((line.name, float(own[place]), float(curve.values[at[place]])))
    return tuple(
        (float(x), _text(step, values, _findings(picture, float(x))))
        for x, step, values in zip(places.tolist(), steps.tolist(), said, strict=True)
    )


def readings(
    lines: Sequence[tuple[str, FloatArray, FloatArray]], unit: str, shades: Sequence[Shade] = ()
) -> tuple[tuple[float, str], ...]:
    """Places on the x axis, each with what every line says there, none before it begins or after it ends, as text.

    A line with a band, which has the same places, says how far that goes.
    """
    bands = {shade.name: shade for shade in shades}
    drawn = [x for _, x, _ in lines if x.size]
    if not drawn:
        return ()
    places = np.array(evenly(np.unique(np.concatenate(drawn)).tolist(), MOST_HAIRS))
    said: list[list[str]] = [[] if unit == "clock" else [f"{number(x)} {unit}"] for x in places.tolist()]
    for name, x, y in lines:
        at = _before(x, places)
        for place in np.flatnonzero((at >= 0) & (places <= (x[-1] if x.size else -math.inf))).tolist():
            own = f"{one_line(name, 40)}  {number(float(y[at[place]]))}"
            if (band := bands.get(name)) is not None:
                own += f" ({number(float(band.low[at[place]]))} to {number(float(band.high[at[place]]))})"
            said[place].append(own)
    return tuple((float(x), "\n".join(words)) for x, words in zip(places.tolist(), said, strict=True))


def _before(x: FloatArray, places: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The last point at or before each place, -1 where there is none; a hair's breadth after it counts as at it."""
    return np.searchsorted(x, places * (1 + 1e-12) + 1e-12, side="right").astype(np.int64) - 1


def _findings(picture: Figure, x: float) -> list[str]:
    return [f"{SIGNS[Label(b.label)]} {plain_name(b.rule)}" for b in picture.bands if b.first <= x <= b.last]


def _text(step: float, values: Sequence[Reading], findings: Sequence[str]) -> str:
    lines = [f"step {number(step)}"]
    for name, own, value in values:
        when = "" if own == step else f" (step {number(own)})"
        lines.append(f"{one_line(name, 40)}  {number(value)}{when}")
    return "\n".join([*lines, *findings])


def counted(drawn: ChartData, view: View) -> str:
    """How many of the logged points are drawn, why not all, and what an axis cannot show; plain text."""
    picture = drawn.figure
    inside = sum(line.inside for line in picture.lines)
    parts = [f"{number(picture.shown)} of {number(inside)} points in view are drawn"]
    if picture.shown < inside - sum(line.hidden for line in picture.lines):
        parts[0] += ", the lowest and highest of every pixel, so no spike is lost"
    if drawn.beyond:
        parts.append(f"{number(drawn.beyond)} outliers stand at the edge")
    parts += [
        f"{number(line.hidden)} points of {one_line(line.name, 60)} are not above 0 and cannot stand on a log axis"
        for line in picture.lines
        if line.hidden
    ]
    if view.smoothing > 0 and any(line.smooth_x.size for line in picture.lines):
        parts.append(f"smoothed by a running mean of weight {view.smoothing:g}")
    return "; ".join(parts) + "."
