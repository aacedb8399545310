"""The table of runs as plain rows, each made of a run and its verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from diagnostics.messages import finding_message
from diagnostics.model.curves import Run
from diagnostics.model.methods import method_record
from diagnostics.model.records import Diagnosis, Label
from diagnostics.report.sparkline import block_means

UNREAD = "unreadable"
WAITING = "waiting"
LABELS: tuple[str, ...] = (*(str(label) for label in Label), UNREAD, WAITING)
SPARK_POINTS = 40
STILL_WRITTEN = 120.0
"""Seconds: a log that was written at most this long before the newest one counts as being written too."""


@dataclass(frozen=True)
class Row:
    """One line of the table of runs; ``why`` is filled in for a run that could not be read.

    ``curves`` are the names of its curves, ``study`` is the folder of the study that it belongs to.
    """

    id: str
    name: str
    label: str
    cause: str | None = None
    message: str = ""
    best_eval_loss: float | None = None
    best_step: float | None = None
    last_step: float = 0.0
    written: float = 0.0
    spark: tuple[float, ...] = ()
    settings: tuple[tuple[str, object], ...] = ()
    why: str = ""
    curves: tuple[str, ...] = ()
    study: str = ""


def row(run_id: str, name: str, run: Run, diagnosis: Diagnosis, written: float, study: str = "") -> Row:
    """The row of a run that was read and diagnosed; ``written`` is seconds since 1970."""
    eval_loss = run.curve("eval_loss")
    train, held = map(run.curve, method_record(run.settings.method).main_curves)
    finding = next((f for f in diagnosis.findings if f.rule == diagnosis.cause), None)
    return Row(
        run_id,
        name,
        str(diagnosis.label),
        diagnosis.cause,
        finding_message(finding) if finding else "",
        float(eval_loss.values.min()) if eval_loss is not None and len(eval_loss) else None,
        diagnosis.best_step,
        run.last_step,
        written,
        block_means(train if train is not None and len(train) else held, SPARK_POINTS),
        tuple(run.settings.known().items()),
        curves=tuple(run.curves),
        study=study,
    )


def unreadable_row(run_id: str, name: str, why: str, written: float, study: str = "") -> Row:
    """The row of a run that could not be read."""
    return Row(run_id, name, UNREAD, written=written, why=why, study=study)


def waiting_row(run_id: str, name: str, written: float, study: str = "") -> Row:
    """The row of a run that is not read yet."""
    return Row(run_id, name, WAITING, written=written, study=study)


def row_of(fields: Mapping[str, Any]) -> Row:
    """The row of fields that came through ``dataclasses.asdict`` and JSON. Raises ``TypeError`` for other fields."""
    settings = tuple((str(knob), value) for knob, value in fields["settings"])
    return Row(**{**fields, "settings": settings, "spark": tuple(fields["spark"]), "curves": tuple(fields["curves"])})


def counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows carry each verdict, in the verdicts' order, those without any left out."""
    return {label: n for label in LABELS if (n := sum(row.label == label for row in rows))}
