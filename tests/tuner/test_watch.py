from __future__ import annotations

from pathlib import Path

import pytest

from diagnostics.readers import UnreadableLog
from tuner.watch import watch


def write(path: Path, losses: list[float]) -> None:
    rows = [f"{step},{loss}" for step, loss in enumerate(losses, 1)]
    path.write_text("\n".join(["step,train_loss", *rows]) + "\n")


def test_a_finding_is_said_once_when_it_appears(tmp_path: Path):
    log = tmp_path / "run.csv"
    falling = [2.0 * 0.97**k + 0.5 for k in range(80)]
    write(log, falling)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "verdict: healthy" in line:  # the run goes on while it is watched
            write(log, [*falling, float("nan")])

    watch(tmp_path, every=0.01, rounds=4, say=say)
    assert [line for line in said if "verdict:" in line] == [
        "run step 80: verdict: healthy",
        "run step 81: verdict: unstable (was healthy)",
    ]
    assert sum("unstable: " in line for line in said) == 1


def test_an_unreadable_file_is_said_and_the_watch_goes_on(tmp_path: Path):
    (tmp_path / "bad.csv").write_bytes(b"step,train_loss\n\x00\xff\xfe,\x00\n")
    write(tmp_path / "good.csv", [2.0 * 0.97**k + 0.5 for k in range(80)])
    said: list[str] = []
    watch(tmp_path, every=0.01, rounds=2, say=said.append)
    assert sum(line.startswith("good step 80") for line in said) == 1


def test_a_missing_path_is_told(tmp_path: Path):
    with pytest.raises(UnreadableLog, match="no such file or folder"):
        watch(tmp_path / "none", rounds=1)
