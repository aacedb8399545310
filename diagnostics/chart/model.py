"""What a chart is made of, as plain records: panels of series, the findings over them and the marks on their x axis.

The report's SVG and the inspector's Vega-Lite draw the same records.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from diagnostics.formatting import plain_name
from diagnostics.model.curves import FloatArray
from diagnostics.model.records import Label


def _none() -> FloatArray:
    return np.empty(0)


@dataclass(frozen=True, eq=False)
class Series:
    """One line of a panel: the points of a curve and, where it is smoothed, its running mean, both downsampled.

    ``logged`` points are in the log and ``in_view`` of them in the drawn part of the x axis; a logarithmic axis cannot
    show ``hidden`` of those. ``place`` is that of its color, where its name has none. ``low`` and ``high`` bound the
    ribbon around a line that is a mean of several runs.
    """

    name: str
    title: str
    x: FloatArray
    y: FloatArray
    smooth_x: FloatArray = field(default_factory=_none)
    smooth_y: FloatArray = field(default_factory=_none)
    logged: int = 0
    in_view: int = 0
    hidden: int = 0
    place: int = 0
    low: FloatArray = field(default_factory=_none)
    high: FloatArray = field(default_factory=_none)

    @property
    def is_smoothed(self) -> bool:
        """Whether the points are drawn behind their running mean."""
        return bool(self.smooth_x.size)

    @property
    def is_eval(self) -> bool:
        """Whether the curve was measured by evaluations, each of which is a result of its own."""
        return is_eval(self.name)


def is_eval(name: str) -> bool:
    """Whether a curve of that name was measured by evaluations."""
    return name.startswith(("eval_", "eval/"))


@dataclass(frozen=True)
class Level:
    """A value worth comparing with, drawn across a panel."""

    value: float
    title: str


@dataclass(frozen=True, eq=False)
class Panel:
    """Series that share an axis of values; ``log`` where that axis is logarithmic.

    ``limits`` end the axis before the outliers do; None where it shows every value. ``ribbons`` is whether the series
    may have ribbons, even if none of them has one at present.
    """

    name: str
    title: str
    series: tuple[Series, ...]
    log: bool = False
    levels: tuple[Level, ...] = ()
    limits: tuple[float, float] | None = None
    ribbons: bool = False

    @property
    def beyond(self) -> int:
        """How many of the drawn points lie outside the limits, and so at the edge."""
        if self.limits is None:
            return 0
        low, high = self.limits
        return sum(int(((series.y < low) | (series.y > high)).sum()) for series in self.series)


@dataclass(frozen=True)
class Band:
    """The part of the x axis where a finding shows, and the single ``steps`` that it counted, such as spikes."""

    rule: str
    label: Label
    first: float
    last: float
    message: str
    steps: tuple[float, ...] = ()

    @property
    def title(self) -> str:
        """The rule's name as words."""
        return plain_name(self.rule)


class MarkKind(StrEnum):
    """What a mark means."""

    BEST = "best"
    WARMUP = "warmup"
    EPOCH = "epoch"
    DISCONTINUITY = "discontinuity"
    BROKEN = "broken"


@dataclass(frozen=True)
class Mark:
    """A place ``x`` of the x axis, with the step there: a best checkpoint, the end of a warm-up or of an epoch …

    ``value`` is the loss at the best checkpoint, the number of the epoch that ends, and None for the other kinds.
    """

    kind: MarkKind
    x: float
    step: float
    value: float | None = None


@dataclass(frozen=True, eq=False)
class Chart:
    """A run, or several, as drawn: the panels from top to bottom, and the findings and marks on their shared x axis.

    ``axis`` names what the x axis counts; ``first`` and ``last`` are its ends.
    """

    run: str = ""
    label: Label = Label.UNKNOWN
    first: float = 0.0
    last: float = 1.0
    panels: tuple[Panel, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    axis: str = "step"

    @property
    def series(self) -> tuple[Series, ...]:
        """The series of all panels."""
        return tuple(series for panel in self.panels for series in panel.series)

    @property
    def drawn(self) -> int:
        """How many points are drawn, running means not counted."""
        return sum(series.x.size for series in self.series)

    @property
    def in_view(self) -> int:
        """How many logged points lie in the drawn part of the x axis."""
        return sum(series.in_view for series in self.series)

    def marks_of(self, kind: MarkKind) -> tuple[Mark, ...]:
        """The marks of one kind, from left to right."""
        return tuple(mark for mark in self.marks if mark.kind is kind)

    @property
    def best(self) -> Mark | None:
        """The best checkpoint, if the diagnosis knows one."""
        return next(iter(self.marks_of(MarkKind.BEST)), None)
