"""What the trials reached against what they forgot for it, as a drawing."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.chart.markup import Markup, element
from diagnostics.chart.scales import Scale, scale_over
from diagnostics.formatting import number
from tuner.messages.en import PRICE
from tuner.study.price import HIGH_PRICE, Price, prices
from tuner.study.report.axes import (
    BOTTOM,
    LEFT,
    RIGHT,
    TOP,
    axes,
    cross,
    drawing,
    has_place,
    mover,
    shape,
    spans_decades,
)
from tuner.study.results import StudyResult

HEIGHT = 300
FAR = 3.0
"""The axis ends at so many times the limit, or what the best trial forgot: a model that was destroyed would flatten
the others."""


def price_chart(result: StudyResult, *, width: int) -> Markup | None:
    """The trials by what they forgot (across) and their metric (the better the higher), the best one ringed.

    None with fewer than two trials of which both are known.
    """
    known = prices(result)
    inside = [one for one in known if one.forgotten <= farthest(result, known) and has_place(result, one.trial)]
    if len(inside) < 2:
        return None
    limit = result.forgetting_limit
    across = scale_over([0.0, limit or 0.0, *(one.forgotten for one in inside)], LEFT, width - RIGHT)
    up = _upward(result, [one.value for one in inside])
    marks = [_point(one, across, up, one.trial.number == result.best) for one in inside]
    marks += [cross(across.at(one.forgotten), up.at(one.value)) for one in known if one not in inside]
    frame = axes(across, up, width, HEIGHT, PRICE["forgotten"], result.metric)
    return drawing(width, HEIGHT, PRICE["title"], frame, _limit(limit, across), *marks)


def farthest(result: StudyResult, known: Sequence[Price]) -> float:
    """Where the axis of what was forgotten ends."""
    best = next((one.forgotten for one in known if one.trial.number == result.best), 0.0)
    return FAR * max(best, result.forgetting_limit or 0.0, HIGH_PRICE)


def _upward(result: StudyResult, values: Sequence[float]) -> Scale:
    """The metric's axis with its better end on top, whichever way it is meant to go."""
    ends = (HEIGHT - BOTTOM - 8, TOP + 14)
    start, end = ends if result.direction == "maximize" else reversed(ends)
    return scale_over(values, start, end, log=spans_decades(values), margin=0.1)


def _point(one: Price, across: Scale, up: Scale, is_best: bool) -> Markup:
    x, y = across.at(one.forgotten), up.at(one.value)
    words = f"trial {one.trial.number}: {number(one.value)}, {one.forgotten:+.3f}"
    ring = element("circle", cx=x, cy=y, r=10, class_="ring", fill="none", stroke="var(--healthy)", stroke_width=2.4)
    return element(
        "g",
        element("title", words),
        ring if is_best else None,
        shape(mover(one.trial), x, y, 5),
        element("text", str(one.trial.number), x=x + 9, y=y - 7, class_="halo"),
    )


def _limit(limit: float | None, across: Scale) -> Markup | None:
    if limit is None:
        return None
    x = across.at(limit)
    words = element("text", PRICE["limit"], x=x - 5, y=HEIGHT - BOTTOM - 6, text_anchor="end")
    line = element("path", d=f"M{x:.1f},{TOP:g}V{HEIGHT - BOTTOM:g}", class_="axis", stroke_dasharray="5 4")
    return element("g", line, words)
