"""How a study progressed: the best value so far, and the curves of all trials."""

from __future__ import annotations

import math
from collections.abc import Sequence

from diagnostics.chart.markup import Markup, element
from diagnostics.chart.scales import Scale, scale_over
from diagnostics.formatting import number
from tuner.study.report.axes import (
    BOTTOM,
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
from tuner.study.results import StudyResult, TrialResult

HEIGHT = 270


def progress_chart(result: StudyResult, *, width: int) -> Markup | None:
    """The metric of every trial in order, and the best so far as a staircase."""
    good = [trial for trial in result.trials if has_place(result, trial)]
    if len(good) < 2:
        return None
    numbers = [trial.number for trial in result.trials]
    across = scale_over(numbers, LEFT, width - RIGHT, margin=0.05)
    down = metric_scale(result, [trial.value for trial in good], HEIGHT)
    edge = TOP + 8 if result.direction == "minimize" else HEIGHT - BOTTOM - 8
    points = [
        shape(mover(t), across.at(t.number), down.at(t.value), 5)
        if t in good and t.value is not None
        else cross(across.at(t.number), edge)
        for t in result.trials
    ]
    frame = axes(across, down, width, HEIGHT, "trial", result.metric)
    allowed = [trial for trial in good if not result.forgets_too_much(trial)]
    stairs = _staircase(result, allowed, across, down) if allowed else None
    return drawing(width, HEIGHT, "The best value so far", frame, stairs, *points)


def _staircase(result: StudyResult, good: Sequence[TrialResult], across: Scale, down: Scale) -> Markup:
    pick = max if result.direction == "maximize" else min
    best, path = math.nan, ""
    for trial in good:
        value = trial.value if trial.value is not None else math.nan
        best = value if math.isnan(best) else pick(best, value)
        x, y = across.at(trial.number), down.at(best)
        path += f"H{x:.1f}V{y:.1f}" if path else f"M{x:.1f},{y:.1f}"
    return element("path", d=f"{path}H{across.end:g}", class_="curve", stroke="var(--healthy)", stroke_width=2.2)


def curves_chart(result: StudyResult, *, width: int) -> Markup | None:
    """The metric over the steps of every trial: the first and the best in color, the others faint."""
    drawn = [trial for trial in result.trials if len(_finite(trial)) > 1]
    if not drawn:
        return None
    across = scale_over([step for trial in drawn for step, _ in _finite(trial)], LEFT, width - RIGHT, margin=0.0)
    down = metric_scale(result, _curve_values(result, drawn), HEIGHT)
    named = [trial for trial in (result.baseline, result.winner) if trial in drawn and trial is not None]
    lines = [_line(trial, across, down, "var(--soft)", 0.28) for trial in drawn if trial not in named]
    lines += [_line(trial, across, down, _named_color(result, trial), 1.0) for trial in named]
    words = {trial.number: "best" if trial.number == result.best else "your file" for trial in named}
    names = [_end_name(trial, across, down, words[trial.number], _named_color(result, trial)) for trial in named]
    frame = axes(across, down, width, HEIGHT, "step", result.metric)
    return drawing(width, HEIGHT, "The curves of all trials", frame, *lines, *names)


def _named_color(result: StudyResult, trial: TrialResult) -> str:
    return "var(--healthy)" if trial.number == result.best else "var(--ink)"


def _finite(trial: TrialResult) -> list[tuple[float, float]]:
    return [(step, value) for step, value in trial.curve if math.isfinite(step) and math.isfinite(value)]


def _curve_values(result: StudyResult, drawn: Sequence[TrialResult]) -> list[float]:
    """The values that the axis must show: those of the trials that have a place, or of all when none has."""
    chosen = [trial for trial in drawn if has_place(result, trial)] or list(drawn)
    return [value for trial in chosen for _, value in _finite(trial)]


def _line(trial: TrialResult, across: Scale, down: Scale, color: str, opacity: float) -> Markup:
    """A trial's curve, interrupted where it leaves the axis of values."""
    path, drawing_on = "", False
    for step, value in _finite(trial):
        inside = down.low <= value <= down.high
        if inside:
            path += f"{'L' if drawing_on else 'M'}{across.at(step):.1f},{down.at(value):.1f}"
        drawing_on = inside
    title = element("title", f"trial {trial.number}: {number(trial.value)}")
    dash = "6 4" if trial.number == 0 else None
    return element(
        "path", title, d=path or None, class_="curve", stroke=color, stroke_opacity=opacity, stroke_dasharray=dash
    )


def _end_name(trial: TrialResult, across: Scale, down: Scale, words: str, color: str) -> Markup:
    step, value = _finite(trial)[-1]
    return element(
        "text",
        words,
        class_="halo",
        x=across.at(step) - 4,
        y=down.at(value) - 7,
        text_anchor="end",
        style=f"fill:{color};font-weight:650",
    )
