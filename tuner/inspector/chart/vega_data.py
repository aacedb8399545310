"""The tables that fill a chart's specification: points, ribbons, findings, marks and crosshair."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from diagnostics.chart.mark_names import mark_names
from diagnostics.chart.model import Band, Chart, MarkKind, Panel, Series
from diagnostics.chart.svg_bands import MAX_SHADED_SHARE
from diagnostics.formatting import SIGNS
from diagnostics.model.curves import FloatArray
from tuner.inspector.chart.palette import label_color
from tuner.inspector.chart.panels import ChartData, has_dots
from tuner.inspector.chart.series import View
from tuner.inspector.chart.vega_layers import ROW_HEIGHT
from tuner.inspector.escape import one_line

WASH = 0.08
"""How opaque the shade of a finding is; one that counted single steps has ticks there instead."""


def tables(data: ChartData, view: View, *, dark: bool = False) -> dict[str, pd.DataFrame]:
    """The tables that fill the specification, by the names it knows them by."""
    chart = data.chart
    found: dict[str, pd.DataFrame] = {}
    for place, panel in enumerate(chart.panels):
        found |= _panel_tables(panel, place)
    low, high = view.between or (chart.first, chart.last)
    found |= _band_tables(chart, low, high, dark)
    found |= _mark_tables(chart, (low + high) / 2)
    places, texts = [x for x, _ in data.crosshair], [text for _, text in data.crosshair]
    return found | {"crosshair": pd.DataFrame({"x": pd.Series(places, dtype="float64"), "text": texts})}


def _panel_tables(panel: Panel, place: int) -> dict[str, pd.DataFrame]:
    behind = [series for series in panel.series if series.is_smoothed]
    lines = [(s, s.smooth_x, s.smooth_y) if s.is_smoothed else (s, s.x, s.y) for s in panel.series]
    found = {
        f"raw{place}": _points([(series, series.x, series.y) for series in behind]),
        f"line{place}": _points(lines),
        f"dots{place}": _points([(series, series.x, series.y) for series in panel.series if has_dots(series)]),
    }
    return found | ({f"ribbon{place}": _ribbons(panel.series)} if panel.ribbons else {})


def _points(lines: Sequence[tuple[Series, FloatArray, FloatArray]]) -> pd.DataFrame:
    return _stacked(
        [pd.DataFrame({"x": x, "y": y, "curve": one_line(series.name, 60)}) for series, x, y in lines], ("x", "y")
    )


def _ribbons(series: Sequence[Series]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"x": one.x, "low": one.low, "high": one.high, "curve": one_line(one.name, 60)})
        for one in series
        if one.low.size
    ]
    return _stacked(parts, ("x", "low", "high"))


def _stacked(parts: Sequence[pd.DataFrame], numbers: Sequence[str]) -> pd.DataFrame:
    """The tables below each other; without any, an empty one whose columns have their types all the same."""
    empty = pd.DataFrame({column: [0.0] for column in numbers} | {"curve": [""]}).iloc[:0]
    return pd.concat(parts) if parts else empty


def parted(chart: Chart) -> tuple[list[Band], list[Band]]:
    """The findings that show in a part of the run, and those that cover it: shading all of it would show nothing."""
    most = MAX_SHADED_SHARE * (chart.last - chart.first)
    local = [band for band in chart.bands if band.last - band.first < most]
    return local, [band for band in chart.bands if band not in local]


def _band_tables(chart: Chart, low: float, high: float, dark: bool) -> dict[str, pd.DataFrame]:
    local, whole = parted(chart)
    rows = [
        {
            "x": max(band.first, low),
            "x2": min(band.last, high),
            "row": ROW_HEIGHT * (place + 2),
            "wash": 0.0 if band.steps else WASH,
            "name": f"{SIGNS[band.label]} {band.title}",
            "color": label_color(band.label, dark),
        }
        for place, band in enumerate(local)
    ]
    columns = ["x", "x2", "row", "wash", "name", "color"]
    bands = pd.DataFrame(rows, columns=columns)
    late = bands["x"] > (low + high) / 2
    named = bands[~late]
    if whole:  # all in one row, without a line or a color behind them
        words = " · ".join(f"{SIGNS[band.label]} {band.title}" for band in whole)
        row = ROW_HEIGHT * (len(local) + 2)
        over = [
            {"x": low, "x2": high, "row": row, "wash": 0.0, "name": words, "color": label_color(whole[0].label, dark)}
        ]
        named = pd.concat([named, pd.DataFrame(over)]) if len(named) else pd.DataFrame(over, columns=columns)
    ticks = [
        {"x": step, "row": row["row"], "color": row["color"]}
        for band, row in zip(local, rows, strict=True)
        for step in band.steps
        if low <= step <= high
    ]
    return {
        "bands": bands,
        "early": named,
        "late": bands[late].assign(x=bands["x2"]),
        "ticks": pd.DataFrame(ticks, columns=["x", "row", "color"]).astype({"x": float, "row": float}),
    }


def _mark_tables(chart: Chart, middle: float) -> dict[str, pd.DataFrame]:
    """The places of the marks of each kind, and their names: right of a mark, or left of one in the later half."""
    found = {}
    for kind in MarkKind:
        marks = chart.marks_of(kind)
        found[str(kind)] = pd.DataFrame({"x": [mark.x for mark in marks]}, dtype="float64")
        if kind is MarkKind.BROKEN:
            continue
        named = [(mark.x, name) for mark, name in zip(marks, mark_names(marks), strict=True) if name]
        for side, late in (("", False), ("-late", True)):
            own = [(x, name) for x, name in named if (kind is MarkKind.EPOCH or x > middle) == late]
            places = pd.Series([x for x, _ in own], dtype="float64")
            found[f"{kind}{side}-name"] = pd.DataFrame({"x": places, "text": [name for _, name in own]})
    return found
