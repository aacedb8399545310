"""The Vega-Lite specification of a chart.

The specification does not hold a single logged point: while a run grows, and while the reader zooms, only the tables
change, so the browser keeps the chart, its zoom and its crosshair. Names from logs appear in the tables, in the
colors' domain and in text marks only, never in an expression.
"""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.chart.model import Chart, Panel
from tuner.inspector.chart.legend import dashes, legend_of
from tuner.inspector.chart.palette import series_colors, soft_color
from tuner.inspector.chart.panels import has_dots
from tuner.inspector.chart.series import AXES, View
from tuner.inspector.chart.vega_data import parted
from tuner.inspector.chart.vega_layers import ROW_HEIGHT, Spec, bands, crosshair, marks
from tuner.inspector.chart.vega_titles import TITLE_HEIGHT, rows_of, titles
from tuner.inspector.escape import one_line

ZOOM = "zoom"
FIRST_HEIGHT, HEIGHT, GAP = 300, 92, 26  # pixels of the panels and between them
DASHES: tuple[tuple[int, int], ...] = ((1, 0), (7, 3), (2, 2))


def spec(chart: Chart, view: View, *, dark: bool = False, legend: bool = False, zero: bool = False) -> Spec:
    """The specification of a chart: findings over all panels, then the panels, the marks, and the crosshair on top.

    With ``legend`` the lines, which may be many, are named there instead of above their panel, and there are no
    findings; ``zero`` draws a line at 0.
    """
    local, whole = parted(chart)
    rows = [1 if legend else rows_of(panel) for panel in chart.panels]
    tops, height = _heights(rows, 6 if legend else ROW_HEIGHT * (1 + len(local) + bool(whole)) + GAP)
    x = _x(chart, view)
    looks = _looks(chart, dark, legend)
    panels = [
        _panel(panel, place, top, x, looks) for place, (panel, top) in enumerate(zip(chart.panels, tops, strict=True))
    ]
    if zero:
        panels[0]["layer"].insert(1, _zero(panels[0]["layer"][0]["encoding"]["y"], dark))
    panels[0]["layer"][0]["params"] = [
        {
            "name": ZOOM,
            "select": {"type": "interval", "encodings": ["x"], "zoom": "wheel![event.shiftKey]"},
            "bind": "scales",
        }
    ]
    return {
        "height": height,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "layer": [
            *([] if legend else bands(x)),  # their own colors would part the legend's colors from its dashes
            *panels,
            *([] if legend else titles(chart.panels, tops, _colors(chart, dark))),
            *marks(x, tops[0] + FIRST_HEIGHT, dark),
            *crosshair(x, height, dark),
        ],
        "resolve": {"scale": {"y": "independent"}},
        "config": {"axisY": {"minExtent": 44}},
        "usermeta": {"embedOptions": {"renderer": "canvas"}},  # an element for each mark takes a browser long
    }


def _heights(rows: Sequence[int], first: int) -> tuple[list[int], int]:
    """Where each panel starts, in pixels from above, and how high all of it is, by the rows of names of each."""
    tops = [first + TITLE_HEIGHT * (rows[0] - 1)]
    for place in range(1, len(rows)):
        above = FIRST_HEIGHT if place == 1 else HEIGHT
        tops.append(tops[-1] + above + GAP + TITLE_HEIGHT * (rows[place] - 1))
    return tops, tops[-1] + (FIRST_HEIGHT if len(tops) == 1 else HEIGHT)


def _x(chart: Chart, view: View) -> Spec:
    time = chart.axis == "clock"
    scale: Spec = {"type": "log"} if view.log_x and not time else {"zero": False, "nice": False}
    if view.between is not None:
        scale["domain"] = list(view.between)
    axis: Spec = {"labelOverlap": True, "grid": False}
    if not time:
        axis["format"] = "~s" if chart.axis in ("num_tokens", "samples") else ",.10~g"
        axis["tickMinStep"] = 1 if chart.axis == "step" else 0
    kind = "temporal" if time else "quantitative"
    return {
        "field": "x",
        "type": kind,
        "title": AXES[chart.axis].title,
        "scale": {key: value for key, value in scale.items() if not (time and key in ("zero", "nice"))},
        "axis": axis,
    }


def _looks(chart: Chart, dark: bool, legend: bool) -> Spec:
    """Color and dashes of each line: the dashes tell lines of one panel apart where colors do not."""
    names = [line.name for line in chart.series]
    strokes = {
        line.name: (1, 0) if has_dots(line) else DASHES[place % len(DASHES)]
        for panel in chart.panels
        for place, line in enumerate(panel.series)
    }
    ranges = dashes(len(names)) if legend else [list(strokes[name]) for name in names]
    shown = [one_line(name, 60) for name in names]
    named = legend_of(names) if legend else None
    return {
        "color": {
            "field": "curve",
            "type": "nominal",
            "scale": {"domain": shown, "range": list(_colors(chart, dark).values())},
            "legend": named,
        },
        "strokeDash": {
            "field": "curve",
            "type": "nominal",
            "scale": {"domain": shown, "range": ranges},
            "legend": named,
        },
    }


def _zero(y: Spec, dark: bool) -> Spec:
    level = {key: value for key, value in y.items() if key != "field"} | {"datum": 0}
    mark = {"type": "rule", "color": soft_color(dark), "strokeWidth": 1.5}
    return {"data": {"values": [{}]}, "mark": mark, "encoding": {"y": level}}


def _panel(panel: Panel, place: int, top: int, x: Spec, looks: Spec) -> Spec:
    height = FIRST_HEIGHT if place == 0 else HEIGHT
    scale: Spec = {"type": "log", "nice": False} if panel.log else {"zero": False}
    if not panel.log and not any(line.y.any() for line in panel.series):
        scale["domain"] = [0, 1]  # a share that is always 0
    if panel.limits is not None:
        scale |= {"domain": list(panel.limits), "clamp": True, "nice": False}
    scale["range"] = [top + height, top]
    axis = {"title": None, "orient": "left", "tickCount": 6 if place == 0 else 3, "labelOverlap": True}
    axis |= _numbers(panel)
    y = {"field": "y", "type": "quantitative", "scale": scale, "axis": axis}

    def layer(kind: str, mark: Spec, *channels: str) -> Spec:
        # Color and dash share one legend only where both are in every layer.
        chosen = {channel: look for channel, look in looks.items() if channel in channels or look["legend"]}
        data = {"name": f"{kind}{place}"}
        return {"data": data, "mark": mark, "encoding": {"x": x, "y": y, **chosen}}

    ribbon = layer("ribbon", {"type": "area", "opacity": 0.18}, "color")
    ribbon["encoding"] |= {"y": {**y, "field": "low"}, "y2": {"field": "high"}}
    return {
        "layer": [
            *([ribbon] if panel.ribbons else []),
            layer("raw", {"type": "line", "strokeWidth": 1.2, "opacity": 0.45}, "color"),
            layer("line", {"type": "line", "strokeWidth": 2}, "color", "strokeDash"),
            layer("dots", {"type": "point", "filled": True, "size": 30, "opacity": 1}, "color"),
        ]
    }


def _numbers(panel: Panel) -> Spec:
    """How the axis writes its numbers: learning rates as powers, such as 5e-7 and 1e-6."""
    if any(line.name == "learning_rate" for line in panel.series):
        return {"format": "~e", "labelExpr": "datum.value == 0 ? '0' : datum.label"}
    return {"format": ".10~g"}  # without a precision Vega takes that of the ticks' distance: 80 beside 60 is 8e+1


def _colors(chart: Chart, dark: bool) -> dict[str, str]:
    names = [line.name for line in chart.series]
    return dict(zip(names, series_colors(names, dark), strict=True))
