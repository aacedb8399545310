"""One run of another trainer, from its command to a diagnosed run: what the study's loop calls to train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.message import message
from diagnostics.readers import read
from diagnostics.report.write import write_reports
from tuner.config.study_spec import StudySpec
from tuner.drivers.failures import failure
from tuner.drivers.log import Log, write_log
from tuner.drivers.next_run import next_run_yaml
from tuner.drivers.plan import PRINTED, Plan, open_folder, planned, recorded, write_files
from tuner.drivers.process import Trainer, end_left_over
from tuner.drivers.progress import planned_steps, share_done
from tuner.drivers.slots import Slot, mine
from tuner.throttle import Throttle
from tuner.training.oom import MemoryKills
from tuner.training.protocol import Report

POLL = 0.25
"""Seconds between two looks at a trainer and its log."""
SHARE = 0.05
"""The share of the time that reading its log may take."""
LOOKS = 14
"""Reports on a run whose metric is logged at every step."""


def drive(
    spec: StudySpec,
    overrides: Mapping[str, Any],
    out: Path,
    report: Report | None = None,
    slot: Slot | None = None,
) -> Run:
    """What one run of the file's trainer logged; the run itself is left in the folder ``out``.

    As ``tuner.training.train.train``: a finished run with the same settings is read, one that was cut continues from
    its newest whole checkpoint where the trainer can, and ``report`` may stop it. It sees the devices of ``slot``, by
    default of the one that this process holds, which stays held until its last process has ended. Raises ``SpecError``
    for what the user can fix, ``OutOfMemoryError``, ``TrainerKilled`` where somebody killed it, and ``TrainerFailed``
    where it ended by an error or before its last planned step.
    """
    slot = slot or mine()
    plan = planned(spec, overrides, out, slot.devices)
    known = _finished(plan)
    if known is not None:
        return known
    end_left_over(out)
    open_folder(plan)
    plan = planned(spec, overrides, out, slot.devices)  # with the checkpoint that it continues from
    write_files(plan)
    return _Driven(plan, spec, report).trained(slot.handles)


def _finished(plan: Plan) -> Run | None:
    """The run in the folder, if one with these settings has ended there; its report is the last thing it wrote."""
    if not (plan.folder / "diagnosis.json").exists() or recorded(plan.folder) != plan.record:
        return None
    try:
        return replace(read(plan.folder), name=plan.folder.name)
    except BadInput:
        return None


class _Driven:
    """A run under way."""

    def __init__(self, plan: Plan, spec: StudySpec, report: Report | None) -> None:
        self.plan, self.spec, self.report = plan, spec, report
        self.log = Log(plan, spec.study.metric)
        self.spacing = Throttle(SHARE)
        self.reported = 0.0
        self.warm = False

    def trained(self, held: Sequence[int]) -> Run:
        """Start the trainer, follow it to its end, and leave its log and reports."""
        plan, printed = self.plan, self.plan.folder / PRINTED
        begun, kills = printed.stat().st_size if printed.exists() else 0, MemoryKills.now()
        with Trainer(plan.argv, plan.folder, printed, plan.environment, plan.driver.stop, held=held) as trainer:
            why = self._follow(trainer)
            status = trainer.stop() if why is not None else trainer.status
        run = self.log.read()
        if why is None:
            problem = failure(plan, status or 0, run, begun, kills)
            if problem is not None:
                raise problem
            self._tell(run)
        assert run is not None
        return self._recorded(run, why)

    def _follow(self, trainer: Trainer) -> str | None:
        """Look at the log until the trainer has ended; why it should stop, or None."""
        while trainer.wait(POLL) is None:
            if not self.spacing.allows():
                continue
            with self.spacing.check():
                run = self.log.read()
            if run is not None and not self.warm:
                self.warm, self.spacing = True, Throttle(SHARE)  # the first reading loaded the libraries as well
            why = self._tell(run)
            if why is not None:
                return why
        return None

    def _tell(self, run: Run | None) -> str | None:
        """Report a run that was evaluated since the last report; why it should stop, or None."""
        share = share_done(run) if run is not None else None
        if run is None or share is None or self.report is None:
            return None
        curve = run.curve(self.spec.study.metric)
        at = float(curve.steps[-1]) if curve is not None and len(curve) else 0.0
        total = planned_steps(run) or 1.0
        least = total / LOOKS if not self.spec.study.metric.startswith("eval_") else 0.0
        if at <= self.reported + least and not (share >= 1.0 and at > self.reported):
            return None
        self.reported = at
        write_log(run, self.plan.folder)
        return self.report(run, min(1.0, at / total))

    def _recorded(self, run: Run, why: str | None) -> Run:
        """The run with its log and its reports in the folder."""
        if why is not None:
            total = planned_steps(run) or run.last_step
            note = message("stopped-at", step=round(run.last_step), max_steps=round(total), why=why)
            run = replace(run, notes=(*run.notes, note))
        write_log(run, self.plan.folder)
        diagnosis = diagnose(run, bounds=self.spec.study.bounds)
        write_reports(run, diagnosis, self.plan.folder, next_run=next_run_yaml(self.spec, self.plan, run, diagnosis))
        return run
