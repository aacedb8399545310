"""The styles: a trainer's log, and the kinds of task that are trained for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.dialects.measured import Layout, Measured, Write
from benchmarks.dialects.writers import DIALECTS
from benchmarks.fresh import real
from benchmarks.fresh.labels import Answer
from benchmarks.fresh.project import project
from benchmarks.fresh.rows import Make, Row, row
from diagnostics import read
from diagnostics.errors import BadInput

POINTS = (12, 200)
"""The fewest and the most log points of a run that is logged in steps."""


def written(
    write: Write,
    tasks: tuple[str, ...],
    evals: float,
    settings: float,
    epochs: bool,
    rng: np.random.Generator,
    count: int,
    folder: Path,
) -> list[Row]:
    """A project trained by our own loop and written in a trainer's dialect.

    Its runs are logged alike: with evaluations or with settings at all is drawn with these chances, as is how often.
    """
    runs = project(str(rng.choice(tasks)), rng, count, epochs)
    wanted = float(np.exp(rng.uniform(*np.log(POINTS))))
    with_evals, with_settings = bool(rng.random() < evals), bool(rng.random() < settings)
    seed, rows = int(rng.integers(1 << 30)), []
    for number, run in enumerate(runs):
        layout = Layout(every(run.log, wanted), with_evals, with_settings, f"run-{number}", seed)
        path = write(run.log, layout, folder / f"{number}")
        if can_tell(run.answer, path):
            rows.append(row(path, run))
    return rows


def can_tell(label: Answer, path: Path) -> bool:
    """Whether a log can show what its label says: overfitting shows in evaluations alone, which not every trainer logs.

    One that cannot be read stays.
    """
    if label.name != "overfit":
        return True
    try:
        return "eval_loss" in read(path).curves
    except BadInput:
        return True


def every(run: Measured, wanted: float) -> int:
    """Every how many steps a run is logged to have about so many points; people choose round numbers."""
    return min((1, 2, 5, 10, 20, 25, 50, 100), key=lambda every: abs(np.log(run.steps / every / wanted)))


TUNING = (*["other-language"] * 5, "orders")
SMALL = ("classes", "images", "regression")


def _style(name: str, *tasks: str, evals: float = 0.8, settings: float = 0.6, epochs: bool = False) -> tuple[str, Make]:
    """A dialect by name, with its maker."""
    return name, partial(written, DIALECTS[name], tasks, evals, settings, epochs)


STYLES: Mapping[str, Make] = {
    **real.MAKERS,
    **dict(
        (
            _style("lightning-csv", *SMALL, evals=1.0, epochs=True),
            _style("lightning-events", *SMALL, evals=1.0, epochs=True),
            _style("keras-log", *SMALL, evals=0.9, epochs=True),
            _style("keras-history", *SMALL, evals=1.0, epochs=True),
            _style("mlx-lm", *TUNING, evals=1.0),
            _style("wandb-export", "letters", "images", "other-language"),
            _style("wandb-folder", "letters", "classes", "other-language"),
            _style("llamafactory", *TUNING),
            _style("ms-swift", *TUNING),
            _style("torchtune", *TUNING, evals=0.0),
            _style("automodel", *TUNING),
            _style("consoles", *TUNING),
            _style("scripts", *SMALL, "letters", epochs=True),
        )
    ),
}
"""By name. Whether a style's runs are logged with evaluations or settings, and how often, is drawn for each task."""
