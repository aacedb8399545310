from __future__ import annotations

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tuner.cli.command import ROOT, tuner
from tuner.cli import main
from tuner.errors import STOPPED


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["init", "sft", "--out", "here/healthy.csv"], "here/healthy.csv: "),
        (["study", "here"], "here: "),
        (["study", "here/latin.yaml"], "here/latin.yaml: line 2: "),
        (["train", "here/gone.yaml"], "here/gone.yaml: "),
        (["diagnose", "here/healthy.csv", "--html", "/proc/x.html"], "--html /proc/x.html: "),
        (["diagnose", "here/healthy.csv", "--tag", "loss=a", "--tag", "loss=b"], "--tag loss "),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_what_cannot_be_used_is_one_line_that_says_what_to_do(
    words: list[str],
    named: str,
    healthy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    (tmp_path / "latin.yaml").write_bytes("method: sft\n# Größe\n".encode("latin-1"))
    (tmp_path / "here").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    said = capsys.readouterr()
    assert named in said.err and said.err.count("\n") == 1 and not said.out


def test_what_the_machine_refuses_is_not_a_bug(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", "runs/a/report.md")

    monkeypatch.setattr("tuner.commands.rules.rules", full)
    assert main(["rules"]) == 3
    said = capsys.readouterr().err
    assert said.startswith("tuner: runs/a/report.md: no space left on device; ") and said.count("\n") == 1


@pytest.mark.parametrize(
    "args",
    [
        ["diagnose", "no/such/path"],
        ["diagnose", "--fail-on", "bad", "x"],
        ["diagnose", "--tag", "loss", "x"],
        ["rules", "eval-loss-rise"],
        ["study", "no-such-file.yaml"],
        ["train", "no-such-file.yaml"],
        ["study", "studies/sft.yaml", "--trials", "0"],
        ["watch", "no/such/path"],
        ["inspect", "no/such/path"],
        ["merge", "no/such/run", "out"],
        ["init", "ppo"],
        ["frobnicate"],
    ],
    ids=" ".join,
)
def test_bad_input_prints_no_traceback_and_exits_with_two(args: list[str]):
    done = tuner(*args)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_run_that_cannot_begin_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.jsonl").write_text('{"foo": 1}\n' * 9)
    (tmp_path / "x.yaml").write_text("method: sft\nmodel_name_or_path: tuner/tiny\ndataset_name: rows.jsonl\n")
    (tmp_path / "mine").mkdir()
    for more in ([], ["--out", "mine"]):
        assert main(["train", "x.yaml", *more]) == 2
        assert "rows.jsonl: its columns foo " in capsys.readouterr().err
    assert not (tmp_path / "runs" / "x-train").exists() and (tmp_path / "mine").is_dir()


@pytest.mark.parametrize("module", ["tuner.commands.study", "torch", "trl"])
def test_an_interrupt_ends_a_study_that_is_still_being_read(module: str, tmp_path: Path):
    tuner("init", "sft", cwd=tmp_path)
    watched = f"""
import os, signal, sys
class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupt())
from tuner.cli import main
sys.exit(main(["study", "sft.yaml"]))
"""
    done = subprocess.run([sys.executable, "-c", watched], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == f"{STOPPED}\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "sft.yaml"]


def test_ctrl_c_while_the_command_is_imported_is_no_traceback():
    early = (
        "import sys\n"
        "class Early:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'tuner.cli':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Early())\n"
        "from tuner.__main__ import run\n"
        "sys.exit(run())\n"
    )
    done = subprocess.run([sys.executable, "-c", early], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "stopped\n")
