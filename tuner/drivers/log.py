"""What another trainer has logged so far, as one run, wherever below its output it logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from diagnostics.model.curves import Curve, Run
from diagnostics.readers import read, search
from diagnostics.readers.file_state import file_state
from diagnostics.readers.files import UnreadableLog
from diagnostics.report.write import write_text
from tuner.drivers.live_files import paths_below
from tuner.drivers.plan import PRINTED, Plan
from tuner.drivers.progress import planned_steps

STATE = "trainer_state.json"
LOGGED_AS = {"train_loss": "loss"}


@dataclass
class Log:
    """The log of a run that is being trained; what was read is kept until its files change."""

    plan: Plan
    metric: str
    _state: object = None
    _run: Run | None = None

    def read(self) -> Run | None:
        """The run so far, with the settings of its plan; None while nothing is logged."""
        paths = list(self._paths())
        state = tuple(file_state(path) for path in paths)
        if state != self._state:
            self._state, self._run = state, self._joined(paths)
        return self._run

    def _paths(self) -> Iterator[Path]:
        """The logs, the oldest first; what the trainer printed comes last."""
        output, printed = self.plan.output, self.plan.folder / PRINTED
        if self.plan.driver.log == "stdout":
            found = []
        elif self.plan.driver.log:
            found = [path for path in paths_below(output, self.plan.driver.log) if path.exists()]
        else:
            found = _runs_below(output)
        yield from sorted(found, key=_written)
        if printed.exists():
            yield printed

    def _joined(self, paths: list[Path]) -> Run | None:
        """One run of all the logs: a later one wins, and what was printed only fills in curves that no log has."""
        curves: dict[str, Curve] = {}
        runs = [run for path in paths if (run := _read(path)) is not None and path.name != PRINTED]
        for run in runs:
            curves |= {name: _joined(curves.get(name), curve) for name, curve in run.curves.items()}
        wanted = {"train_loss", self.metric}
        if not wanted <= curves.keys() and paths and paths[-1].name == PRINTED and (said := _read(paths[-1])):
            curves = {**said.curves, **curves}
            runs.append(said)
        if not curves:
            return None
        settings = self.plan.settings
        for run in reversed(runs):
            settings = settings.merged(run.settings)
        cuts = sorted({step for run in runs for step in run.discontinuities})
        return replace(Run(self.plan.folder.name, curves, settings), discontinuities=tuple(cuts))


def _runs_below(output: Path) -> list[Path]:
    try:
        return search(output).runs
    except UnreadableLog:
        return []


def _written(path: Path) -> float:
    try:
        files = [path] if path.is_file() else [one for one in path.iterdir() if one.is_file()]
        return max((file.stat().st_mtime for file in files), default=0.0)
    except OSError:
        return 0.0


def _read(path: Path) -> Run | None:
    """The run in a log; None for one that is half written, or is none."""
    try:
        return read(path)
    except (UnreadableLog, OSError):
        return None


def _joined(before: Curve | None, after: Curve) -> Curve:
    """Both curves, the later one where both have a step."""
    if before is None:
        return after
    joined = Curve.from_points(
        np.concatenate([before.steps, after.steps]), np.concatenate([before.values, after.values])
    )
    return replace(joined, broken=tuple(sorted({*before.broken, *after.broken} - {*joined.steps.tolist()})))


def write_log(run: Run, folder: Path) -> None:
    """Write the run as ``trainer_state.json``: every reader of ours finds the trial's log where all trials have it."""
    rows: dict[float, dict[str, Any]] = {}
    for name, curve in run.curves.items():
        tag = LOGGED_AS.get(name, name)
        points = [*zip(curve.steps.tolist(), curve.values.tolist(), strict=True)]
        for step, value in (*points, *((step, float("nan")) for step in curve.broken)):
            rows.setdefault(step, {})[tag] = value
    history = [{**rows[step], "step": int(step) if step == int(step) else step} for step in sorted(rows)]
    state: dict[str, Any] = {"global_step": int(run.last_step), "log_history": history}
    total = planned_steps(run)
    if total is not None:
        state["max_steps"] = round(total)
    write_text(folder / STATE, json.dumps(state, indent=1) + "\n")
