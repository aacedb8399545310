"""What a reader can take away: the points of runs as CSV, a drawing as SVG, diagnoses as a page."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from diagnostics.chart.build import as_svg, chart
from diagnostics.model.curves import Run
from diagnostics.report.write import as_html
from tuner.config.next_run import next_run_yaml
from tuner.inspector.runs.folder import Opened
from tuner.training.run_config import own_config


def as_csv(run: Run) -> str:
    """Every logged point, none thinned: one row a step, one column a curve, empty where nothing was logged."""
    curves = {name: curve for name, curve in run.curves.items() if len(curve) or curve.broken}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["step", *(_head(name) for name in curves)])
    points: dict[float, dict[str, str]] = {}
    for name, curve in curves.items():
        for step, value in zip(curve.steps.tolist(), curve.values.tolist(), strict=True):
            points.setdefault(step, {})[name] = repr(value)
        for step in curve.broken:
            points.setdefault(step, {})[name] = str(np.nan)
    for step in sorted(points):
        writer.writerow([f"{step:.17g}", *(points[step].get(name, "") for name in curves)])
    return text.getvalue()


def as_long_csv(runs: Sequence[Opened]) -> str:
    """Every logged point of several runs: one row a point, with its run, curve, step and value."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "curve", "step", "value"])
    for opened in runs:
        for name, curve in opened.run.curves.items():
            known = zip(curve.steps.tolist(), map(repr, curve.values.tolist()), strict=True)
            points = sorted([*known, *((step, "nan") for step in curve.broken)])
            writer.writerows([_head(opened.name), _head(name), f"{step:.17g}", value] for step, value in points)
    return text.getvalue()


def _head(name: str) -> str:
    """A column's name that no spreadsheet takes for a formula."""
    return f"'{name}" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else name


def as_drawing(opened: Opened) -> str:
    """All panels of the run with its findings as a standalone SVG, light and dark."""
    return as_svg(chart(opened.run, opened.diagnosis))


def as_page(runs: Sequence[Opened]) -> str:
    """The diagnoses of the runs as one self-contained HTML file."""
    files = [next_run_yaml(opened.run, opened.diagnosis, own_config(opened.path)) for opened in runs]
    return str(as_html([(opened.run, opened.diagnosis) for opened in runs], next_runs=files))
