"""What the search believes of the learning rate: the metric over it for each batch, with the trials on the curves."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.scales import Scale, scale_over
from diagnostics.formatting import number, plain_name, setting
from tuner.search.run_model.picture import RateCurve
from tuner.study.report.axes import BOTTOM, LEFT, RIGHT, TOP, axes, cross, drawing, has_place, metric_scale
from tuner.study.report.words import report_phrase
from tuner.study.results import StudyResult, TrialResult

RATE = "learning_rate"
TONES = ("var(--train-loss)", "var(--eval-loss)", "var(--soft)")
RADIUS = 5.5


def rate_chart(result: StudyResult, *, width: int) -> Markup | None:
    """The posterior over the rate: a line and a band for each batch, the trials, the best rate, and the edge."""
    curves = result.rate_curves
    trials = [trial for trial in result.trials if isinstance(trial.settings.get(RATE), (int, float))]
    shown = [trial for trial in trials if has_place(result, trial)]
    if not curves or len(shown) < 2:
        return None
    height = 420 if width > 500 else 340
    across = scale_over(curves[0].rates, LEFT, width - RIGHT, log=True, margin=0.0)
    down = metric_scale(result, [trial.value for trial in shown], height)
    frame = axes(across, down, width, height, RATE, result.metric)
    tones = {curve.batch: tone for curve, tone in zip(curves, TONES, strict=False)}
    lines = [_band(curve, across, down, tones[curve.batch]) for curve in reversed(curves)]
    beyond = any(result.forgets_too_much(trial) for trial in result.trials)
    name = report_phrase("edge-or-forgetting" if beyond else "edge-of-stability")
    marks = [_edge(curves[0], across, height, name), _best(curves[0], across, height)]
    points = [_point(result, trial, across, down, height, tones) for trial in trials]
    title = f"What the search expects over {plain_name(RATE)}"
    return drawing(
        width, height, title, frame, *marks[:1], *lines, *marks[1:], *points, _names(curves, across, down, tones)
    )


def _band(curve: RateCurve, across: Scale, down: Scale, tone: str) -> Markup:
    """Four of five guesses as an area, and the line in their middle."""
    xs = across.all_at(curve.rates)
    upper, middle, lower = (down.all_at(values) for values in (curve.high, curve.middle, curve.low))
    there = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs, upper, strict=True))
    back = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(xs[::-1], lower[::-1], strict=True))
    inside = [down.low <= value <= down.high for value in curve.middle]
    line = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y, shown in zip(xs, middle, inside, strict=True) if shown)
    return joined(
        element("polygon", points=f"{there} {back}", fill=tone, fill_opacity=0.13, stroke="none"),
        element("path", d=line, fill="none", stroke=tone, stroke_width=2.2, stroke_linejoin="round")
        if any(inside)
        else None,
    )


def _edge(curve: RateCurve, across: Scale, height: float, name: str) -> Markup | None:
    """Where the edge of stability is believed to lie, or that of what a run may forget: a shade that begins there."""
    low, middle, _ = curve.edge
    if middle >= across.high:
        return None
    x, start = across.at(middle), across.at(low)
    style: dict[str, Child] = {"y": TOP, "height": height - BOTTOM - TOP, "fill": "var(--unstable)"}
    anchor, beside = ("start", x + 6) if across.end - x > 110 else ("end", x - 6)
    return joined(
        element("rect", x=x, width=max(across.end - x, 0.0), fill_opacity=0.10, **style),
        element("rect", x=start, width=max(x - start, 0.0), fill_opacity=0.05, **style),
        element("text", name, class_="halo", x=beside, y=TOP + 12, text_anchor=anchor),
    )


def _best(curve: RateCurve, across: Scale, height: float) -> Markup:
    """The interval of the best rate, on the axis."""
    low, middle, high = curve.best
    y = height - BOTTOM - 7
    x1, x, x2 = across.at(low), across.at(middle), across.at(high)
    words = report_phrase("best-rate", best=setting(RATE, middle), low=setting(RATE, low), high=setting(RATE, high))
    middle_of = min(max(x, across.start + 90), across.end - 90)
    return joined(
        element("path", d=f"M{x1:.1f},{y:g}H{x2:.1f}", stroke="var(--healthy)", stroke_width=5, stroke_linecap="round"),
        element("circle", cx=x, cy=y, r=5, fill="var(--healthy)", stroke="var(--card)", stroke_width=1.5),
        element("text", words, class_="halo", x=middle_of, y=y - 11, text_anchor="middle"),
    )


def _point(
    result: StudyResult, trial: TrialResult, across: Scale, down: Scale, height: float, tones: dict[float | None, str]
) -> Markup:
    """A trial in the color of its batch, hollow where it was stopped; a cross at the edge where it has no place."""
    x = across.at(float(str(trial.settings[RATE])))
    title = element("title", f"trial {trial.number}: {plain_name(result.metric)} {number(trial.value)}")
    if trial.value is None or not has_place(result, trial):
        y = TOP + 10 if result.direction == "minimize" else height - BOTTOM - 10
        return element("g", title, cross(x, y))
    batch = trial.settings.get("batch_size")
    tone = tones.get(float(batch) if isinstance(batch, (int, float)) else None, "var(--soft)")
    y, is_best = down.at(trial.value), trial.number == result.best
    fill, edge = ("var(--card)", tone) if trial.stopped else (tone, "var(--card)")
    ring = element("circle", cx=x, cy=y, r=RADIUS + 4, fill="none", stroke="var(--healthy)", stroke_width=2.2)
    dot = element("circle", cx=x, cy=y, r=RADIUS, fill=fill, stroke=edge, stroke_width=1.8)
    return element("g", title, ring if is_best else None, dot)


def _names(curves: Sequence[RateCurve], across: Scale, down: Scale, tones: dict[float | None, str]) -> Markup | None:
    """The batch of each curve, at the top right."""
    if curves[0].batch is None or len(curves) < 2:
        return None
    words = [
        element(
            "tspan",
            f"{report_phrase('batch')} {number(curve.batch)}",
            dx=0 if place == 0 else 14,
            style=f"fill:{tones[curve.batch]};font-weight:650",
        )
        for place, curve in enumerate(curves)
    ]
    return element("text", *words, x=across.end, y=14, text_anchor="end")
