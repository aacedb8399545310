"""Build the chart of a run and its diagnosis: what is drawn, as plain records, before any renderer sees it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from diagnostics.chart.model import Band, Chart, Level, Mark, MarkKind, Panel, Series
from diagnostics.chart.panels import curves_of, panels, with_log_axis
from diagnostics.chart.series import View
from diagnostics.chart.smoothing import default_weight
from diagnostics.chart.svg import as_svg
from diagnostics.messages import finding_message
from diagnostics.model.curves import Curve, Run
from diagnostics.model.methods import method_record
from diagnostics.model.records import Diagnosis

__all__ = ["Band", "Chart", "Level", "Mark", "MarkKind", "Panel", "Series", "as_svg", "chart", "outline"]

PIXELS = 600  # the width that curves are downsampled to
MAX_EPOCHS = 1000
"""A log that counts more epochs is damaged, or counts something else; its epochs are not marked."""


def chart(run: Run, diagnosis: Diagnosis, *, pixels: int = PIXELS) -> Chart:
    """The chart of a run: its curves over the steps, downsampled to ``pixels`` with no spike lost, and its findings."""
    view = View(smoothing=default_weight(run), points=2 * pixels)
    drawn = (with_log_axis(panel) for panel in panels(run, curves_of(run), view, lambda steps: steps))
    return replace(outline(run, diagnosis), panels=tuple(drawn))


def outline(run: Run, diagnosis: Diagnosis) -> Chart:
    """The chart of a run without its curves: the findings as bands, and the marks on the axis of steps."""
    ends = [step for name in curves_of(run) for step in _extent(run.curves[name])]
    first, last = (min(ends), max(ends)) if ends else (0.0, 0.0)
    return Chart(
        run=run.name,
        label=diagnosis.label,
        first=first,
        last=last,
        bands=_bands(diagnosis, first, last),
        marks=_marks(run, diagnosis, first, last),
    )


def _extent(curve: Curve) -> list[float]:
    return [float(step) for part in (curve.steps, curve.broken) if len(part) for step in (part[0], part[-1])]


def _bands(diagnosis: Diagnosis, first: float, last: float) -> tuple[Band, ...]:
    bands = []
    for finding in diagnosis.findings:
        ends = sorted(_within(step, first, last) for step in (finding.first_step, finding.last_step))
        steps = tuple(step for step in finding.steps if first <= step <= last)
        bands.append(Band(finding.rule, finding.label, ends[0], ends[1], finding_message(finding), steps))
    return tuple(bands)


def _within(step: float, first: float, last: float) -> float:
    return first if math.isnan(step) else min(max(step, first), last)


def _marks(run: Run, diagnosis: Diagnosis, first: float, last: float) -> tuple[Mark, ...]:
    best, warmup = diagnosis.best_step, _warmup_end(run)
    broken = {step for name in curves_of(run) for step in run.curves[name].broken}
    marks = [Mark(MarkKind.BEST, best, best, _value_at(run, best))] if best is not None else []
    marks += [Mark(MarkKind.WARMUP, warmup, warmup)] if warmup is not None else []
    marks += [Mark(MarkKind.EPOCH, step, step, epoch) for epoch, step in enumerate(_epoch_ends(run, last), 1)]
    marks += [Mark(MarkKind.DISCONTINUITY, step, step) for step in run.discontinuities if first < step <= last]
    marks += [Mark(MarkKind.BROKEN, step, step) for step in sorted(broken)]
    return tuple(marks)


def _value_at(run: Run, step: float) -> float | None:
    """The held-out loss or reward at a step, or that of training."""
    for name in reversed(method_record(run.settings.method).main_curves):
        curve = run.curve(name)
        if curve is not None and len(curve):
            return float(curve.at([step])[0])
    return None


def _warmup_end(run: Run) -> float | None:
    """The step where the learning rate first reaches its peak, if it rose to it; else the one in the settings."""
    rate = run.curve("learning_rate")
    if rate is None or not len(rate):
        ratio, steps = run.settings.warmup_ratio, run.settings.max_steps or run.last_step
        return ratio * steps if ratio and steps > 0 else None
    peak = float(rate.values.max())
    if peak <= 0:
        return None
    top = int(np.argmax(rate.values >= 0.999 * peak))
    rose = rate.values[0] < 0.95 * rate.values[top] and top < len(rate) - 1
    return float(rate.steps[top]) if rose else None


def _epoch_ends(run: Run, last: float) -> tuple[float, ...]:
    """The steps where an epoch ended before the end of the run, where the log counts epochs."""
    epoch = run.curve("epoch")
    if epoch is None or len(epoch) < 2 or epoch.values[-1] <= 1 or epoch.values.max() > MAX_EPOCHS:
        return ()
    rising = np.maximum.accumulate(epoch.values)
    whole = np.arange(1, math.floor(rising[-1]) + 1)
    steps = np.interp(whole, np.concatenate(([0.0], rising)), np.concatenate(([0.0], epoch.steps)))
    return tuple(float(step) for step in steps if step < last * 0.995)
