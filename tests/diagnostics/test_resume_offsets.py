"""A jump of the loss exactly where a run was resumed or its packing changed is not a fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pytest

from diagnostics import diagnose
from diagnostics.diagnosis.resume_offsets import remove_offsets
from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.message import Message
from diagnostics.model.records import Label
from diagnostics.synthetic import make


def changed(run: Run, discontinuities: tuple[float, ...], more: Mapping[str, FloatArray]) -> Run:
    """The run with numbers added to its curves, and with joins."""
    curves = {k: Curve(c.steps, c.values + more[k]) if k in more else c for k, c in run.curves.items()}
    return replace(run, curves=curves, discontinuities=discontinuities)


def offsets(notes: Iterable[Message]) -> list[Message]:
    """The notes on jumps that were taken out."""
    return [note for note in notes if note.code == "resume-offset"]


def from_step(run: Run, name: str, step: float, much: float) -> FloatArray:
    return np.where(run.curves[name].steps >= step, much, 0.0)


@pytest.mark.parametrize("much", [0.8, 0.5, -0.5])
@pytest.mark.parametrize("seed", range(5))
def test_a_loss_that_jumps_at_a_resume_and_stays_is_healthy_and_noted(much: float, seed: int):
    run = make("healthy-sft", noise=0.02, seed=seed, logs=200, evals=20)
    more = {name: from_step(run, name, 600.0, much) for name in ("train_loss", "eval_loss")}
    found = diagnose(changed(run, (600.0,), more))
    assert found.label is Label.HEALTHY, found.cause
    assert not [f for f in found.findings if f.label in (Label.UNSTABLE, Label.OVERFIT)]
    assert {"train_loss", "eval_loss"} == {
        note.values["curve"] for note in offsets(found.notes) if note.values["step"] == 600.0
    }


def test_the_same_jump_without_a_resume_is_a_fault():
    run = make("healthy-sft", noise=0.02, seed=0, logs=200, evals=20)
    more = {name: from_step(run, name, 600.0, 0.8) for name in ("train_loss", "eval_loss")}
    assert diagnose(changed(run, (), more)).label is not Label.HEALTHY
    assert diagnose(changed(run, (300.0,), more)).label is not Label.HEALTHY


def test_spikes_right_after_a_resume_are_the_run_settling():
    run = make("healthy-sft", noise=0.02, seed=1, logs=200, evals=20)
    steps = run.curves["train_loss"].steps
    discontinuities = (300.0, 500.0, 700.0)
    bumps = sum(np.where((steps >= join) & (steps < join + 15), 1.5, 0.0) for join in discontinuities)
    calm, wild = (diagnose(changed(run, where, {"train_loss": bumps})) for where in (discontinuities, ()))
    assert calm.label is Label.HEALTHY
    assert wild.label is Label.UNSTABLE


@pytest.mark.parametrize(("times", "label"), [(1.4, Label.HEALTHY), (2.0, Label.UNSTABLE)])
def test_a_loss_far_above_all_before_the_resume_has_blown_up(times: float, label: Label):
    run = make("healthy-sft", noise=0.02, seed=4, logs=200, evals=20)
    highest = float(run.curves["train_loss"].values.max())
    more = {
        name: from_step(run, name, 600.0, times * highest - float(run.curves[name].at(600.0)))
        for name in ("train_loss", "eval_loss")
    }
    assert diagnose(changed(run, (600.0,), more)).label is label


def test_a_run_that_blows_up_after_a_resume_is_still_unstable():
    run = make("healthy-sft", noise=0.02, seed=2, logs=200, evals=20)
    steps = run.curves["train_loss"].steps
    climb = np.where(steps >= 600, (steps - 600) / 100, 0.0)
    assert diagnose(changed(run, (600.0,), {"train_loss": climb})).label is Label.UNSTABLE


def test_a_resume_without_a_jump_changes_nothing():
    for seed in range(5):
        run = make("eval-loss-rises", noise=0.05, seed=seed, logs=150, evals=15)
        curves, notes = remove_offsets(run.curves, (100.0, 400.0))
        assert notes == []
        assert curves["train_loss"].values.tolist() == run.curves["train_loss"].values.tolist()


@pytest.mark.parametrize("boundary", [5.0, 8.0, 12.0, 20.0])
def test_a_loss_that_falls_in_a_curve_does_not_jump(boundary: float):
    steps = np.arange(1.0, 41.0)
    fall = Curve(steps, 0.3 + 3.0 * steps**-0.8)
    assert remove_offsets({"train_loss": fall}, (boundary,))[1] == []
    moved = Curve(steps, fall.values + np.where(steps >= boundary, 2.0, 0.0))
    assert len(offsets(remove_offsets({"train_loss": moved}, (boundary,))[1])) == 1


def test_what_came_before_is_shifted_and_the_end_stays():
    steps = np.arange(1.0, 41.0)
    values = np.where(steps < 21, 3.0, 2.0) + 0.001 * (-1) ** steps
    curves, notes = remove_offsets({"train_loss": Curve(steps, values)}, (21.0,))
    np.testing.assert_allclose(curves["train_loss"].values, 2.0, atol=0.01)
    (note,) = offsets(notes)
    assert (note.values["curve"], note.values["step"]) == ("train_loss", 21.0)
    assert note.values["jump"] == pytest.approx(-1.0, abs=0.01)


@pytest.mark.parametrize("join", [0.0, 1.0, 2.0, 40.0, 41.0, 99.0])
def test_discontinuities_at_the_ends_are_left_alone(join: float):
    curve = Curve(np.arange(1.0, 41.0), np.linspace(2, 1, 40))
    curves, notes = remove_offsets({"train_loss": curve}, (join,))
    assert notes == []
    assert len(curves["train_loss"]) == 40


def test_labels_about_the_log_itself_see_it_as_it_was_logged():
    """The first loss of a DPO run is ln 2, whatever happened at a later resume."""
    run = make("healthy-dpo", noise=0.01, seed=3, logs=100, evals=10)
    more = {"train_loss": from_step(run, "train_loss", 250.0, 0.4)}
    assert diagnose(changed(run, (250.0,), more)).label is not Label.BROKEN
