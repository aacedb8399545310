"""The tables that fill a chart's specification: points, findings, marks and hairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from diagnostics.formatting import SIGNS, plain_name
from diagnostics.model.records import Label
from tuner.inspector.chart.palette import label_color
from tuner.inspector.chart.panels import ChartData, Shade, dotted
from tuner.inspector.chart.series import Figure, View
from tuner.inspector.chart.vega_spec import LANE
from tuner.inspector.escape import one_line

LATE = 0.5
FULL = 0.8
"""The verdict's own finding is shaded most, unless it covers more of what is seen than this."""


def tables(sheet: ChartData, view: View, *, dark: bool = False) -> dict[str, pd.DataFrame]:
    """The tables that fill the specification, by the names it knows them by."""
    figure = sheet.figure
    found: dict[str, pd.DataFrame] = {}
    for place, panel in enumerate(sheet.panels):
        smooth = {line.name for line in panel.lines if line.smooth_x.size}
        found[f"raw{place}"] = _points([(line.name, line.x, line.y) for line in panel.lines if line.name in smooth])
        found[f"line{place}"] = _points(
            [
                (line.name, line.smooth_x, line.smooth_y) if line.name in smooth else (line.name, line.x, line.y)
                for line in panel.lines
            ]
        )
        found[f"dots{place}"] = _points([(line.name, line.x, line.y) for line in panel.lines if dotted(line)])
        if panel.shaded:
            found[f"shade{place}"] = _shades(panel.shades)
    low, high = view.between or figure.extent
    middle = low + LATE * (high - low)
    found |= _band_tables(figure, (low, high), middle, dark)
    for kind in ("warmup", "epoch", "join", "best", "broken"):
        marks = [mark for mark in figure.marks if mark.kind == kind]
        found[kind] = pd.DataFrame({"x": [mark.x for mark in marks]}, dtype="float64")
        for side, late in (("", False), ("-late", True)) if kind != "broken" else ():
            own = [mark for mark in marks if mark.text and (kind == "epoch" or mark.x > middle) == late]
            found[f"{kind}{side}-name"] = pd.DataFrame(
                {"x": pd.Series([mark.x for mark in own], dtype="float64"), "text": [_short(mark.text) for mark in own]}
            )
    found["hairs"] = pd.DataFrame(
        {"x": pd.Series([x for x, _ in sheet.hairs], dtype="float64"), "says": [says for _, says in sheet.hairs]}
    )
    return found


def _short(text: str) -> str:
    return text.removesuffix(" ends") if text.startswith("epoch") else text


def _points(lines: Sequence[tuple[str, Any, Any]]) -> pd.DataFrame:
    parts = [pd.DataFrame({"x": x, "y": y, "curve": one_line(name, 60)}) for name, x, y in lines]
    return pd.concat(parts) if parts else pd.DataFrame({"x": [0.0], "y": [0.0], "curve": [""]}).iloc[:0]


def _shades(shades: Sequence[Shade]) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"x": one.x, "low": one.low, "high": one.high, "curve": one_line(one.name, 60)}) for one in shades
    ]
    return (
        pd.concat(parts) if parts else pd.DataFrame({"x": [0.0], "low": [0.0], "high": [0.0], "curve": [""]}).iloc[:0]
    )


def _band_tables(figure: Figure, ends: tuple[float, float], middle: float, dark: bool) -> dict[str, pd.DataFrame]:
    rows = [
        {
            "x": max(band.first, ends[0]),
            "x2": min(band.last, ends[1]),
            "row": LANE * (place + 2),
            "wash": 0.12 if place == 0 and band.last - band.first < FULL * (ends[1] - ends[0]) else 0.04,
            "name": f"{SIGNS[Label(band.label)]} {plain_name(band.rule)}",
            "color": label_color(band.label, dark),
        }
        for place, band in enumerate(figure.bands)
    ]
    bands = pd.DataFrame(rows, columns=["x", "x2", "row", "wash", "name", "color"])
    late = bands["x"] > middle
    return {"bands": bands, "early": bands[~late], "late": bands[late].assign(x=bands["x2"])}
