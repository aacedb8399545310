"""A training loss that was logged as an average over the run so far is read as the loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from diagnostics import diagnose
from diagnostics.diagnosis.averages import MIN_LOGS_BY_NOISE, without_average
from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.records import Label
from diagnostics.synthetic import FAULTS, make


def mean(values: FloatArray) -> FloatArray:
    return np.cumsum(values) / np.arange(1, values.size + 1)


def moving(values: FloatArray, keeps: float = 0.9) -> FloatArray:
    weights = keeps ** np.arange(values.size)
    return np.array([np.average(values[: at + 1], weights=weights[at::-1]) for at in range(values.size)])


def well(logs: int, seed: int) -> Run:
    """A run whose held-out loss is that of its training rows."""
    steps = 10.0 * np.arange(1, logs + 1)
    level = 0.8 + 2.4 / (1.0 + 20.0 * steps / steps[-1])
    noise = 1.0 + 0.02 * np.random.default_rng(seed).standard_normal(logs)
    evals = np.arange(logs // 10 - 1, logs, logs // 10)
    return Run(
        "well", {"train_loss": Curve(steps, level * noise), "eval_loss": Curve(steps[evals], 1.01 * level[evals])}
    )


def away(values: FloatArray, loss: FloatArray) -> float:
    """How far values lie from the loss, of which they may be an average."""
    return float(np.median(np.abs(values - loss)))


def logged(run: Run, values: FloatArray, evals: bool = True) -> Run:
    """The run with another training loss, and without its evaluations unless they are asked for."""
    curves = {name: curve for name, curve in run.curves.items() if evals or not name.startswith("eval_")}
    return replace(run, curves={**curves, "train_loss": Curve(run.curves["train_loss"].steps, values)})


@pytest.mark.parametrize(("average", "logs"), [(mean, 40), (mean, 200), (moving, 40)])
@pytest.mark.parametrize("seed", range(3))
def test_an_average_is_undone_where_the_held_out_loss_shows_that_it_lags(
    average: Callable[[FloatArray], FloatArray], logs: int, seed: int
):
    run = well(logs, seed)
    loss = run.curves["train_loss"].values
    curves, notes = without_average(logged(run, average(loss)).curves)
    read = curves["train_loss"].values
    assert away(read, loss) < 0.25 * away(average(loss), loss)
    assert [note.code for note in notes] == ["loss-is-average"]
    found, plain = diagnose(logged(run, average(loss))), diagnose(run)
    assert found.label is plain.label is Label.HEALTHY
    assert notes[0] in found.notes
    assert notes[0] not in plain.notes


@pytest.mark.parametrize("logs", [MIN_LOGS_BY_NOISE, 300])
def test_a_running_mean_without_evaluations_shows_in_its_noise(logs: int):
    run = make("healthy-sft", noise=0.1, seed=1, logs=logs)
    loss = run.curves["train_loss"].values
    assert without_average(logged(run, mean(loss), evals=False).curves)[0]["train_loss"].values == pytest.approx(loss)


def test_too_few_logs_have_no_noise_to_tell_by():
    run = make("healthy-sft", noise=0.1, seed=1, logs=MIN_LOGS_BY_NOISE - 1)
    assert not without_average(logged(run, mean(run.curves["train_loss"].values), evals=False).curves)[1]


def test_a_mean_over_steps_that_were_not_all_logged_is_undone():
    run = well(200, seed=2)
    train = run.curves["train_loss"]
    some = np.sort(np.random.default_rng(0).permutation(200)[:60])
    thin = Curve(train.steps[some], mean(train.values)[some])
    curves, notes = without_average({**run.curves, "train_loss": thin})
    assert notes
    assert curves["train_loss"].values[-20:].mean() == pytest.approx(train.values[-70:].mean(), rel=0.05)


@pytest.mark.parametrize("name", sorted({*FAULTS, "healthy-sft"}))
def test_a_loss_of_single_logs_is_left_alone(name: str):
    run = make(name, 1.0, seed=0) if name in FAULTS else make(name, seed=0)
    curves, notes = without_average(run.curves)
    assert curves == run.curves
    assert notes == []


@pytest.mark.parametrize("times", [0.5, 0.9, 1.1, 2.0])
def test_a_loss_that_lies_off_the_held_out_loss_throughout_is_no_average(times: float):
    run = well(100, seed=3)
    assert not without_average(logged(run, times * run.curves["train_loss"].values).curves)[1]
