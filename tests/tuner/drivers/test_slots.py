"""GPUs shared out to workers: made-up numbers, real processes and real locks."""

from __future__ import annotations

import itertools
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from diagnostics.errors import BadInput
from tests.tuner.drivers.script import ROOT, file, left, spec
from tests.waiting import until
from tuner.config.slots import groups, with_slots
from tuner.drivers import slots
from tuner.drivers.drive import drive

HOLD = """
import sys
from pathlib import Path
from tuner.config.study_file import load_spec
from tuner.drivers.drive import drive
from tuner.drivers.slots import try_take
assert try_take(("7",), 1)
drive(load_spec(Path(sys.argv[1])), {}, Path(sys.argv[2]))
"""


@pytest.fixture(autouse=True)
def apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Locks of these tests alone, for those that they start as well."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)


@pytest.mark.parametrize(
    ("gpus", "each", "shared", "wanted"),
    [
        ("0,1,2,3", 2, 1, [("0", "1"), ("2", "3")]),
        ("0, 1", 1, 2, [("0",), ("1",), ("0",), ("1",)]),
        ("0,1,2", 2, 1, [("0", "1")]),
    ],
)
def test_gpus_make_slots_and_each_slot_a_worker(
    tmp_path: Path, gpus: str, each: int, shared: int, wanted: list[tuple[str, ...]]
):
    study = spec(tmp_path, {"gpus": gpus.split(","), "gpus_per_trial": each, "slots_per_gpu": shared})
    shared_out = with_slots(replace(study, study=replace(study.study, gpus=gpus)), None).study
    assert groups(shared_out) == wanted and shared_out.workers == len(wanted)


@pytest.mark.parametrize(
    ("gpus", "each", "workers", "named"),
    [
        ("0", 2, None, "fewer than gpus_per_trial 2"),
        ("0,0", 1, None, "names one twice"),
        ("0,1", 1, 3, "3 workers, but 2 slots"),
        ("0,1", 0, None, "gpus_per_trial must be 1 or more"),
    ],
)
def test_gpus_that_cannot_be_shared_out_are_refused(
    tmp_path: Path, gpus: str, each: int, workers: int | None, named: str
):
    study = spec(tmp_path)
    block = replace(study.study, gpus=tuple(gpus.split(",")), gpus_per_trial=each)
    with pytest.raises(BadInput, match=named):
        with_slots(replace(study, study=block), workers)


def test_a_place_is_taken_once_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    first = slots.try_take(("0", "1"), 1)
    assert first is not None and os.environ["CUDA_VISIBLE_DEVICES"] == "0,1"
    try:
        assert slots.try_take(("1",), 1) is None
    finally:
        slots.release()
    assert slots.try_take(("1",), 1) is not None
    slots.release()


def test_a_slot_is_free_only_when_nothing_of_its_trial_is_left(tmp_path: Path):
    path, out = file(tmp_path, steps=5000, pause=0.02, workers=1), tmp_path / "trial-000"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    worker = subprocess.Popen([sys.executable, "-c", HOLD, str(path), str(out)], env=environment)
    until(lambda: len(left(out)) == 3, "the keeper, the script and its data loader")
    (keeper,) = (one for one in left(out) if b"keeper.py" in Path(f"/proc/{one}/cmdline").read_bytes())
    os.kill(keeper, signal.SIGSTOP)  # it has no time to clean up yet
    worker.kill()
    worker.wait()
    assert slots.try_take(("7",), 1) is None and len(left(out)) == 3
    os.kill(keeper, signal.SIGCONT)
    until(lambda: slots.try_take(("7",), 1) is not None, "the slot")
    slots.release()
    assert [one for one in left(out) if one != keeper] == []


def test_a_run_sees_the_devices_of_its_slot_alone(tmp_path: Path):
    drive(spec(tmp_path, steps=5), {}, tmp_path / "trial-000", slot=slots.Slot(("2", "3")))
    assert "sees 2,3 from" in (tmp_path / "trial-000" / "output.log").read_text()


@pytest.mark.long
def test_no_two_trials_are_on_a_gpu_at_once(tmp_path: Path):
    path, out = file(tmp_path, {"trials": 5, "seeds": 0, "stop_early": False}, pause=0.05), tmp_path / "out"
    words = ["--gpus", "0,1,2,3", "--gpus-per-trial", "2", "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ended = subprocess.run(
        [sys.executable, "-m", "tuner", "study", str(path), *words], env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    runs = []
    for printed in sorted(out.glob("trial-*/output.log")):
        text = printed.read_text()
        seen = re.search(r"sees (\S+) from (\S+)", text)
        until_when = re.search(r"ended (\S+)", text)
        assert seen
        # A run that is stopped does not print its end; its log ends then.
        runs.append((seen[1], float(seen[2]), float(until_when[1]) if until_when else printed.stat().st_mtime))
    assert len(runs) == 5 and {devices for devices, _, _ in runs} == {"0,1", "2,3"}
    for (one, _, ended_at), (other, later, _) in itertools.combinations(sorted(runs, key=lambda run: run[1]), 2):
        assert one != other or later >= ended_at
