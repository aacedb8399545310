"""Several runs side by side: one curve of each on one axis, their verdicts, and the settings that differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from diagnostics.formatting import number, setting
from tuner.inspector.chart.difference import standings
from tuner.inspector.chart.panels import ChartData, Panel, Shade, readings
from tuner.inspector.chart.seed_groups import BANDS, groups, spread
from tuner.inspector.chart.series import AXES, LOSSES, Figure, Line, View, along, axes, extent, line
from tuner.inspector.escape import one_line
from tuner.inspector.runs.folder import Opened

MOST_RUNS = 20


@dataclass(frozen=True)
class Difference:
    """A setting that is not the same in all runs: its values in the order of the runs, None where the log is silent."""

    knob: str
    values: tuple[object, ...]

    def texts(self) -> tuple[str, ...]:
        """The values as a person writes them."""
        return tuple(setting(self.knob, value) for value in self.values)


def differences(runs: Sequence[Opened]) -> list[Difference]:
    """The settings that differ between the runs, in the order of the vocabulary of knobs; a silent log differs too."""
    known = [opened.run.settings.known() for opened in runs]
    knobs = list(dict.fromkeys(knob for settings in known for knob in settings))
    found = [Difference(knob, tuple(settings.get(knob) for settings in known)) for knob in knobs]
    return [difference for difference in found if len(set(map(repr, difference.values))) > 1]


def shared_curves(runs: Sequence[Opened]) -> list[str]:
    """Names of all curves that any of the runs logged, the losses first, then by how many runs have them."""
    having: dict[str, int] = {}
    for opened in runs:
        for name, curve in opened.run.curves.items():
            if len(curve):
                having[name] = having.get(name, 0) + 1
    first = [name for name in reversed(LOSSES) if name in having]
    return first + sorted((name for name in having if name not in LOSSES), key=lambda name: (-having[name], name))


def shared_axes(runs: Sequence[Opened]) -> tuple[str, ...]:
    """The x axes that every one of the runs can offer."""
    offered = [set(axes(opened.run)) for opened in runs]
    return tuple(name for name in AXES if all(name in have for have in offered))


def overlay(runs: Sequence[Opened], name: str, view: View) -> Figure:
    """The curve ``name`` of each run that logged it, the line named by its run's place (``0``, ``1``, …).

    The points of a figure are shared out, so twenty runs draw no more than one.
    """
    share = replace(view, points=max(200, 2 * view.points // max(1, len(runs))))
    lines: list[Line] = []
    for place, opened in enumerate(runs):
        curve = opened.run.curve(name)
        if curve is not None and len(curve):
            lines.append(replace(line(name, opened.run, curve, share), name=str(place)))
    return Figure(AXES[view.x], tuple(lines), extent=reach(runs, name, view.x), title=name)


def compared(runs: Sequence[Opened], picture: Figure, name: str, view: View, *, as_drawn: bool = False) -> ChartData:
    """The sheet of an overlay or of differences: its lines by the runs' names, and what each says at a place.

    That is what was logged there, or ``as_drawn`` what the line shows.
    """
    legend = legend_names(runs)
    whole = {
        str(place): (along(opened.run, curve.steps, view.x), curve.values)
        for place, opened in enumerate(runs)
        if (curve := opened.run.curve(name)) is not None
    }
    points = [(legend[one.name], *((one.x, one.y) if as_drawn else whole[one.name])) for one in picture.lines]
    lines = tuple(replace(one, name=legend[one.name]) for one in picture.lines)
    return ChartData(replace(picture, lines=lines), (Panel(name, lines),), readings(points, AXES[view.x]))


def averaged(runs: Sequence[Opened], name: str, view: View, band: str = BANDS[0]) -> ChartData:
    """The sheet of means: a line for each group of runs that differ in the seed alone, with the band around it.

    A log axis has no place at or below 0: means there are left out, and a band that reaches there begins at its line.
    """
    lines, shades = [], []
    for group in groups(runs):
        found = spread(group.name, [runs[place] for place in group.places], name, view, band)
        if found is None:
            continue
        keep = found.mean > 0 if view.log_y else np.full(found.x.size, True)
        x, mean, low, high = (part[keep] for part in (found.x, found.mean, found.low, found.high))
        low = np.where(low > 0, low, mean) if view.log_y else low
        empty = np.empty(0)
        lines.append(Line(group.name, x, mean, empty, empty, found.x.size, found.x.size, found.x.size - x.size))
        if found.runs > 1:
            shades.append(Shade(group.name, x, low, high))
    picture = Figure(AXES[view.x], tuple(lines), extent=reach(runs, name, view.x), title=name)
    hairs = readings([(one.name, one.x, one.y) for one in lines], AXES[view.x], shades)
    return ChartData(picture, (Panel(name, tuple(lines), shades=tuple(shades), shaded=True),), hairs)


def reach(runs: Sequence[Opened], name: str, axis: str) -> tuple[float, float]:
    """The first and the last place on the x axis that the curve reaches in any of the runs."""
    ends = [extent(opened.run, axis, [name]) for opened in runs if name in opened.run.curves]
    return (min(low for low, _ in ends), max(high for _, high in ends)) if ends else (0.0, 1.0)


def legend_names(runs: Sequence[Opened]) -> dict[str, str]:
    """What each line of an overlay is called: the run's name, its middle cut out where it is long, never twice."""
    names = [_ends(one_line(opened.name)) for opened in runs]
    return {str(i): name if names.count(name) == 1 else f"{name} ({i + 1})" for i, name in enumerate(names)}


def _ends(name: str, longest: int = 28) -> str:
    """Runs mostly differ at the end of their names: the start and the end of a long one."""
    return name if len(name) <= longest else f"{name[:9]}…{name[-(longest - 10) :]}"


def verdict_rows(runs: Sequence[Opened], curve: str = "eval_loss", baseline: int = 0) -> list[dict[str, str]]:
    """One line for each run: verdict, cause, best and last value of the curve and how far from the baseline's."""
    rows = []
    for place, standing in enumerate(standings(runs, baseline, curve)):
        opened = runs[place]
        rows.append(
            {
                "run": legend_names(runs)[str(place)],
                "verdict": str(opened.diagnosis.label),
                "cause": opened.diagnosis.cause or "–",
                f"best {one_line(curve, 40)}": number(standing.best),
                "to the baseline": "baseline" if place == baseline else signed(standing.best_difference),
                "last": number(standing.last),
                "last to the baseline": "baseline" if place == baseline else signed(standing.last_difference),
                "best step": number(opened.diagnosis.best_step),
                "steps": number(opened.run.last_step),
            }
        )
    return rows


def signed(value: float | None) -> str:
    """A difference with its sign: ``+0.12``, ``−0.03``."""
    if value is None or not value:
        return number(value)
    return f"{'+' if value > 0 else '−'}{number(abs(value))}"
