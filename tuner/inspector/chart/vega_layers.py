"""The layers of a specification that reach over all panels: findings, marks and the crosshair."""

from __future__ import annotations

from typing import Any

from diagnostics.chart.model import MarkKind
from diagnostics.model.records import Label
from tuner.inspector.chart.palette import label_color, soft_color

Spec = dict[str, Any]
ROW_HEIGHT = 16  # pixels for the name of a finding


def bands(x: Spec) -> list[Spec]:
    """The findings as shaded stretches, each with its name on a row of its own."""
    color = {"field": "color", "type": "nominal", "scale": None}
    edges = {"x": x, "x2": {"field": "x2"}, "color": color}
    name = {"text": {"field": "name", "type": "nominal"}, "color": color}
    row = {"field": "row", "type": "quantitative", "scale": None, "axis": None}
    bold: Spec = {"type": "text", "fontWeight": "bold", "fontSize": 12, "clip": False}
    return [
        {
            "data": {"name": "bands"},
            "mark": {"type": "rect", "clip": True},
            "encoding": {**edges, "opacity": {"field": "wash", "type": "quantitative", "scale": None}},
        },
        {
            "data": {"name": "bands"},
            "mark": {"type": "rule", "strokeWidth": 2, "clip": True},
            "encoding": {**edges, "y": row},
        },
        {
            "data": {"name": "ticks"},
            "mark": {"type": "tick", "orient": "vertical", "thickness": 2, "size": 10, "clip": True},
            "encoding": {"x": x, "y": row, "color": color},
        },
        {
            "data": {"name": "early"},
            "mark": {**bold, "align": "left", "dx": 2, "dy": -8},
            "encoding": {"x": x, "y": row, **name},
        },
        {
            "data": {"name": "late"},
            "mark": {**bold, "align": "right", "dx": -2, "dy": -8},
            "encoding": {"x": x, "y": row, **name},
        },
    ]


def marks(x: Spec, floor: int, dark: bool) -> list[Spec]:
    """Thin upright lines: warm-up's end, epochs' ends, where it was resumed, the best step, steps without a value."""
    soft, best, broken = soft_color(dark), label_color(Label.HEALTHY, dark), label_color(Label.BROKEN, dark)
    looks: dict[MarkKind, Spec] = {
        MarkKind.WARMUP: {"color": soft, "strokeDash": [5, 3]},
        MarkKind.EPOCH: {"color": soft, "strokeDash": [1, 4]},
        MarkKind.DISCONTINUITY: {"color": soft, "strokeDash": [8, 3, 2, 3]},
        MarkKind.BEST: {"color": best, "strokeDash": [5, 3], "strokeWidth": 1.6},
        MarkKind.BROKEN: {"color": broken, "opacity": 0.5},
    }
    rules = [
        {"data": {"name": str(kind)}, "mark": {"type": "rule", "clip": True, **look}, "encoding": {"x": x}}
        for kind, look in looks.items()
    ]
    texts = []
    heights = {
        MarkKind.BEST: ROW_HEIGHT - 4,
        MarkKind.DISCONTINUITY: floor - 31,
        MarkKind.WARMUP: floor - 18,
        MarkKind.EPOCH: floor - 5,
    }
    for kind, y in heights.items():
        for side, align in (("", "left"), ("-late", "right")):
            mark = {"type": "text", "align": align, "dx": 4 if align == "left" else -4, "fontSize": 11}
            texts.append(
                {
                    "data": {"name": f"{kind}{side}-name"},
                    "mark": {**mark, "color": looks[kind]["color"], "clip": True},
                    "encoding": {"x": x, "y": {"value": y}, "text": {"field": "text", "type": "nominal"}},
                }
            )
    return [*rules, *texts]


def crosshair(x: Spec, height: int, dark: bool) -> list[Spec]:
    """An upright line that follows the pointer through all panels, and the reading of every line there."""
    return [
        {
            "data": {"name": "crosshair"},
            "transform": [{"filter": {"param": "hover", "empty": False}}],
            "mark": {"type": "rule", "color": soft_color(dark), "clip": True},
            "encoding": {"x": x},
        },
        {
            "data": {"name": "crosshair"},
            "mark": {"type": "point", "opacity": 0},
            "params": [
                {
                    "name": "hover",
                    "select": {
                        "type": "point",
                        "nearest": True,
                        "encodings": ["x"],
                        "on": "pointermove",
                        "clear": "pointerout",
                    },
                }
            ],
            "encoding": {"x": x, "y": {"value": height / 2}, "tooltip": {"field": "text", "type": "nominal"}},
        },
    ]
