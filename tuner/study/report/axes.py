"""What the charts of a study share: who proposed a trial, which values fit on the axis, axes and symbols."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from statistics import median

from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.scales import Scale, scale_over
from diagnostics.formatting import number, plain_name, setting
from tuner.messages.en import SOURCES
from tuner.search.proposer import ProposerKind
from tuner.study.results import StudyResult, TrialResult

MIN_LOG_RATIO = 20.0
"""The metric's axis is logarithmic when its worst value is this many times its best."""
MAX_BEHIND = 1.2
"""How far behind the usual trial a value may lie, in units of how far the best one is ahead of it."""
LEFT, RIGHT, TOP, BOTTOM = 62.0, 22.0, 26.0, 44.0
COLORS: Mapping[ProposerKind, str] = {
    ProposerKind.FILE: "var(--ink)",
    ProposerKind.ADVICE: "var(--train-loss)",
    ProposerKind.SAMPLER: "var(--eval-loss)",
    ProposerKind.ANOTHER_SEED: "var(--soft)",
}
MOVERS: Mapping[ProposerKind, str] = {
    ProposerKind.FILE: "your file",
    ProposerKind.ADVICE: "moved by advice",
    ProposerKind.SAMPLER: "moved by the sampler",
    ProposerKind.ANOTHER_SEED: SOURCES["another-seed"],
}


def mover(trial: TrialResult) -> ProposerKind:
    """Who proposed a trial, as far as the charts tell proposers apart: one of ``COLORS``."""
    return trial.proposer.kind if trial.proposer.kind in COLORS else ProposerKind.SAMPLER


def worst_shown(result: StudyResult, behind: float = MAX_BEHIND) -> float:
    """The worst metric that still gets a place on the axis; infinite where all are the same.

    The usual trial is the median one, or the user's own file where that is worse.
    """
    sign = -1.0 if result.direction == "maximize" else 1.0
    values = sorted(
        sign * trial.value for trial in result.trials if trial.value is not None and math.isfinite(trial.value)
    )
    if not values:
        return math.inf * sign
    first = result.baseline.value if result.baseline else None
    usual = max(median(values), sign * first if first is not None and math.isfinite(first) else -math.inf)
    return sign * (usual + behind * (usual - values[0])) if usual > values[0] else math.inf * sign


def has_place(result: StudyResult, trial: TrialResult, behind: float = MAX_BEHIND) -> bool:
    """Whether a trial has a metric that fits on the axis; one that diverged would flatten all the others."""
    if trial.value is None or not math.isfinite(trial.value):
        return False
    limit = worst_shown(result, behind)
    return trial.value >= limit if result.direction == "maximize" else trial.value <= limit


def metric_scale(result: StudyResult, values: Iterable[float | None], height: float) -> Scale:
    """The metric's axis, with room at the bad end for the trials without a place on it."""
    known = [value for value in values if value is not None]
    off = 30.0 if any(not has_place(result, trial) for trial in result.trials) else 0.0
    top, bottom = (off, 14.0) if result.direction == "minimize" else (14.0, off)
    return scale_over(known, height - BOTTOM - bottom, TOP + top, log=spans_decades(known), margin=0.1)


def spans_decades(values: Iterable[float]) -> bool:
    """Whether values are positive and so far apart that the good ones would lie on one line of a linear axis."""
    known = list(values)
    return bool(known) and min(known) > 0 and max(known) / min(known) > MIN_LOG_RATIO


def shape(who: ProposerKind, x: float, y: float, r: float) -> Markup:
    """A diamond for the user's file, a square for advice, a circle for the sampler, a hexagon for another seed."""
    fill = COLORS[who]
    edge: dict[str, Child] = {"fill": fill, "stroke": "var(--card)", "stroke_width": 1.2}
    if who is ProposerKind.FILE:
        d = r * 1.3
        return element("path", d=f"M{x:.1f},{y - d:.1f}l{d:g},{d:g}l{-d:g},{d:g}l{-d:g},{-d:g}z", **edge)
    if who is ProposerKind.ADVICE:
        s = r * 0.92
        return element("rect", x=x - s, y=y - s, width=2 * s, height=2 * s, rx=r / 4, **edge)
    if who is ProposerKind.ANOTHER_SEED:
        h, w = r * 0.95, r * 1.1
        return element(
            "path", d=f"M{x - w:.1f},{y:.1f}l{w / 2:g},{-h:g}h{w:g}l{w / 2:g},{h:g}l{-w / 2:g},{h:g}h{-w:g}z", **edge
        )
    return element("circle", cx=x, cy=y, r=r, **edge)


def cross(x: float, y: float) -> Markup:
    """A trial without a place on the axis."""
    return element("path", class_="nan", d=f"M{x - 5:.1f},{y - 5:.1f}l10,10m0,-10l-10,10")


def axes(across: Scale, down: Scale, width: float, height: float, x_name: str, y_name: str) -> Markup:
    """Both axes with their names, round values and grid."""
    bottom = height - BOTTOM
    parts = [element("text", plain_name(y_name) + (" (log scale)" if down.log else ""), class_="head", x=4, y=14)]
    for tick in down.ticks(5):
        y = down.at(tick)
        parts.append(element("path", class_="grid", d=f"M{across.start:g},{y:.1f}H{across.end:g}"))
        parts.append(element("text", number(tick), x=across.start - 8, y=y + 3.5, text_anchor="end"))
    parts.append(element("path", class_="axis", d=f"M{across.start:g},{bottom:g}H{across.end:g}"))
    for tick in across.ticks(4 if width < 500 else 8):
        if x_name == "trial" and tick != int(tick):
            continue
        x = across.at(tick)
        parts.append(element("path", class_="axis", d=f"M{x:.1f},{bottom:g}v4"))
        parts.append(element("text", setting(x_name, tick), x=x, y=bottom + 17, text_anchor="middle"))
    name = plain_name(x_name) + (" (log scale)" if across.log else "")
    parts.append(element("text", name, class_="name", x=across.end, y=bottom + 35, text_anchor="end"))
    return joined(*parts)


def drawing(width: int, height: int, title: str, *content: Child) -> Markup:
    """One ``<svg>`` that takes its colors from the page."""
    box = {"viewBox": f"0 0 {width} {height}", "aria-label": title}
    return element(
        "svg",
        *content,
        xmlns="http://www.w3.org/2000/svg",
        class_="chart",
        width=width,
        height=height,
        role="img",
        **box,
    )
