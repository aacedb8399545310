from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from tests.tuner.cli.command import COMMANDS, ROOT
from tuner import __version__
from tuner.cli import main


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0
    assert "usage: tuner " + command in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["study", "a.yaml", "--trials", "0"], "argument --trials: "),
        (["study", "a.yaml", "--minutes", "soon"], "argument --minutes: "),
        (["study"], "the following arguments are required: FILE"),
        (["stduy", "a.yaml"], "invalid choice: 'stduy'; did you mean study?"),
        (["diagnos", "a.csv"], "invalid choice: 'diagnos'; did you mean diagnose?"),
        (["."], "did you mean `tuner diagnose .`?"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_one_line(words: list[str], named: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(words)
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert named in said and said.count("\n") == 1 and said.endswith(" --help\n")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out == f"tuner {__version__}\n"


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"    {command} " in shown for command in COMMANDS)


def test_the_readme_documents_every_command():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [command for command in COMMANDS if f"tuner {command}" not in readme] == []


def test_the_help_is_light():
    helped = min(_work("-m", "tuner", "--help") for _ in range(5))
    library = min(_work("-c", "import numpy") for _ in range(5))  # a measure that is as fast as the machine
    assert helped < library


def _work(*args: str) -> float:
    """Seconds of the processor that Python needs for these words."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *args], capture_output=True, check=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--minutes", "0"),
        ("--minutes", "soon"),
        ("--steps", "1.5"),
        ("--trials", "0"),
        ("--workers", "0"),
    ],
)
def test_a_budget_that_is_not_positive_is_refused(option: str, value: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["study", "x.yaml", option, value])
    assert end.value.code == 2
    said = capsys.readouterr().err
    assert f"argument {option}: " in said and repr(value) in said


def test_more_workers_than_the_cores_can_serve_are_refused(capsys: pytest.CaptureFixture[str]):
    assert main(["study", "x.yaml", "--workers", "100000"]) == 2
    assert "--workers must be at most " in capsys.readouterr().err
