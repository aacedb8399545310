"""The path of the search: every trial at its setting and value, and the trial it started from."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.scales import Scale, scale_over
from diagnostics.formatting import number, plain_name
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
    places = _places(result, located, across, down, height)
    moves = [
        _arrow(trial, places[start], places[trial.number])
        for trial, _ in located
        for start in _from(result, trial, places)
    ]
    points = [_trial_symbol(result, trial, *places[trial.number]) for trial, _ in located]
    frame = axes(across, down, width, height, knob, result.metric)
    return drawing(width, height, f"The path of the search over {plain_name(knob)}", frame, *moves, *points)


def _places(
    result: StudyResult, located: Iterable[tuple[TrialResult, float]], across: Scale, down: Scale, height: float
) -> dict[int, Place]:
    """Where each trial is drawn; those beyond the axis are further apart, with their numbers beside them."""
    places: dict[int, Place] = {}
    for trial, x in located:
        shown = trial.value is not None and has_place(result, trial)
        y = down.at(trial.value) if shown and trial.value is not None else _edge(result, height)
        room = 1.7 * RADIUS if shown else 2.7 * RADIUS
        places[trial.number] = _beside((across.at(x), y), places.values(), room)
    return places


def _edge(result: StudyResult, height: float) -> float:
    """The height of the trials beyond the axis: the top where lower is better, else the bottom."""
    return TOP + RADIUS if result.direction == "minimize" else height - BOTTOM - RADIUS


def _beside(place: Place, others: Iterable[Place], room: float) -> Place:
    """The place itself, or the nearest one to its right that is clear of all others."""
    others = tuple(others)
    x, y = place
    while any(math.dist((x, y), other) < room for other in others):
        x += RADIUS / 2
    return x, y


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


def _trial_symbol(result: StudyResult, trial: TrialResult, x: float, y: float) -> Markup:
    value = number(trial.value)
    title = element("title", f"trial {trial.number}: {plain_name(result.metric)} {value}. {trial.because}")
    best = (
        element("circle", cx=x, cy=y, r=RADIUS + 5, fill="none", stroke="var(--healthy)", stroke_width=2.5)
        if trial.number == result.best
        else None
    )
    word = (
        element(
            "text",
            "best",
            class_="halo",
            x=x,
            y=y + RADIUS + 19,
            text_anchor="middle",
            style="fill:var(--healthy);font-weight:650",
        )
        if best
        else None
    )
    if not has_place(result, trial):
        return element("g", title, cross(x, y), element("text", trial.number, class_="halo", x=x + 9, y=y + 4))
    digits = element(
        "text", trial.number, x=x, y=y + 3.8, text_anchor="middle", style="fill:var(--card);font-weight:650"
    )
    return element("g", title, best, shape(mover(trial), x, y, RADIUS), digits, word)
