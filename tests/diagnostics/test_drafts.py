"""Drafts that killed processes leave are removed by the next writer, and those of living ones are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from diagnostics.report.drafts import MACHINE, draft_of, sweep
from diagnostics.report.write import write_text


def dead() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_next_writer_removes_what_a_killed_one_left(tmp_path: Path):
    path = tmp_path / "report [1].html"
    left = tmp_path / f".{path.name}.{MACHINE}-{dead()}.part"
    folder = tmp_path / f".{path.name}.{MACHINE}-{dead()}.part"
    left.write_text("half")
    others = [tmp_path / f".{path.name}.{MACHINE}-{os.getppid()}.part", tmp_path / f".{path.name}.00000000-1.part"]
    for other in others:
        other.write_text("of somebody who still writes, here or on another machine")
    write_text(path, "whole")
    assert not left.exists() and not folder.exists() and all(other.exists() for other in others)
    assert path.read_text() == "whole" and not draft_of(path).exists()


def test_a_folder_that_was_being_written_goes_as_well(tmp_path: Path):
    left = tmp_path / f".model.{MACHINE}-{dead()}.part"
    (left / "inner").mkdir(parents=True)
    sweep(tmp_path / "model")
    assert not left.exists()
