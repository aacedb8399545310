"""A run of what a log holds: tags become curves, options become settings, and what was guessed becomes a note."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np

from diagnostics.formatting import encodable
from diagnostics.model.curves import Curve, Run
from diagnostics.model.message import Message, message
from diagnostics.model.methods import method_record
from diagnostics.readers.assemble.counter_jumps import counter_jumps
from diagnostics.readers.assemble.forms import optimizer_of
from diagnostics.readers.assemble.restarts import twice
from diagnostics.readers.assemble.settings import recovered
from diagnostics.readers.assemble.tags import (
    A_PERPLEXITY,
    NAMES,
    ONE_OF_SEVERAL_SETS,
    curve_names,
    is_perplexity,
    match,
    own_name,
)
from diagnostics.readers.files import UnreadableLog
from diagnostics.readers.raw_log import Log, Series
from diagnostics.readers.run_names import run_name

UNIT = re.compile(r"(.+)\((1e[-+]?\d{1,2})\)")
"""A tag with its unit, as in verl's ``train/lr(1e-3)``."""

MAX_OTHER_CURVES = 10_000
"""Curves without a name of ours, such as the gradient norms of layers; more of them are left out."""


def assemble(path: Path, log: Log, tags: Mapping[str, str] | None = None, name: str | None = None) -> Run:
    """The run that the log at ``path`` records, under that name or the path's.

    Raises ``UnreadableLog`` when it has no point at all.
    """
    series = _in_plain_units({tag: points for tag, points in log.series.items() if points.steps.size})
    if not series:
        raise UnreadableLog(f"{path}: the log holds no values over steps yet; wait for the first log line")
    names = curve_names({tag: int(points.steps.size) for tag, points in series.items()}, tags)
    series, crowded = _without_crowd(series, names)
    curves: dict[str, Curve] = {}
    series, uncounted = _counted(series)
    series, names, as_logarithms = _logarithms(series, names)
    losses = (tag for tag, name in names.items() if name in ("train_loss", "eval_loss"))
    notes = [
        *log.notes,
        *crowded,
        *uncounted,
        *as_logarithms,
        *filter(None, (twice(series[tag], tag) for tag in losses)),
    ]
    for tag, points in series.items():
        curves[encodable(names[tag])] = Curve.from_points(points.steps, points.values)
    curves = _with_wall_time(curves, series, names)
    settings, guessed = recovered({**optimizer_of(series), **log.options}, curves, log.total_steps)
    curves = method_record(settings.method).named(curves)
    discontinuities, changed = counter_jumps(curves)
    notes += [*_doubtful(names, (tags or {}).values()), *guessed, *changed]
    discontinuities = sorted({*log.discontinuities, *discontinuities})
    return Run(encodable(name or run_name(path)), curves, settings, tuple(dict.fromkeys(notes)), tuple(discontinuities))


def _in_plain_units(series: Mapping[str, Series]) -> dict[str, Series]:
    """The series, one whose tag ends in its unit, as in ``lr(1e-3)``, in plain numbers under the tag without it."""
    found: dict[str, Series] = {}
    for tag, points in series.items():
        unit = UNIT.fullmatch(tag)
        scaled = unit is not None and unit.group(1) not in series
        found[unit.group(1) if unit and scaled else tag] = (
            points._replace(values=points.values * float(unit.group(2))) if unit and scaled else points
        )
    return found


def _without_crowd(series: Mapping[str, Series], names: Mapping[str, str]) -> tuple[dict[str, Series], list[Message]]:
    """The series, and of those that no rule reads only as many as there is room for, with a note on the others."""
    others = [tag for tag in series if names[tag] not in NAMES]
    lost = set(others[MAX_OTHER_CURVES:])
    kept = {tag: points for tag, points in series.items() if tag not in lost}
    return kept, [message("curves-left-out", curves=len(lost))] if lost else []


def _counted(series: Mapping[str, Series]) -> tuple[dict[str, Series], list[Message]]:
    """The series with row numbers for steps where every point was logged at step 0, and a note on each."""
    counted = dict(series)
    notes = []
    for tag, points in series.items():
        if points.steps.size > 2 and not points.steps.any():
            counted[tag] = points._replace(steps=np.arange(1.0, points.steps.size + 1))
            notes.append(message("tag-at-step-zero", tag=tag))
    return counted, notes


def _logarithms(
    series: Mapping[str, Series], names: Mapping[str, str]
) -> tuple[dict[str, Series], dict[str, str], list[Message]]:
    """The series and their curve names, with the logarithm of each perplexity that stands for a loss, and notes on it.

    What is below 1 somewhere is no perplexity, whatever its name, and keeps that name.
    """
    found, named, notes = dict(series), dict(names), []
    for tag, points in series.items():
        if names[tag] not in ("train_loss", "eval_loss") or not is_perplexity(tag):
            continue
        if np.nanmin(points.values, initial=np.inf) >= 1.0:
            found[tag] = points._replace(values=np.log(points.values))
            notes.append(message("loss-from-perplexity", curve=names[tag], tag=tag))
        else:
            named[tag] = own_name(tag)
    return found, named, notes


def _with_wall_time(
    curves: dict[str, Curve], series: Mapping[str, Series], names: Mapping[str, str]
) -> dict[str, Curve]:
    """The curves and, where the log has times, ``wall_time`` at the steps of the training loss or the longest tag."""
    timed = [tag for tag, points in series.items() if points.times is not None]
    if not timed or "wall_time" in curves:
        return curves
    tag = max(timed, key=lambda tag: (names[tag] == "train_loss", series[tag].steps.size))
    times = series[tag].times
    if times is None or not np.isfinite(times).all():
        return curves
    return {**curves, "wall_time": Curve.from_points(series[tag].steps, times)}


def _doubtful(names: Mapping[str, str], chosen: Collection[str]) -> list[Message]:
    """Notes for the losses whose tag is not plain, and when no loss was found at all."""
    notes = []
    for tag, name in names.items():
        if name in ("train_loss", "eval_loss") and match(tag) is None and tag not in chosen:
            notes.append(message("lone-loss", curve=name, tag=tag))
        found = match(tag) if name == "eval_loss" else None
        if found and ONE_OF_SEVERAL_SETS <= found.distance < A_PERPLEXITY:
            notes.append(message("one-of-several-eval-sets", tag=tag))
        elif name == "eval_loss" and "test" in re.findall("[a-z]+", tag.lower()):
            notes.append(message("eval-loss-from-test", tag=tag))
    if not {"train_loss", "eval_loss"} & set(names.values()):
        notes.append(message("no-loss-found", tags=", ".join(sorted(names)[:6])))
    return notes
