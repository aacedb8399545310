"""Build the chart of a run and its diagnosis: what is drawn, as plain records, before any renderer sees it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from diagnostics.chart.downsample import downsample_minmax, ema, is_noisy
from diagnostics.chart.model import SMOOTHED, Band, Chart, Kind, Level, Panel, Series
from diagnostics.chart.svg import as_svg
from diagnostics.formatting import number, plain_name
from diagnostics.messages import finding_message
from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.records import Diagnosis

__all__ = ["Band", "Chart", "Level", "Panel", "Series", "as_svg", "chart", "outline"]

PIXELS = 600  # the width that curves are thinned to
LOG_SPAN = 30.0  # values that differ by more than this factor get a logarithmic axis


@dataclass(frozen=True)
class _Row:
    name: str
    title: str
    curves: tuple[tuple[str, str], ...]
    log: bool = True


ROWS: tuple[_Row, ...] = (
    _Row("loss", "Loss", (("train_loss", "training"), ("eval_loss", "held out"))),
    _Row(
        "rewards",
        "Rewards",
        (
            ("rewards_chosen", "chosen"),
            ("rewards_rejected", "rejected"),
            ("rewards_margins", "margin"),
            ("eval_rewards_margins", "margin, held out"),
        ),
        log=False,
    ),
    _Row(
        "accuracies",
        "Pairs ranked right",
        (("rewards_accuracies", "training"), ("eval_rewards_accuracies", "held out")),
        log=False,
    ),
    _Row("learning_rate", "Learning rate", (("learning_rate", "learning rate"),), log=False),
    _Row("grad_norm", "Gradient norm", (("grad_norm", "norm before clipping"),)),
)
"""The panels from top to bottom, each with its curves; a panel without a curve is left out."""


def chart(run: Run, diagnosis: Diagnosis, *, pixels: int = PIXELS) -> Chart:
    """The chart of a run: its curves thinned to ``pixels`` with no spike lost, and the findings as bands."""
    return replace(outline(run, diagnosis), panels=tuple(p for row in ROWS if (p := _panel(run, row, pixels))))


def outline(run: Run, diagnosis: Diagnosis) -> Chart:
    """The chart of a run without its curves: the findings as bands, and the marks on the axis of steps."""
    first, last = _ends(run)
    return Chart(
        run=run.name,
        label=diagnosis.label,
        first_step=first,
        last_step=last,
        panels=(),
        bands=_bands(diagnosis, first, last),
        best_step=diagnosis.best_step,
        best_value=_value_at(run, diagnosis.best_step),
        warmup_end=_warmup_end(run),
        epoch_ends=_epoch_ends(run, last),
        broken=tuple(sorted({step for name in _drawn(run) for step in run.curves[name].broken})),
        discontinuities=tuple(step for step in run.discontinuities if first < step <= last),
    )


def _drawn(run: Run) -> list[str]:
    return [name for row in ROWS for name, _ in row.curves if name in run.curves]


def _ends(run: Run) -> tuple[float, float]:
    steps = [step for name in _drawn(run) for step in _extent(run.curves[name])]
    return (min(steps), max(steps)) if steps else (0.0, 0.0)


def _extent(curve: Curve) -> list[float]:
    return [float(step) for part in (curve.steps, curve.broken) if len(part) for step in (part[0], part[-1])]


def _panel(run: Run, row: _Row, pixels: int) -> Panel | None:
    series = tuple(s for name, title in row.curves for s in _series(run.curve(name), name, title, pixels))
    if not series:
        return None
    return Panel(row.name, row.title, series, row.log and _spans_much(series), _levels(run, row.name))


def _series(curve: Curve | None, name: str, title: str, pixels: int) -> Iterable[Series]:
    """The curve as it was logged and, for a noisy one, its running mean."""
    if curve is None or not (len(curve) or curve.broken):
        return
    kind: Kind = "points" if name.startswith("eval_") else "raw"
    short = downsample_minmax(curve, pixels)
    yield Series(name, title, kind, _plain(short.steps), _plain(short.values), len(curve))
    if kind == "raw" and name != "learning_rate" and is_noisy(curve):
        mean = downsample_minmax(Curve(curve.steps, ema(curve.values)), pixels)
        yield Series(name, f"{title}{SMOOTHED}", "smooth", _plain(mean.steps), _plain(mean.values), len(curve))


def _plain(values: FloatArray) -> tuple[float, ...]:
    return tuple(values.tolist())


def _spans_much(series: tuple[Series, ...]) -> bool:
    values = [value for one in series if one.kind != "smooth" for value in one.values]
    return bool(values) and min(values) > 0 and max(values) / min(values) > LOG_SPAN


def _levels(run: Run, name: str) -> tuple[Level, ...]:
    """What a panel's values are to be compared with: chance for DPO, the clipping limit for gradient norms."""
    clip = run.settings.max_grad_norm
    if name == "grad_norm" and clip and 0 < clip < math.inf:
        return (Level(clip, f"clipped above {number(clip)}"),)
    if name == "accuracies":
        return (Level(0.5, "coin toss"),)
    if name == "loss" and "rewards_margins" in run.curves and run.settings.loss_type in (None, "sigmoid"):
        return (Level(math.log(2), "no preference learned (ln 2)"),)
    return ()


def _bands(diagnosis: Diagnosis, first: float, last: float) -> tuple[Band, ...]:
    bands = []
    for finding in diagnosis.findings:
        ends = sorted(_within(step, first, last) for step in (finding.first_step, finding.last_step))
        title = plain_name(finding.rule)
        bands.append(Band(finding.rule, title, finding.label, ends[0], ends[1], finding_message(finding)))
    return tuple(bands)


def _within(step: float, first: float, last: float) -> float:
    return first if math.isnan(step) else min(max(step, first), last)


def _value_at(run: Run, step: float | None) -> float | None:
    for name in ("eval_loss", "train_loss"):
        curve = run.curve(name)
        if step is not None and curve is not None and len(curve):
            return float(curve.at([step])[0])
    return None


def _warmup_end(run: Run) -> float | None:
    """The step where the learning rate first stands at its height, if it rose to it; else what the settings say."""
    rate = run.curve("learning_rate")
    if rate is None or not len(rate):
        ratio, steps = run.settings.warmup_ratio, run.settings.max_steps or run.last_step
        return ratio * steps if ratio and steps > 0 else None
    top = int(np.flatnonzero(rate.values >= 0.999 * rate.values.max())[0])
    rose = rate.values[0] < 0.95 * rate.values[top] and top < len(rate) - 1
    return float(rate.steps[top]) if rose else None


def _epoch_ends(run: Run, last: float) -> tuple[float, ...]:
    """The steps where an epoch ended before the end of the run, where the log counts epochs."""
    epoch = run.curve("epoch")
    if epoch is None or len(epoch) < 2 or not 1 < epoch.values[-1] <= 1000:
        return ()
    rising = np.maximum.accumulate(epoch.values)
    whole = np.arange(1, math.floor(rising[-1]) + 1)
    steps = np.interp(whole, np.concatenate(([0.0], rising)), np.concatenate(([0.0], epoch.steps)))
    return tuple(float(step) for step in steps if step < last * 0.995)
