"""Many runs diagnosed by several processes: the same answers in the same order, also after a crash."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Curve, Run
from diagnostics.readers import read
from diagnostics.report.terminal_table import SPARK_WIDTH
from diagnostics.report.write import UnreadRun
from tuner import batch
from tuner.batch import Diagnosed, diagnose_runs
from tuner.cli import main

ROOT = Path(__file__).parents[2]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Thirty runs, the seventh of which cannot be read."""
    for number in range(30):
        losses = [f"{step},{2.0 / (1 + step / (5 + number)) + 0.5:.4f}" for step in range(1, 61)]
        (tmp_path / f"run-{number:02}.csv").write_text("\n".join(["step,train_loss", *losses]))
    (tmp_path / "run-07.csv").write_text("step,train_loss\n")
    return tmp_path


def as_data(items: list[Diagnosed]) -> list[object]:
    return [item if isinstance(item, UnreadRun) else item[1].to_dict() for item in items]


def test_two_processes_answer_as_one_does_and_in_order(runs: Path):
    one, two = (list(diagnose_runs([runs, runs / "none"], workers=workers)) for workers in (1, 2))
    assert as_data(one) == as_data(two)
    assert [number for number, item in enumerate(two) if isinstance(item, UnreadRun)] == [7, 30]
    assert len(two[0][0].curves["train_loss"]) == 60  # type: ignore[index]
    sketched = next(diagnose_runs([runs], workers=2, curves=False))[0]  # type: ignore[index]
    assert [len(curve) <= SPARK_WIDTH for curve in sketched.curves.values()] == [True]


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    steps = "".join(f"{step},{1 / step}\n" for step in range(1, 40))
    for folder in ("a/logs/version_0", "b/logs/version_0", "b/logs/version_1"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "metrics.csv").write_text(f"step,loss\n{steps}")
    main(["diagnose", str(tmp_path), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert [one["run"] for one in found] == ["a/version_0", "b/version_0", "version_1"]
    assert [Path(one["path"]).relative_to(tmp_path).as_posix() for one in found] == [
        f"{folder}/metrics.csv" for folder in ("a/logs/version_0", "b/logs/version_0", "b/logs/version_1")
    ]


def test_few_runs_start_no_process(runs: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batch, "ProcessPoolExecutor", None)
    assert len(list(diagnose_runs([runs]))) == 30


def _diagnosed_or_killed(place: Path | UnreadRun, home: int) -> Diagnosed:
    if os.getpid() != home and isinstance(place, Path) and place.stem == "run-20":
        os.kill(os.getpid(), signal.SIGKILL)
    return batch.diagnosed(place)


@pytest.mark.long
def test_what_a_killed_process_leaves_is_done_by_the_first(runs: Path):
    places = sorted(runs.glob("*.csv"))
    answers = list(batch._in_processes(places, partial(_diagnosed_or_killed, home=os.getpid()), 2))
    assert as_data(answers) == as_data(list(diagnose_runs([runs], workers=1)))


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="looks for the processes in /proc")
def test_an_interrupt_ends_all_processes_and_leaves_no_trace(runs: Path):
    long = runs / "run-99.csv"
    long.write_bytes((runs / "run-00.csv").read_bytes() * 40)
    for number in range(100, 4000):  # many seconds of work: the interrupt must not come when it is done
        (runs / f"run-{number}.csv").hardlink_to(long)
    command = [sys.executable, "-m", "tuner", "diagnose", str(runs), "--json"]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while process.poll() is None and not children.read_text():
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, "", "stopped\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_baseline_is_compared_with_every_run(runs: Path, capsys: pytest.CaptureFixture[str]):
    good = runs / "run-00.csv"
    assert main(["diagnose", "--json", str(good), str(runs / "run-29.csv"), "--baseline", str(good)]) == 0
    first, second = (item["baseline"] for item in json.loads(capsys.readouterr().out))
    assert {answer["verdict"] for answer in first["answers"]} == {"alike"}
    assert [answer["verdict"] for answer in second["answers"]] == ["worse", "worse", "worse"]
    assert second["run"] == read(good).name


def test_a_baseline_that_cannot_be_read_is_one_line(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["diagnose", str(runs / "run-00.csv"), "--baseline", str(runs / "none")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"tuner: {runs / 'none'}: ")
    assert main(["diagnose", str(runs / "run-00.csv"), "--baseline", str(runs)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert " 30 runs" in line


def test_a_run_inside_a_file_is_diagnosed_by_its_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    rows = "\n".join(f"{step},{2 / step:.3f},{3 / step:.3f}" for step in range(1, 41))
    (tmp_path / "export.csv").write_text(f"Step,a - train/loss,b - train/loss\n{rows}\n")
    assert main(["diagnose", "--json", str(tmp_path)]) == 0
    assert [item["run"] for item in json.loads(capsys.readouterr().out)] == ["a", "b"]
    assert main(["diagnose", "--json", f"{tmp_path}/export.csv#b"]) == 0
    assert [item["run"] for item in json.loads(capsys.readouterr().out)] == ["b"]


def test_several_runs_are_counted_at_the_end(runs: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["diagnose", str(runs)]) == 2
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("30 runs: ")
    assert last.endswith(", 1 not read")
    assert sum(int(part.split()[0]) for part in last.removeprefix("30 runs: ").split(", ")) == 30
    assert main(["diagnose", str(runs / "run-00.csv")]) == 0
    assert "runs:" not in capsys.readouterr().out


FORMS = (["--json"], ["--md"], [], ["--verbose"], ["--html"])


def _diagnosed_in(form: list[str], folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, list[str]]:
    """The exit status of ``tuner diagnose``, what it made, and its lines of errors."""
    page = folder / "page.html"
    status = main(["diagnose", str(folder), *form, *([str(page)] if form == ["--html"] else [])])
    out, err = capsys.readouterr()
    return status, page.read_text() if form == ["--html"] else out, err.splitlines()


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("place", ["tuner.batch.read", "tuner.batch.diagnose"])
def test_a_bug_on_one_run_is_one_line_and_the_others_are_diagnosed(
    form: list[str], place: str, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    real = {"tuner.batch.read": batch.read, "tuner.batch.diagnose": batch.diagnose}[place]

    def fails_on_one(what: object, *rest: object) -> object:
        if "run-03" in str(getattr(what, "name", what)):
            raise KeyError("no such\nthing")
        return real(what, *rest)  # type: ignore[operator]

    monkeypatch.setattr(place, fails_on_one)
    status, made, lines = _diagnosed_in(form, runs, capsys)
    assert status == 2
    assert [line for line in lines if "run-03.csv: " in line and "KeyError" in line and "report it" in line]
    assert len(lines) == 2  # and run-07, which is empty
    assert all(f"run-{number:02}" in made for number in range(30) if number not in (3, 7))


@pytest.mark.parametrize(
    ("form", "place"),
    [
        (["--json"], "diagnostics.report.write.with_words"),
        (["--md"], "tuner.commands.diagnose.as_markdown"),
        (["--verbose"], "diagnostics.report.terminal.sections"),
        (["--html"], "diagnostics.report.html.sections"),
    ],
    ids=str,
)
def test_a_bug_in_the_report_on_one_run_is_one_line_and_the_others_are_reported(
    form: list[str], place: str, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    module, _, name = place.rpartition(".")
    real = getattr(sys.modules[module], name)

    def fails_on_one(run: object, *rest: object, **more: object) -> object:
        if "run-03" in (str(getattr(run, "name", "")), str(getattr(run, "run", ""))):
            raise ZeroDivisionError
        return real(run, *rest, **more)

    monkeypatch.setattr(place, fails_on_one)
    status, made, lines = _diagnosed_in(form, runs, capsys)
    assert status == 2
    assert [line for line in lines if "run-03: " in line and "ZeroDivisionError" in line]
    assert all(f"run-{number:02}" in made for number in range(30) if number not in (3, 7))


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs a timer")
@pytest.mark.timeout(0)  # it would keep the timer
def test_a_run_that_takes_too_long_is_one_line_and_the_others_come(runs: Path, monkeypatch: pytest.MonkeyPatch):
    real = batch.read

    def slow(path: Path, tags: object = None) -> Run:
        if path.stem == "run-03":
            time.sleep(20)
        return real(path)

    monkeypatch.setattr(batch, "read", slow)
    monkeypatch.setattr(batch, "MAX_SECONDS", 0.5)
    began = time.monotonic()
    found = list(diagnose_runs([runs], workers=1))
    assert time.monotonic() - began < 15
    assert [number for number, one in enumerate(found) if isinstance(one, UnreadRun)] == [3, 7]
    assert isinstance(found[3], UnreadRun) and "run-03" in found[3].error and "0.5 s" in found[3].error


@pytest.mark.skipif(os.name != "posix", reason="other systems keep rights differently")
def test_what_may_not_be_opened_is_named_beside_the_runs(
    runs: Path, cannot_open: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
):
    (runs / "closed").mkdir()
    cannot_open(runs / "closed")
    status, made, lines = _diagnosed_in(["--json"], runs, capsys)
    assert status == 2
    assert f"tuner: {runs / 'closed'}: cannot be opened: permission denied" in lines
    assert len(json.loads(made)) == 31
    assert main(["diagnose", str(runs / "closed")]) == 2
    assert "permission denied" in capsys.readouterr().err


def test_json_keeps_only_the_text_of_each_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """So that ten thousand runs fit."""
    alive: list[weakref.ref[object]] = []
    most = 0

    def answers(*_: object, **__: object) -> Iterator[object]:
        nonlocal most
        for number in range(50):
            run = Run(f"run-{number}", {"train_loss": Curve.from_points(range(30), range(30))})
            pair = run, diagnose(run)
            alive.extend((weakref.ref(pair[0]), weakref.ref(pair[1])))
            yield pair
            del run, pair
            most = max(most, sum(one() is not None for one in alive))

    monkeypatch.setattr(batch, "places", lambda *_: [Path(f"run-{number}") for number in range(50)])
    monkeypatch.setattr(batch, "diagnose_places", answers)
    main(["diagnose", "somewhere", "--json"])
    assert [item["run"] for item in json.loads(capsys.readouterr().out)] == [f"run-{number}" for number in range(50)]
    assert most <= 4


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
@pytest.mark.parametrize("form", [[], ["--json"], ["--md"], ["--html", "page\udcff.html"]], ids=str)
def test_names_that_are_not_utf_8_are_printed_by_every_command(form: list[str], tmp_path: Path):
    folder = os.fsencode(tmp_path) + b"/r\xff"
    os.mkdir(folder)
    for name in (b"a\xfe.csv", b"b\xfe.csv"):
        losses = "".join(f"{step},{2 / step}\n" for step in range(1, 40)) if name < b"b" else ""
        Path(os.fsdecode(folder + b"/" + name)).write_text(f"step,loss\n{losses}")
    command = [sys.executable, "-m", "tuner", "diagnose", folder, *map(os.fsencode, form)]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8:strict", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, env=environment, check=False)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert done.stderr.count(b"\n") == 1
    assert done.stdout.decode()
