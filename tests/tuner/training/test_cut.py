"""Runs that are killed or interrupted, and what goes on from their checkpoints."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from diagnostics.messages import text
from diagnostics.model.curves import Run
from diagnostics.model.message import message
from tests.tuner import smallest
from tests.waiting import until
from tuner.config.study_file import load_spec
from tuner.training.callbacks.stopping import StopCallback
from tuner.training.checkpoints import is_whole, last_whole
from tuner.training.train import train

ROOT = Path(__file__).parents[3]


SCRIPT = """
import sys, time
from tuner.config.study_file import load_spec
from tuner.training.train import train
train(load_spec(sys.argv[1]), {"seed": 3}, sys.argv[2], lambda run, share: time.sleep(0.3))
"""
"""A run that can be killed in time on a fast machine, too: it pauses at each evaluation."""


def assert_same_curve(one, other):
    assert list(one.steps) == list(other.steps)
    assert one.values == pytest.approx(other.values, rel=1e-4)


@pytest.mark.long
def test_a_killed_run_continues_and_ends_as_if_it_had_not_been(tmp_path, small_model, small_rows):
    path = smallest.study_file(tmp_path, small_model, small_rows, max_steps=60, eval_steps=5, logging_steps=1)
    out = tmp_path / "run"
    command = [sys.executable, "-c", SCRIPT, str(path), str(out)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        until(lambda: last_whole(out) is not None, "a whole checkpoint", process)
        os.kill(process.pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert not (out / "diagnosis.json").exists()
    # What a kill in the middle of a save leaves behind: a later checkpoint that is not whole.
    whole = last_whole(out)
    cut = out / "checkpoint-59"
    shutil.copytree(whole, cut)
    (cut / "optimizer.pt").write_bytes((cut / "optimizer.pt").read_bytes()[:100])
    assert not is_whole(cut)
    said = []
    run = train(load_spec(path), {"seed": 3}, out, say=said.append)
    note = message("resumed-after-cut", step=int(whole.name.removeprefix("checkpoint-")))
    assert note in run.notes
    assert text(note) in said
    assert text(note) in (out / "report.md").read_text()
    through = train(load_spec(path), {"seed": 3}, tmp_path / "through")
    for name in ("train_loss", "eval_loss", "learning_rate"):
        assert_same_curve(run.curves[name], through.curves[name])


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_signal_ends_the_run_after_its_step_and_it_continues_from_there(make, tmp_path, number):
    spec = make(max_steps=8, eval_steps=2, logging_steps=1, study={"exact_match_rows": 2})
    before = signal.getsignal(number)

    def report(run, share):
        if share == 0.5:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        train(spec, {}, tmp_path / "run", report)
    assert signal.getsignal(number) is before
    assert not (tmp_path / "run" / "diagnosis.json").exists()
    run = train(spec, {}, tmp_path / "run")
    assert "resumed-after-cut" in {note.code for note in run.notes}
    through = train(spec, {}, tmp_path / "through")
    for name in ("train_loss", "eval_loss", "eval_exact_match"):
        assert_same_curve(run.curves[name], through.curves[name])


def test_a_half_run_with_other_settings_is_not_gone_on_from(make, tmp_path):
    out = tmp_path / "run"
    train(make(max_steps=4, eval_steps=2), {}, out, keep_checkpoints=True)
    for name in ("diagnosis.json", "trainer_state.json"):
        (out / name).unlink()
    run = train(make(max_steps=4, eval_steps=2), {"learning_rate": 1e-3}, out)
    assert "resumed-after-cut" not in {note.code for note in run.notes}


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("trainer_state.json", lambda data: data[:20]),
        ("optimizer.pt", lambda data: data[: len(data) // 2]),
        ("rng_state.pth", lambda data: data[:10]),
        ("adapter_model.safetensors", lambda data: data[:-50]),
        ("scheduler.pt", None),
    ],
)
def test_a_cut_checkpoint_is_recognized(make, tmp_path, name, harm):
    out = tmp_path / "run"
    train(make(), {}, out, keep_checkpoints=True)
    checkpoint = last_whole(out)
    assert checkpoint is not None
    path = checkpoint / name
    path.unlink() if harm is None else path.write_bytes(harm(path.read_bytes()))
    assert not is_whole(checkpoint)


def test_a_signal_that_the_process_ignores_stays_ignored_while_it_trains():
    stopping = StopCallback(lambda: Run("x", {}), None)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts `command &`
    try:
        with stopping.signals():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            assert not stopping.interrupted
            os.kill(os.getpid(), signal.SIGTERM)
            assert stopping.interrupted
    finally:
        signal.signal(signal.SIGINT, before)
