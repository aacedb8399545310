from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from diagnostics.messages import live_line
from diagnostics.model.live import VerdictChanged
from diagnostics.model.records import Label
from diagnostics.readers import read
from tests.diagnostics.readers.records import event, simple
from tuner.commands.watch import IDLE_SECONDS, watch

HEALTHY = f"run step 80: {live_line(VerdictChanged(Label.HEALTHY, None, over=False))}"


def write(path: Path, losses: list[float]) -> None:
    rows = [f"{step},{loss}" for step, loss in enumerate(losses, 1)]
    path.write_text("\n".join(["step,train_loss", *rows]) + "\n")


def test_a_finding_is_reported_once_when_it_appears(tmp_path: Path):
    log = tmp_path / "run.csv"
    falling = [2.0 * 0.97**k + 0.5 for k in range(80)]
    write(log, falling)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if line == HEALTHY:  # the run continues while it is watched
            write(log, [*falling, float("nan")])

    watch(tmp_path, every=0.01, rounds=4, say=say, share=1.0)
    changed = f"run step 81: {live_line(VerdictChanged(Label.UNSTABLE, Label.HEALTHY, over=False))}"
    assert said[1:3] == [HEALTHY, changed]
    assert [line for line in said[3:] if "loss-not-finite" in line] == said[3:4]


def test_in_a_terminal_the_lines_of_a_run_stand_below_its_name_and_break_at_words(tmp_path: Path):
    for name in ("one", "two"):
        write(tmp_path / f"{name}.csv", [2.0 * 0.97**k + 0.5 for k in range(80)] + [float("nan")])
    wide: list[str] = []
    narrow: list[str] = []
    watch(tmp_path, rounds=1, say=wide.append, share=1.0)
    watch(tmp_path, rounds=1, say=narrow.append, share=1.0, width=40)
    heads = [line for line in narrow[1:] if not line.startswith("  ")]
    assert heads == ["one step 81", "two step 81"]
    assert max(map(len, narrow[1:])) <= 40 and len(narrow) > len(wide)
    words = " ".join(line.removeprefix("one step 81: ").removeprefix("two step 81: ") for line in wide[1:]).split()
    assert " ".join(line for line in narrow[1:] if line not in heads).split() == words


def test_an_unfinished_run_is_not_called_underfit_and_a_finished_one_is(tmp_path: Path):
    slow = [2.0 - 0.0005 * k for k in range(80)]
    write(tmp_path / "running.csv", slow)
    write(tmp_path / "done.csv", slow)
    long_ago = time.time() - 2 * IDLE_SECONDS
    os.utime(tmp_path / "done.csv", (long_ago, long_ago))
    said: list[str] = []
    watch(tmp_path, every=0.01, rounds=3, say=said.append, share=1.0)
    assert f"done step 80: {live_line(VerdictChanged(Label.UNDERFIT, None, over=True))}" in said
    assert [line for line in said if line.startswith("running")] == [HEALTHY.replace("run ", "running ", 1)]


def test_a_log_that_is_slow_to_read_is_read_less_often(tmp_path: Path, monkeypatch):
    """The file changes all the time; it is read again when the last reading is paid off."""
    log, reads = tmp_path / "run.csv", []
    falling = [2.0 * 0.9995**k + 0.5 for k in range(4000)]
    write(log, falling)

    def counted(path, tags):
        reads.append(time.perf_counter())
        write(log, [*falling, 0.5 + 0.001 * len(reads)])
        return read(path, tags)

    monkeypatch.setattr("tuner.commands.watch.read", counted)
    watch(log, every=0.01, rounds=30, say=lambda line: None, share=0.02)
    assert len(reads) < 10
    reads.clear()
    watch(log, every=0.01, rounds=30, say=lambda line: None, share=1.0)
    assert len(reads) == 30


def test_an_unreadable_file_is_reported_and_the_watch_continues(tmp_path: Path):
    (tmp_path / "bad.csv").write_bytes(b"step,train_loss\n\x00\xff\xfe,\x00\n")
    write(tmp_path / "good.csv", [2.0 * 0.97**k + 0.5 for k in range(80)])
    said: list[str] = []
    watch(tmp_path, every=0.01, rounds=2, say=said.append)
    assert sum(line.startswith("good step 80") for line in said) == 1


def test_a_folder_that_is_not_there_yet_is_waited_for_and_transformers_own_layout_read(tmp_path: Path):
    out = tmp_path / "out"
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if len(said) == 2:  # the training begins while it is waited for
            dated = out / "runs" / "Aug22_10-10-10_host"
            dated.mkdir(parents=True)
            losses = [event(step, simple("train/loss", 2.0 * 0.97**step + 0.5)) for step in range(1, 81)]
            (dated / "events.out.tfevents.1.host").write_bytes(b"".join(losses))

    watch(out, every=0.01, rounds=3, say=say, share=1.0)
    assert said[1].startswith(str(out)) and len(said) == 3
    assert said[2] == HEALTHY.replace("run step", "out step")


def test_an_empty_folder_is_waited_for_and_a_bad_log_is_named_once(tmp_path: Path):
    said: list[str] = []
    watch(tmp_path, every=0.01, rounds=2, say=said.append)
    assert len(said) == 2
    assert str(tmp_path) in said[0]
    (tmp_path / "text.txt").write_text("hello\n")
    said.clear()
    watch(tmp_path / "text.txt", every=0.01, rounds=1, say=said.append)
    assert said[1].count("text.txt") == 1


def test_a_log_whose_loss_has_a_name_of_its_own_is_found_by_its_tag(tmp_path: Path):
    write(tmp_path / "run.csv", [2.0 * 0.97**k + 0.5 for k in range(80)])
    (tmp_path / "run.csv").write_text((tmp_path / "run.csv").read_text().replace("train_loss", "my/cost"))
    said: list[str] = []
    watch(tmp_path, every=0.01, rounds=1, say=said.append, tags={"train_loss": "my/cost"})
    assert HEALTHY in said


def test_a_bug_on_one_run_is_a_line_and_the_watch_continues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("bad", "good"):
        (tmp_path / f"{name}.csv").write_text("step,train_loss\n1,nan\n2,nan\n3,nan\n")

    def fails_on_one(path: Path, tags: object) -> object:
        if path.stem == "bad":
            raise RuntimeError("two\nlines")
        return read(path, tags)  # type: ignore[arg-type]

    monkeypatch.setattr("tuner.commands.watch.read", fails_on_one)
    lines: list[str] = []
    watch(tmp_path, every=0.01, rounds=1, say=lines.append)
    assert [line for line in lines if "RuntimeError: two lines" in line and "bad.csv" in line]
    assert [line for line in lines if line.startswith("good ")]
    assert not [line for line in lines if "\n" in line]
