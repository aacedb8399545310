"""What ``tuner diagnose`` prints for people: a few runs one by one, many as a table, and logs from standard input."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from diagnostics.model.records import Label
from tuner.cli import main

ROOT = Path(__file__).parents[2]


def write(path: Path, losses: list[float]) -> Path:
    rows = [f"{step},{loss}" for step, loss in enumerate(losses, 1)]
    path.write_text("\n".join(["step,train_loss", *rows]) + "\n")
    return path


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """135 logs, every fifth of which diverges."""
    for number in range(135):
        rate = 1.05 if number % 5 == 0 else 0.97
        write(tmp_path / f"run-{number:03}.csv", [0.5 + 1.5 * rate**k + 0.01 * (-1) ** k for k in range(80)])
    return tmp_path


def test_a_folder_of_many_runs_is_a_line_a_run_worst_first(logs: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["diagnose", str(logs)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= 135 + 3
    labels = [Label(line.split()[1]) for line in lines[1:136]]
    assert labels == sorted(labels, key=list(Label).index)
    assert labels.count(Label.UNSTABLE) == 27
    assert all("run-" in line and str(logs) not in line for line in lines[1:136])
    assert lines[-1].startswith("135 runs: 27 unstable")


@pytest.mark.long
@pytest.mark.parametrize("count", [1, 3, 4, 135])
def test_piped_output_has_no_color_no_curve_and_no_spaces_at_the_ends(
    count: int, logs: Path, capsys: pytest.CaptureFixture[str]
):
    main(["diagnose", *(str(path) for path in sorted(logs.iterdir())[:count])])
    text = capsys.readouterr().out
    assert "\x1b" not in text and not any("\u2800" <= sign <= "\u28ff" for sign in text)
    lines = text.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []
    assert max(map(len, lines)) <= 80


def test_details_of_many_runs_come_on_demand_before_the_table(logs: Path, capsys: pytest.CaptureFixture[str]):
    some = [str(path) for path in sorted(logs.iterdir())[:5]]
    main(["diagnose", *some])
    brief = capsys.readouterr().out
    main(["diagnose", *some, "--verbose"])
    full = capsys.readouterr().out
    assert len(full) > 3 * len(brief)
    assert full.endswith(brief)


@pytest.mark.parametrize(
    "lines",
    [
        ["step,train_loss", *(f"{step},{2 - step / 100}" for step in range(1, 81))],
        [f"{{'loss': {2 - step / 100}, 'epoch': {step / 80}}}" for step in range(1, 81)],
        [f'{{"step": {step}, "loss": {2 - step / 100}}}' for step in range(1, 81)],
        [f"epoch 1 | step {step} | train loss: {2 - step / 100:.3f}" for step in range(1, 81)],
    ],
    ids=["csv", "printed by transformers", "json lines", "text"],
)
def test_a_log_on_standard_input_is_read(
    lines: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    assert main(["diagnose", "-"]) == 0
    assert "standard-input" in capsys.readouterr().out.splitlines()[0]


@pytest.mark.parametrize("content", ["", " \n", "hello\n"])
def test_standard_input_without_a_log_is_one_line(
    content: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(sys, "stdin", io.StringIO(content))
    assert main(["diagnose", "-"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("tuner: -: ") and said.err.count("\n") == 1 and not said.out


def handed_over(content: str) -> str:
    """The path that a shell hands over for ``<(command)`` whose output is ``content``."""
    reading, writing = os.pipe()
    os.write(writing, content.encode())
    os.close(writing)
    return f"/dev/fd/{reading}"


def test_what_a_command_prints_is_read_where_a_shell_hands_it_over(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    lines = ["step,train_loss", *(f"{step},{2 - step / 100}" for step in range(1, 61))]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(lines)))
    first, second = handed_over("\n".join(lines)), handed_over("\n".join(lines[:40]))
    assert main(["diagnose", "--json", first, second, "/dev/stdin", "/dev/stdin"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [run["path"] for run in found] == [first, second, "/dev/stdin", "/dev/stdin"]
    for descriptor in map(Path, (first, second)):
        os.close(int(descriptor.name))
    empty = handed_over("")
    assert main(["diagnose", empty]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"tuner: {empty}: ") and said.count("\n") == 1
    os.close(int(Path(empty).name))


@pytest.mark.parametrize("words", [["diagnose", ""], ["init", "sft", "--out", ""], ["train", ""]])
def test_an_empty_argument_is_no_path(words: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2 and capsys.readouterr().err.count("\n") == 1


def test_a_page_has_a_name_unless_one_is_given_and_its_link_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    log = write(tmp_path / "run.csv", [2 - k / 100 for k in range(60)])
    monkeypatch.chdir(tmp_path)
    assert main(["diagnose", str(log), "--html"]) == 0
    assert (tmp_path / "diagnosis.html").exists()
    assert (tmp_path / "diagnosis.html").as_uri() in capsys.readouterr().out


def in_terminal(*args: str, **environment: str) -> str:
    """What the command shows in a terminal of 80 columns, without carriage returns."""
    main_end, its_end = pty.openpty()
    command = [sys.executable, "-m", "tuner", *args]
    env = {**os.environ, "COLUMNS": "80", "LINES": "24", "TERM": "xterm-256color", **environment}
    with subprocess.Popen(command, stdout=its_end, stderr=its_end, cwd=ROOT, env=env) as process:
        os.close(its_end)
        seen = b""
        while chunk := _read(main_end):
            seen += chunk
    os.close(main_end)
    assert process.returncode == 0
    return seen.decode().replace("\r", "")


def _read(end: int) -> bytes:
    try:
        return os.read(end, 65536)
    except OSError:  # the other end was closed
        return b""


def test_a_terminal_gets_the_curve_and_color(tmp_path: Path):
    log = write(tmp_path / "run.csv", [2 * 0.97**k for k in range(80)])
    text = in_terminal("diagnose", str(log))
    assert "\x1b[" in text and any("\u2800" < sign <= "\u28ff" for sign in text)


@pytest.mark.parametrize(
    ("environment", "is_ascii"),
    [({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False), ({"PYTHONIOENCODING": "ascii"}, True)],
    ids=str,
)
def test_a_poor_terminal_gets_what_it_can_show(environment: dict[str, str], is_ascii: bool, tmp_path: Path):
    log = write(tmp_path / "run.csv", [0.5 + 1.5 * 1.05**k for k in range(80)])
    text = in_terminal("diagnose", str(log), **environment)
    assert "unstable" in text and text.isascii() == is_ascii
    if "PYTHONIOENCODING" not in environment:
        assert "\x1b[3" not in text
