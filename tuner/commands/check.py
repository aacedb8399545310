"""``tuner check``: whether the study of a file would work, found out by a short run that is started twice."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from diagnostics.report.write import dumped
from tuner.commands.loading import load_study_file
from tuner.config.driven_file import check_program
from tuner.drivers.own_trainer import as_driven
from tuner.drivers.rehearsal import Rehearsal
from tuner.messages import text
from tuner.messages.en import CHECK_STATES
from tuner.study.checks.of_run import checks_of_run
from tuner.study.checks.record import Check, State
from tuner.study.checks.rows import checks_of_rows


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
        for one in (*checks_of_run(Rehearsal(driven, place / "trial-000", 60 * minutes)), *checks_of_rows(spec, place)):
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


def _as_json(found: list[Check], kept: Path | None) -> str:
    checks = [{**one.to_dict(), "text": text(one.message)} for one in found]
    return dumped({"ok": kept is None, "checks": checks, "folder": str(kept) if kept else None})
