"""A chart as a Vega-Lite specification with its data inside."""

from __future__ import annotations

from typing import Any

from diagnostics.chart.model import JOIN, SMOOTHED, Chart, Panel, Series
from diagnostics.chart.theme import LABEL_COLORS, SERIES_COLORS

Spec = dict[str, Any]
HEIGHTS = {"loss": 260, "rewards": 140}
STEP: Spec = {"field": "step", "type": "quantitative", "title": "step", "scale": {"nice": False, "zero": False}}


def as_vega(chart: Chart, *, height: int = 90, dark: bool = False) -> Spec:
    """The chart as a Vega-Lite mapping (version 5.20 or later): one view a panel, tooltips, zoom on the steps.

    ``height`` is that of the small panels in pixels; ``dark`` takes the colors for dark paper.
    """
    views = [_view(chart, panel, HEIGHTS.get(panel.name, height), dark) for panel in chart.panels]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "datasets": {panel.name: _rows(panel) for panel in chart.panels}
        | {"bands": _bands(chart), "marks": _marks(chart)},
        "vconcat": views,
        "resolve": {"scale": {"x": "shared", "color": "independent"}},
        "config": {
            "view": {"stroke": None},
            "axis": {"gridOpacity": 0.35, "domain": False, "tickOpacity": 0.35},
            "legend": {"orient": "top", "title": None, "offset": 4},
        },
    }


def _rows(panel: Panel) -> list[Spec]:
    return [
        {"step": step, "value": value, "curve": _title(series), "kind": series.kind}
        for series in panel.series
        for step, value in zip(series.steps, series.values, strict=True)
    ]


def _title(series: Series) -> str:
    return series.title.removesuffix(SMOOTHED)


def _bands(chart: Chart) -> list[Spec]:
    """The findings; bands that fill the run come first, so that a pointer meets the narrow ones above them."""
    bands = sorted(chart.bands, key=lambda band: band.first_step - band.last_step)
    return [
        {
            "step": band.first_step,
            "last": band.last_step,
            "finding": band.title,
            "verdict": str(band.label),
            "message": band.message,
        }
        for band in bands
    ]


def _marks(chart: Chart) -> list[Spec]:
    """The best checkpoint, the end of warm-up, where it was resumed, and steps that logged nan (the first hundred)."""
    named = (("best checkpoint", chart.best_step), ("warm-up ends", chart.warmup_end))
    rows = [{"step": step, "mark": name} for name, step in named if step is not None]
    rows += [{"step": step, "mark": JOIN} for step in chart.discontinuities]
    return rows + [{"step": step, "mark": "nan or inf"} for step in chart.broken[:100]]


def _view(chart: Chart, panel: Panel, height: int, dark: bool) -> Spec:
    zoom = {"name": f"zoom_{panel.name}", "select": {"type": "interval", "encodings": ["x"]}, "bind": "scales"}
    lines = [_layer(panel, kind, opacity) for kind, opacity in _kinds(panel)]
    lines[0]["params"] = [zoom]
    colors = {_title(series): SERIES_COLORS.get(series.name, ("#2c6cb0", "#74aef0"))[dark] for series in panel.series}
    scale = {"domain": list(colors), "range": list(colors.values())}
    legend = {"symbolType": "stroke", "symbolStrokeWidth": 2, "symbolOpacity": 1} if len(colors) > 1 else None
    color = {"field": "curve", "type": "nominal", "scale": scale, "legend": legend}
    under = [layer for layer, rows in ((_shading(dark), chart.bands), (_rules(), _marks(chart))) if rows]
    return {
        "width": "container",
        "height": height,
        "title": {"text": panel.title + (" (log scale)" if panel.log else ""), "anchor": "start", "fontSize": 13},
        "layer": [*under, {"layer": lines, "encoding": {"color": color}}],
        "resolve": {"scale": {"color": "independent"}},
    }


def _kinds(panel: Panel) -> list[tuple[str, float]]:
    """Each kind of line in the panel, with how strongly it is drawn: values as logged fade behind a running mean."""
    kinds = dict.fromkeys(series.kind for series in panel.series)
    return [(kind, 0.4 if kind == "raw" and "smooth" in kinds else 1.0) for kind in kinds]


def _layer(panel: Panel, kind: str, opacity: float) -> Spec:
    mark: Spec = {"type": "line", "strokeWidth": 1 if opacity < 1 else 2, "opacity": opacity, "clip": True}
    if kind == "points":
        mark["point"] = {"filled": True, "size": 30}
    scale: Spec = {"type": "log"} if panel.log else {"zero": False}
    return {
        "data": {"name": panel.name},
        "transform": [{"filter": {"field": "kind", "equal": kind}}],
        "mark": mark,
        "encoding": {
            "x": STEP,
            "y": {"field": "value", "type": "quantitative", "title": None, "scale": scale},
            "tooltip": [
                {"field": "step", "type": "quantitative"},
                {"field": "value", "type": "quantitative", "format": ".4~g"},
                {"field": "curve", "type": "nominal"},
            ],
        },
    }


def _shading(dark: bool) -> Spec:
    colors = {str(label): pair[dark] for label, pair in LABEL_COLORS.items()}
    scale = {"domain": list(colors), "range": list(colors.values())}
    return {
        "data": {"name": "bands"},
        "mark": {"type": "rect", "opacity": 0.12, "clip": True},
        "encoding": {
            "x": STEP,
            "x2": {"field": "last"},
            "color": {"field": "verdict", "type": "nominal", "scale": scale, "legend": None},
            "tooltip": [{"field": name, "type": "nominal"} for name in ("finding", "verdict", "message")],
        },
    }


def _rules() -> Spec:
    return {
        "data": {"name": "marks"},
        "mark": {"type": "rule", "strokeDash": [4, 3], "color": "#80858f", "clip": True},
        "encoding": {
            "x": STEP,
            "tooltip": [{"field": "mark", "type": "nominal"}, {"field": "step", "type": "quantitative"}],
        },
    }
