"""A short run of a file's trainer, started twice: what works is found out before hours are spent."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from diagnostics.model.curves import Run
from diagnostics.readers import UnreadableLog, read
from tuner.config.study_spec import StudySpec
from tuner.drivers.checkpoints import newest_whole
from tuner.drivers.drive import POLL
from tuner.drivers.errors import TrainerFailed
from tuner.drivers.failures import ended, last_words, printed_since
from tuner.drivers.keeper import of_run
from tuner.drivers.live_files import paths_below
from tuner.drivers.log import Log
from tuner.drivers.plan import OUTPUT, PRINTED, Plan, open_folder, planned, write_files
from tuner.drivers.process import Trainer, end_left_over, tag_of
from tuner.drivers.progress import is_complete

GROWS = (".jsonl", ".txt", ".log", ".csv")
"""Endings of logs to which lines are added; an event file is a new one for each start."""
MIN_STEPS = 2
SAVES = 15.0
"""Seconds to wait for a checkpoint after the evaluation that it belongs to; some save only at the end of an epoch."""


@dataclass(frozen=True)
class Rehearsed:
    """What one short run showed.

    ``run`` is what it logged (None: nothing), ``problem`` how it ended where it did so by itself, before it had shown
    what it should. ``stopped_in`` are the seconds from the signal to the end, None where it needed none or ended by
    force; ``left`` the processes that remained. ``begins_at`` is the first step that this start logged. ``peak`` is the
    most memory of its processes together, in bytes. ``seconds_a_step`` is told by its log, else by the clock.
    ``through``: it ended well by itself, with its last planned step logged, by this start or an earlier one.
    """

    run: Run | None
    problem: str
    by_force: bool
    stopped_in: float | None
    left: tuple[int, ...]
    begins_at: float | None
    peak: int
    seconds_a_step: float | None = None
    through: bool = False


@dataclass
class Rehearsal:
    """Short runs of a study's first trial in a folder of their own."""

    spec: StudySpec
    folder: Path
    seconds: float = 600.0

    def plan(self) -> Plan:
        """The first trial, with the keys that make it show everything after two steps."""
        assert self.spec.driver is not None
        short = self.spec.driver.profile.short
        plan = planned(self.spec, {}, self.folder)
        own = {key: value for key, value in {**plan.own, **short}.items() if value is not None}
        settings = replace(plan.settings, max_steps=200 if short else plan.settings.max_steps)
        argv = list(plan.argv)
        if self.spec.driver.profile.on_command_line:
            argv = [word for word in argv if word.partition("=")[0] not in short]
            argv += [f"{key}={value}" for key, value in short.items() if value is not None]
        return replace(plan, own=own, settings=settings, argv=argv)

    def start(self) -> Rehearsed:
        """Start it, or start it again; it is stopped once it has logged two more steps and its metric."""
        plan = self.plan()
        end_left_over(self.folder)
        open_folder(plan)
        plan = self.plan()
        write_files(plan)
        printed, before, begun = plan.folder / PRINTED, _sizes(plan.folder), time.monotonic()
        size = printed.stat().st_size if printed.exists() else 0
        log, run, peak, status = Log(plan, self.spec.study.metric), None, 0, None
        seen: list[tuple[float, float]] = []
        shown = 0.0
        with Trainer(plan.argv, plan.folder, printed, plan.environment, plan.driver.stop) as trainer:
            try:
                while (status := trainer.wait(POLL)) is None and time.monotonic() < begun + self.seconds:
                    peak, run = max(peak, _memory(of_run(tag_of(plan.folder)))), log.read()
                    if run is not None and run.last_step > (seen[-1][1] if seen else 0.0):
                        seen.append((time.monotonic(), run.last_step))
                    if self._shown(run, _first_step(plan.folder, before)):
                        shown = shown or time.monotonic()
                        if self._saved(plan) or time.monotonic() > shown + SAVES:
                            break
                asked = time.monotonic()
                stopped = trainer.stop() if status is None else None
            except TrainerFailed as error:
                return Rehearsed(None, str(error), False, None, (), None, 0)
        took = time.monotonic() - asked
        left = tuple(one for one in of_run(tag_of(plan.folder)) if Path(f"/proc/{one}").exists())
        run = log.read()
        first = _first_step(plan.folder, before)
        said = last_words(printed_since(printed, size))
        how = "" if status is None or self._shown(run, first) else f"{ended(status, run)}: {said}"
        forced, in_time = stopped in (-9, 137), took if stopped is not None else None
        through = status == 0 and run is not None and is_complete(run)
        return Rehearsed(run, how, forced, in_time, left, first, peak, _pace(run, seen), through)

    def _saved(self, plan: Plan) -> bool:
        """Whether there is a checkpoint to continue from, or nobody knows how one would look."""
        profile = plan.driver.profile
        return not profile.checkpoints or newest_whole(plan.output, profile.checkpoints, profile.state) is not None

    def _shown(self, run: Run | None, first: float | None) -> bool:
        if run is None or first is None:
            return False
        curve = run.curve(self.spec.study.metric)
        return run.last_step >= first + MIN_STEPS - 1 and curve is not None and curve.steps[-1] >= first


def _pace(run: Run | None, seen: list[tuple[float, float]]) -> float | None:
    """The median time of a step by the log, else by when its steps were seen; None where neither tells."""
    times = run.curve("wall_time") if run is not None else None
    if times is not None and len(times) > 1:
        return float(statistics.median((np.diff(times.values) / np.diff(times.steps)).tolist()))
    if len(seen) < 2:
        return None
    (begun, first), (ended_at, last) = seen[0], seen[-1]
    return (ended_at - begun) / (last - first)


def _memory(processes: list[int]) -> int:
    """The bytes that these processes hold, shared ones counted for each."""
    total = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            continue
        total += sum(1024 * int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total


def _sizes(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_size for path in _logs(folder) if path.exists()}


def _logs(folder: Path) -> Iterator[Path]:
    output, printed = folder / OUTPUT, folder / PRINTED
    found = [path for path in paths_below(output) if path.is_file()]
    logs = [path for path in found if path.suffix in GROWS or ".tfevents." in path.name]
    yield from logs or ([printed] if printed.exists() else [])


def _first_step(folder: Path, before: dict[Path, int]) -> float | None:
    """The lowest step that was logged since the logs had these sizes; None while nothing was."""
    steps: list[float] = []
    for path in _logs(folder):
        known = before.get(path, 0)
        with tempfile.TemporaryDirectory() as place:
            fresh = path
            if known:
                fresh = Path(place) / path.name
                fresh.write_bytes(path.read_bytes()[known:])
            try:
                run = read(fresh)
            except (UnreadableLog, OSError):
                continue
        steps += [float(run.curves[name].steps[0]) for name in ("train_loss", "eval_loss") if name in run.curves]
    return min(steps, default=None)
