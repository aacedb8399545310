"""How long a run was to be, by the decay of its learning rate; and logs that are cut off before."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from diagnostics import diagnose
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.message import message
from diagnostics.readers import read
from diagnostics.readers.assemble.schedule import planned_steps

STEPS = np.arange(0.0, 1001.0, 10.0)
DONE = STEPS / 1000.0


def warmed_up(decay: FloatArray) -> FloatArray:
    return np.asarray(np.minimum(decay, (STEPS + 10) / 60), dtype=np.float64)


def linear(done: FloatArray) -> FloatArray:
    return np.asarray(2e-4 * (1 - done), dtype=np.float64)


def cosine(done: FloatArray) -> FloatArray:
    return np.asarray(1e-4 * (1 + np.cos(np.pi * done)), dtype=np.float64)


@pytest.mark.parametrize("form", [linear, cosine])
@pytest.mark.parametrize("share", [0.25, 0.5, 0.9])
def test_a_schedule_that_is_cut_off_shows_its_end(form: Callable[[FloatArray], FloatArray], share: float):
    keep = share >= DONE
    assert planned_steps(Curve(STEPS[keep], form(DONE)[keep])) == pytest.approx(1000, rel=0.01)


def test_a_warm_up_and_a_level_stretch_come_before_the_decay():
    rates = np.concatenate([np.linspace(0, 1, 11), np.ones(30), np.linspace(1, 0, 61)[1:]])
    assert planned_steps(Curve(np.arange(80.0), rates[:80])) == pytest.approx(100, rel=0.01)


@pytest.mark.parametrize(
    "rates",
    [
        np.full(101, 1e-4),
        linear(DONE),
        cosine(DONE),
        1e-4 * 0.99 ** np.arange(101),
        np.where(DONE < 0.5, 1e-3, 1e-4),
        1e-4 * (0.1 + 0.45 * (1 + np.cos(np.pi * DONE))),
        np.zeros(101),
        np.linspace(1e-6, 1e-4, 101),
    ],
    ids=["constant", "whole linear", "whole cosine", "exponential", "stairs", "floor", "zero", "warm-up"],
)
def test_other_schedules_show_no_end(rates: FloatArray):
    assert planned_steps(Curve(STEPS, rates)) is None


def falling(path: Path, share: float, rates: FloatArray) -> Path:
    """A table of a loss that is far from done, cut off at a share of the run."""
    rows = [f"{s:g},{3 - 2 * d},{r}" for s, d, r in zip(STEPS, DONE, rates, strict=True) if d <= share]
    path.write_text("\n".join(["step,train_loss,learning_rate", *rows]))
    return path


def test_a_run_that_is_cut_off_is_not_diagnosed_as_complete(tmp_path: Path):
    run = read(falling(tmp_path / "a.csv", 0.6, linear(DONE)))
    assert run.settings.max_steps == pytest.approx(1000, rel=0.01)
    assert [note.values["step"] for note in run.notes if note.code == "length-from-schedule"] == [600.0]
    reason = {one.rule: one.reason for one in diagnose(run).skipped}["still-improving"]
    assert (reason.code, reason.values["step"]) == ("run-not-finished", 600.0)
    whole = diagnose(read(falling(tmp_path / "b.csv", 1.0, linear(DONE))))
    assert "still-improving" not in {one.rule for one in whole.skipped}


def test_a_verdict_on_a_complete_run_is_noted_where_the_length_is_unknown(tmp_path: Path):
    for name, known, noted in (("a", True, False), ("b", False, True)):
        run = read(falling(tmp_path / f"{name}.csv", 1.0, np.full(101, 1e-4)))
        if known:
            run = replace(run, settings=replace(run.settings, max_steps=1000))
        found = diagnose(run)
        assert found.cause in ("still-improving", "rate-too-low", "rate-runs-out"), found.cause
        assert (message("planned-length-unknown") in found.notes) is noted


def test_a_checkpoint_in_mid_run_is_known_by_the_epochs_requested(tmp_path: Path):
    rows = [{"step": k, "loss": 3 - k / 500, "epoch": k / 300} for k in range(1, 301)]
    (tmp_path / "trainer_state.json").write_text(
        json.dumps({"log_history": rows, "max_steps": 900, "global_step": 300})
    )
    (tmp_path / "config.yaml").write_text("learning_rate: 1e-4\nnum_train_epochs: 3\n")
    run = read(tmp_path)
    assert run.settings.max_steps == 900
    assert "still-improving" in {one.rule for one in diagnose(run).skipped}
