from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tuner.cli import main

ROOT = Path(__file__).parents[2]
COMMANDS = ("train", "study", "diagnose", "watch", "inspect", "rules", "init", "merge")


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
        (["study", "a.yaml", "--trials", "0"], "argument --trials: '0': give a whole number of 1 or more"),
        (["study", "a.yaml", "--minutes", "soon"], "argument --minutes: 'soon' is no number of minutes above 0"),
        (["study"], "the following arguments are required: file"),
        (["stduy", "a.yaml"], "invalid choice: 'stduy'"),
    ],
)
def test_a_wrong_word_on_the_command_line_is_one_line(words: list[str], named: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(words)
    said = capsys.readouterr().err
    assert end.value.code == 2
    assert named in said and said.count("\n") == 1 and said.endswith(" --help\n")


def test_the_help_names_every_command(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(f"    {command} " in shown for command in COMMANDS)


def test_the_readme_documents_every_command():
    readme = (ROOT / "README.md").read_text("utf-8")
    assert [command for command in COMMANDS if f"tuner {command}" not in readme] == []


def test_the_help_is_light():
    bare = min(_seconds("-c", "pass") for _ in range(5))
    helped = min(_seconds("-m", "tuner", "--help") for _ in range(5))
    assert helped - bare < 0.1


def _seconds(*args: str) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, *args], capture_output=True, check=True, cwd=ROOT)
    return time.perf_counter() - began


def test_diagnose_prints_the_documented_json(broken_by_nan: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["diagnose", "--json", str(broken_by_nan)]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    expected = {"run", "label", "cause", "confidence", "best_step", "findings", "advice", "skipped", "notes"}
    assert set(run) == expected
    assert run["label"] == "unstable"
    assert {"rule", "label", "first_step", "last_step", "measured", "message"} <= set(run["findings"][0])


def test_an_unreadable_path_is_one_object_and_the_others_still_come(
    healthy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    missing = tmp_path / "no-such-run"
    assert main(["diagnose", "--json", str(missing), str(healthy)]) == 2
    out = capsys.readouterr()
    first, second = sorted(json.loads(out.out), key=lambda entry: "label" in entry)
    assert set(first) == {"run", "error"}
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
def test_bad_input_is_told_without_a_traceback_and_exits_with_two(args: list[str]):
    done = tuner(*args)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()


def test_a_wrong_rule_name_offers_the_nearest():
    assert "did you mean eval-loss-rises?" in tuner("rules", "eval-loss-rise").stderr


def test_rules_lists_and_explains():
    table = tuner("rules").stdout
    assert "eval-loss-rises" in table
    one = tuner("rules", "eval-loss-rises").stdout
    assert "overfit" in one
    assert len(one.splitlines()) > 8


def test_init_writes_a_study_that_loads_and_never_overwrites(tmp_path: Path):
    from tuner.spec import load_spec

    for method in ("sft", "dpo"):
        assert tuner("init", method, cwd=tmp_path).returncode == 0
        assert load_spec(tmp_path / f"{method}.yaml").method == method
    again = tuner("init", "sft", cwd=tmp_path)
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--minutes", "0"], "'0' is no number of minutes above 0"),
        (["--minutes", "soon"], "'soon' is no number of minutes above 0"),
        (["--steps", "1.5"], "'1.5': give a whole number of 1 or more"),
        (["--trials", "0"], "'0': give a whole number of 1 or more"),
    ],
)
def test_a_budget_that_is_none_is_refused(arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["study", "x.yaml", *arguments])
    assert end.value.code == 2
    assert line in capsys.readouterr().err


@pytest.mark.parametrize(("room", "status"), [(4, 0), (0, 2)])
def test_train_goes_on_with_fewer_rows_where_memory_runs_out(
    room: int, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    from diagnostics.curves import Run

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
    assert "out of memory with 16 rows on the device; again with 8 rows on the device" in seen.out
    assert ("lower max_length" in seen.err) == (status == 2)
