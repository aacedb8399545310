from __future__ import annotations

import errno
import json
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from diagnostics.errors import BadInput
from diagnostics.formatting import SIGNS
from diagnostics.messages import phrase
from diagnostics.model.label import Label
from diagnostics.rules import RULES, Rule
from tuner import __version__
from tuner.cli import main
from tuner.commands.init import STARTS, init
from tuner.errors import STOPPED

ROOT = Path(__file__).parents[2]
COMMANDS = ("train", "study", "diagnose", "watch", "inspect", "rules", "demo", "init", "card", "merge")


def tuner(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tuner", *args], capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    return _log(tmp_path / "healthy.csv", [2.0 * 0.97**k + 0.5 + 0.01 * (-1) ** k for k in range(100)])


@pytest.fixture
def broken_by_nan(tmp_path: Path) -> Path:
    return _log(tmp_path / "nan.csv", [2.0 - 0.01 * k for k in range(60)] + [float("nan")] * 5)


def _log(path: Path, losses: list[float]) -> Path:
    rows = [f"{step},{loss}" for step, loss in enumerate(losses, 1)]
    path.write_text("\n".join(["step,train_loss", *rows]) + "\n")
    return path


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


def test_train_goes_beside_the_study_of_the_same_file_and_not_into_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from tuner.commands.train import run_folder
    from tuner.config.study_file import load_spec

    monkeypatch.chdir(tmp_path)
    assert main(["init", "sft"]) == 0
    (tmp_path / "trial-007").mkdir()
    (tmp_path / "trial-007" / "config.yaml").write_text((tmp_path / "sft.yaml").read_text())
    assert run_folder(load_spec(Path("sft.yaml"))) == Path("runs/sft-train")
    assert run_folder(load_spec(Path("trial-007/config.yaml"))) == Path("runs/trial-007-train")
    (tmp_path / "runs" / "sft").mkdir(parents=True)
    (tmp_path / "runs" / "sft" / "study.db").touch()
    capsys.readouterr()
    assert main(["train", "sft.yaml", "--out", "runs/sft"]) == 2
    assert capsys.readouterr().err.startswith("tuner: runs/sft: ")


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


def test_diagnose_prints_the_documented_json(broken_by_nan: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["diagnose", "--json", str(broken_by_nan)]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    expected = {"run", "path", "label", "cause", "confidence", "best_step", "findings", "advice", "skipped", "notes"}
    assert set(run) - {"rate"} == expected  # the rate is there where it could be estimated
    assert run["label"] == "unstable"
    assert {"rule", "label", "first_step", "last_step", "measured", "message"} <= set(run["findings"][0])


def test_an_unreadable_path_is_one_object_and_the_others_still_come(
    healthy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    missing = tmp_path / "no-such-run"
    assert main(["diagnose", "--json", str(missing), str(healthy)]) == 2
    out = capsys.readouterr()
    first, second = sorted(json.loads(out.out), key=lambda entry: "label" in entry)
    assert set(first) == {"run", "path", "error"}
    assert first["run"] == str(missing)
    assert second["label"] == "healthy"
    assert out.err.count("\n") == 1
    assert "no-such-run" in out.err


def test_fail_on_is_one_only_when_its_label_was_found(healthy: Path, broken_by_nan: Path):
    assert main(["diagnose", str(healthy), "--fail-on", "unstable,overfit"]) == 0
    assert main(["diagnose", str(healthy), str(broken_by_nan), "--fail-on", "unstable,overfit"]) == 1


def test_html_is_written_as_one_file(healthy: Path, tmp_path: Path):
    page = tmp_path / "report.html"
    assert main(["diagnose", str(healthy), "--html", str(page)]) == 0
    assert page.read_text().lstrip().lower().startswith("<!doctype html>")


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


def test_a_wrong_rule_name_offers_the_nearest():
    assert "eval-loss-rises?" in tuner("rules", "eval-loss-rise").stderr
    assert "overfit?" in tuner("rules", "overfitt").stderr


def test_rules_are_listed_by_label_with_those_that_are_only_noted_marked(capsys: pytest.CaptureFixture[str]):
    assert main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split()[1] for line in lines if line[:1] in SIGNS.values()]
    assert heads == list(dict.fromkeys(str(rule.label) for rule in RULES))
    noted = {line.split()[0] for line in lines if f"({phrase('noted')})" in line}
    assert noted == {rule.name for rule in RULES if not rule.sets_label}


@pytest.mark.parametrize("label", list(dict.fromkeys(rule.label for rule in RULES)))
def test_the_rules_of_a_label_are_listed_by_its_name(label: Label, capsys: pytest.CaptureFixture[str]):
    assert main(["rules", str(label)]) == 0
    words = capsys.readouterr().out.split()
    assert {name for name in words if name in {rule.name for rule in RULES}} == {
        rule.name for rule in RULES if rule.label is label
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_explained_in_lines_that_break_at_words(rule: Rule, capsys: pytest.CaptureFixture[str]):
    assert main(["rules", rule.name]) == 0
    text = capsys.readouterr().out
    assert text.split() == rule.explain().split()
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(bool(re.fullmatch(r"(Limits)? +\w+ = \S+", line)) for line in lines) == len(rule.limits)


def test_a_rule_is_found_by_its_old_name(capsys: pytest.CaptureFixture[str]):
    assert main(["rules", "loss-thrown-up"]) == 0
    assert capsys.readouterr().out.startswith("loss-overshoots")


def test_the_demo_diagnoses_three_faults_and_writes_its_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    monkeypatch.setenv("DISPLAY", ":0")
    assert main(["demo", "--out", str(tmp_path), "--no-browser"]) == 0
    labels = [line.split()[1] for line in capsys.readouterr().out.splitlines() if line[:1] in SIGNS.values()]
    assert labels == ["overfit", "unstable", "underfit"]
    assert opened == []
    assert main(["demo", "--out", str(tmp_path)]) == 0
    assert opened == [(tmp_path / "report.html").as_uri()]
    capsys.readouterr()
    assert main(["diagnose", str(tmp_path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert sorted(run["label"] for run in found) == sorted(labels)


def test_init_writes_a_study_that_loads_and_never_overwrites(tmp_path: Path):
    from tuner.config.methods import TRL_METHODS
    from tuner.config.study_file import load_spec

    assert tuple(STARTS) == tuple(TRL_METHODS)
    (tmp_path / "runs" / "teacher-train" / "model").mkdir(parents=True)
    for method in STARTS:
        assert init(method, tmp_path) == 0
        assert load_spec(tmp_path / f"{method}.yaml").method == method
    (tmp_path / "order_rewards.py").write_text("# mine")
    (tmp_path / "rloo.yaml").unlink()
    with pytest.raises(BadInput, match=r"order_rewards\.py: already exists"):
        init("rloo", tmp_path)
    again = tuner("init", "sft", cwd=tmp_path)
    assert again.returncode == 2
    assert again.stderr.startswith("tuner: sft.yaml: ")


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


@pytest.mark.parametrize(("room", "status"), [(4, 0), (0, 2)])
def test_train_continues_with_fewer_rows_when_memory_runs_out(
    room: int, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from diagnostics.model.curves import Run

    tried: list[int] = []

    def cramped(spec, moves, out, report, *, say):
        tried.append(moves.get("device_batch_limit", 16))
        if tried[-1] > room:
            raise MemoryError
        return Run.from_points("run", {"train_loss": [(step, 2 - step / 100) for step in range(50)]})

    monkeypatch.setattr("tuner.training.train.train", cramped)
    (tmp_path / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    path = tmp_path / "x.yaml"
    batch = "per_device_train_batch_size: 16\nper_device_eval_batch_size: 16\n"
    path.write_text(f"method: sft\nmodel_name_or_path: tuner/tiny\ndataset_name: rows.jsonl\n{batch}")
    assert main(["train", str(path), "--out", str(tmp_path / "out")]) == status
    seen = capsys.readouterr()
    assert tried == ([16, 8, 4] if room else [16, 8, 4, 2, 1])
    assert "out of memory with 16 rows on the device; retrying with 8 rows on the device" in seen.out
    assert ("lower max_length" in seen.err) == (status == 2)
