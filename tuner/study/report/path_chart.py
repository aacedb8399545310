"""The path of the search: every trial at its setting and value, and the trial it started from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.scales import Scale, scale_over
from diagnostics.formatting import number, plain_name
from tuner.messages import text
from tuner.search.proposer import ProposerKind
from tuner.study.report.axes import (
    BOTTOM,
    COLORS,
    LEFT,
    RIGHT,
    TOP,
    axes,
    cross,
    drawing,
    has_place,
    metric_scale,
    mover,
    shape,
)
from tuner.study.report.path_gain import parent_of
from tuner.study.results import StudyResult, TrialResult

Place = tuple[float, float]
RADIUS = 10.0  # pixels of a trial's symbol


def path_knob(result: StudyResult) -> str | None:
    """The setting that the path is drawn over: the learning rate where it changed, else the first that did."""
    numeric = [
        knob
        for knob in sorted(result.space, key=lambda name: name != "learning_rate")
        if len({v for v in (_number(trial.settings.get(knob)) for trial in result.trials) if v is not None}) > 1
    ]
    return numeric[0] if numeric else None


def _number(value: object) -> float | None:
    known = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None  # type: ignore[arg-type]


def path_chart(result: StudyResult, *, width: int) -> Markup | None:
    """Every trial, numbered, at its setting and value, with an arrow from the trial that it started from."""
    knob = path_knob(result)
    if knob is None:
        return None
    height = 400 if width > 500 else 330
    located = [(trial, x) for trial in result.trials if (x := _number(trial.settings.get(knob))) is not None]
    xs = [x for _, x in located]
    across = scale_over(xs, LEFT, width - RIGHT, log=min(xs) > 0 and max(xs) / min(xs) > 8, margin=0.07)
    down = metric_scale(result, [trial.value for trial, _ in located if has_place(result, trial)], height)
    clusters = _clusters(result, located, across, down, height)
    places = {trial.number: cluster.place for cluster in clusters for trial in cluster.trials}
    moves = [
        _arrow(trial, places[start], places[trial.number])
        for trial, _ in located
        for start in _from(result, trial, places)
    ]
    points = [_symbol(result, cluster) for cluster in clusters]
    frame = axes(across, down, width, height, knob, result.metric)
    return drawing(width, height, f"The path of the search over {plain_name(knob)}", frame, *moves, *points)


@dataclass
class _Cluster:
    """Trials that would cover each other, at the place of the one that is drawn: the best of the study, or the first.

    ``off`` is whether they have no place on the axis of values.
    """

    place: Place
    trials: list[TrialResult]
    off: bool


def _clusters(
    result: StudyResult, located: Iterable[tuple[TrialResult, float]], across: Scale, down: Scale, height: float
) -> list[_Cluster]:
    """The trials by where they are drawn, each at its own values unless another one is there."""
    clusters: list[_Cluster] = []
    for trial, x in located:
        off = trial.value is None or not has_place(result, trial)
        y = _edge(result, height) if off or trial.value is None else down.at(trial.value)
        place = across.at(x), y
        near = (one for one in clusters if one.off is off and math.dist(one.place, place) < 1.7 * RADIUS)
        cluster = next(near, None)
        if cluster is None:
            clusters.append(_Cluster(place, [trial], off))
        elif trial.number == result.best:
            cluster.place, cluster.trials = place, [trial, *cluster.trials]
        else:
            cluster.trials.append(trial)
    return clusters


def _edge(result: StudyResult, height: float) -> float:
    """The height of the trials beyond the axis: the top where lower is better, else the bottom."""
    return TOP + RADIUS if result.direction == "minimize" else height - BOTTOM - RADIUS


def _from(result: StudyResult, trial: TrialResult, places: Mapping[int, Place]) -> list[int]:
    """The trial that a trial starts from: the one whose settings it changed or repeats, else the one before."""
    drawn = [other for other in result.trials if other.number in places]
    parent = parent_of(drawn, trial)
    return [parent.number] if parent else [other.number for other in drawn if other.number < trial.number][-1:]


def _arrow(to: TrialResult, start: Place, end: Place) -> Markup | None:
    """The move to a trial: a solid line where advice made it, a dashed one where the search did."""
    length = math.dist(start, end)
    if length < 2.6 * RADIUS:
        return None
    ux, uy = (end[0] - start[0]) / length, (end[1] - start[1]) / length
    x1, y1 = start[0] + ux * RADIUS, start[1] + uy * RADIUS
    x2, y2 = end[0] - ux * (RADIUS + 3), end[1] - uy * (RADIUS + 3)
    advised = mover(to) is ProposerKind.ADVICE
    wings = ((x2 - 7 * ux - side * 4 * uy, y2 - 7 * uy + side * 4 * ux) for side in (1, -1))
    (ax, ay), (bx, by) = wings
    style: dict[str, Child] = {
        "fill": "none",
        "stroke": COLORS[mover(to)],
        "stroke_opacity": 0.75 if advised else 0.4,
        "stroke_width": 1.6,
    }
    dash = None if advised else "4 4"
    return joined(
        element("path", d=f"M{x1:.1f},{y1:.1f}L{x2:.1f},{y2:.1f}", stroke_dasharray=dash, **style),
        element("path", d=f"M{ax:.1f},{ay:.1f}L{x2:.1f},{y2:.1f}L{bx:.1f},{by:.1f}", **style),
    )


def _symbol(result: StudyResult, cluster: _Cluster) -> Markup:
    """The trial that is drawn, the best one in a ring, and beside it how many it covers."""
    trial, (x, y) = cluster.trials[0], cluster.place
    title = element("title", "; ".join(_described(result, one) for one in cluster.trials))
    covered = len(cluster.trials) - 1
    if cluster.off:
        words = f"{trial.number} +{covered}" if covered else f"{trial.number}"
        return element("g", title, cross(x, y), element("text", words, class_="halo", x=x + 9, y=y + 4))
    is_best = trial.number == result.best
    right = x + RADIUS + (9 if is_best else 4)
    more = element("text", f"+{covered}", class_="name halo", x=right, y=y + 3.8) if covered else None
    digits = element(
        "text", trial.number, x=x, y=y + 3.8, text_anchor="middle", style="fill:var(--card);font-weight:650"
    )
    return element("g", title, *(_ring(x, y) if is_best else ()), shape(mover(trial), x, y, RADIUS), digits, more)


def _described(result: StudyResult, trial: TrialResult) -> str:
    return f"trial {trial.number}: {plain_name(result.metric)} {number(trial.value)}. {text(trial.because)}"


def _ring(x: float, y: float) -> tuple[Markup, Markup]:
    """What marks the best trial: a ring, and the word."""
    place: dict[str, Child] = {"x": x, "y": y + RADIUS + 19, "text_anchor": "middle"}
    word = element("text", "best", class_="halo", style="fill:var(--healthy);font-weight:650", **place)
    return element("circle", cx=x, cy=y, r=RADIUS + 5, fill="none", stroke="var(--healthy)", stroke_width=2.5), word
