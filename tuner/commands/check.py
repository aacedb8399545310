"""``tuner check``: whether the study of a file would work, found out by a short run that is started twice."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from diagnostics.report.write import dumped
from tuner.commands.loading import load_study_file
from tuner.config.driven_file import check_program
from tuner.config.library_logging import quiet
from tuner.config.study_spec import StudySpec
from tuner.drivers.own_trainer import as_driven
from tuner.drivers.rehearsal import Rehearsal
from tuner.messages import text
from tuner.messages.en import CHECK_STATES
from tuner.study.checks.answer import check_of_answer
from tuner.study.checks.lengths import checks_of_lengths
from tuner.study.checks.of_run import checks_of_run
from tuner.study.checks.record import Check, State
from tuner.study.checks.rows import checks_of_rows, rows_of


def check(file: Path, *, minutes: float = 10.0, as_json: bool = False, trust_remote_code: bool = False) -> int:
    """Print what was found out; the exit status is 1 where something would not work.

    The folder of the short run is removed again, unless a check failed: then the last line names it.
    """
    spec = load_study_file(file, False, trust_remote_code)
    check_program(spec)
    place = Path(tempfile.mkdtemp(prefix="tuner-check-"))
    try:
        driven = spec if spec.driver is not None else as_driven(spec, place / "trial-000", trust_remote_code)
        found = []
        for one in _checks(spec, Rehearsal(driven, place / "trial-000", 60 * minutes), place, trust_remote_code):
            found.append(one)
            if not as_json:
                print(f"{CHECK_STATES[one.state]:<6}  {text(one.message)}", flush=True)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    failed = any(one.state is State.FAILED for one in found)
    if as_json:
        print(_as_json(found, place if failed else None), end="")
    elif failed:
        print(f"what it printed is in {place / 'trial-000' / 'output.log'}")
    if not failed:
        shutil.rmtree(place, ignore_errors=True)
    return int(failed)


def _checks(spec: StudySpec, rehearsal: Rehearsal, place: Path, trusted: bool) -> Iterator[Check]:
    """The checks in their order, each as soon as it is known."""
    of_run = []
    for one in checks_of_run(rehearsal):
        of_run.append(one)
        yield one
    rows = rows_of(spec, place)
    yield from checks_of_rows(rows)
    if rows is None:
        return
    with quiet():
        yield from checks_of_lengths(spec, rows.train, trusted)
        if all(one.state is not State.FAILED for one in of_run[:1]):
            yield check_of_answer(spec, rehearsal.folder, rows.test, trusted)


def _as_json(found: list[Check], kept: Path | None) -> str:
    checks = [{**one.to_dict(), "text": text(one.message)} for one in found]
    return dumped({"ok": kept is None, "checks": checks, "folder": str(kept) if kept else None})
