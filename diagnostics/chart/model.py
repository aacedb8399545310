"""What a chart is made of, as plain records: panels of series, and what stands over all of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from diagnostics.model.records import Label

Kind = Literal["raw", "smooth", "points"]
SMOOTHED = ", smoothed"
"""What the title of a running mean ends in."""
JOIN = "resumed or changed"
"""The name of a mark where a run was resumed, or its batch or packing changed."""


@dataclass(frozen=True)
class Series:
    """One line of a panel: a logged curve, thinned (``raw``, ``points``), or its running mean (``smooth``).

    ``total`` is the number of points in the log, ``len(steps)`` the number kept for drawing.
    """

    name: str
    title: str
    kind: Kind
    steps: tuple[float, ...]
    values: tuple[float, ...]
    total: int


@dataclass(frozen=True)
class Level:
    """A value that is worth comparing with, drawn across a panel."""

    value: float
    title: str


@dataclass(frozen=True)
class Panel:
    """Series that share an axis of values; ``log`` where their size spans too much for a straight one."""

    name: str
    title: str
    series: tuple[Series, ...]
    log: bool = False
    levels: tuple[Level, ...] = ()


@dataclass(frozen=True)
class Band:
    """The steps where a finding shows."""

    rule: str
    title: str
    label: Label
    first_step: float
    last_step: float
    message: str


@dataclass(frozen=True)
class Chart:
    """A run as it is drawn: the panels from top to bottom and the marks on their shared axis of steps.

    ``broken`` are the steps where nan or inf was logged, ``epoch_ends`` the steps where an epoch ended,
    ``discontinuities`` those where the run was resumed, or its batch or packing changed.
    """

    run: str
    label: Label
    first_step: float
    last_step: float
    panels: tuple[Panel, ...]
    bands: tuple[Band, ...] = ()
    best_step: float | None = None
    best_value: float | None = None
    warmup_end: float | None = None
    epoch_ends: tuple[float, ...] = ()
    broken: tuple[float, ...] = ()
    discontinuities: tuple[float, ...] = ()

    @property
    def points(self) -> tuple[int, int]:
        """The number of points drawn and the number in the log, running means left out."""
        logged = [series for panel in self.panels for series in panel.series if series.kind != "smooth"]
        return sum(len(series.steps) for series in logged), sum(series.total for series in logged)

    def to_dict(self) -> dict[str, Any]:
        """The chart as plain values."""
        return asdict(self)

    def panel(self, name: str) -> Panel | None:
        """The panel of that name, or None."""
        return next((panel for panel in self.panels if panel.name == name), None)
