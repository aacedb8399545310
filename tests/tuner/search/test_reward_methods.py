"""A method that learns from rewards: its loss says nothing, so a rising loss does not make a trial diverged."""

from __future__ import annotations

import math

import numpy as np
import optuna
import pytest

from diagnostics.model.curves import Run
from diagnostics.model.settings import Settings
from tuner import DiagnosisSampler, record

STEPS = np.arange(5, 501, 5)


def grpo(reward_end: float = 0.8, *, method: str | None = "grpo", last_loss: float | None = None) -> Run:
    """A run whose reward rises from 0.2 while its loss rises from 0 with the KL divergence."""
    done = STEPS / STEPS[-1]
    loss = 0.04 * done
    loss[-1] = loss[-1] if last_loss is None else last_loss
    reward = 0.2 + (reward_end - 0.2) * done
    points = {"loss": list(zip(STEPS, loss, strict=True)), "reward": list(zip(STEPS, reward, strict=True))}
    return Run.from_points("run", points, Settings(method=method, learning_rate=1e-5, use_peft=True))


def studied(*runs: Run) -> optuna.Study:
    """A study that maximizes the last reward of these runs, one a trial, at rates of the diagnosis sampler."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=DiagnosisSampler(seed=0))
    study.enqueue_trial({"learning_rate": 1e-5})
    waiting = iter(runs)

    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("learning_rate", 1e-7, 1e-3, log=True)
        run = next(waiting)
        record(trial, run)
        return float(run.curves["reward"].values[-1])

    study.optimize(objective, n_trials=len(runs))
    return study


@pytest.mark.parametrize("method", ["grpo", "rloo", "ppo", "grpo or rloo"])
def test_a_rising_loss_is_no_divergence_where_the_reward_is_the_objective(method: str):
    study = studied(grpo(method=method), grpo(0.7, method=method), grpo(0.6, method=method))
    assert [trial.user_attrs["diverged"] for trial in study.trials] == [False, False, False]
    assert study.trials[0].user_attrs["method"] == method
    # A rate that diverged would be left downward at once: nothing above half of it is tried any more.
    assert study.trials[1].params["learning_rate"] > 0.5 * study.trials[0].params["learning_rate"]


@pytest.mark.parametrize("method", [None, "sft"])
def test_the_same_loss_is_divergence_where_it_is_the_objective(method: str | None):
    assert studied(grpo(method=method)).trials[0].user_attrs["diverged"] is True


@pytest.mark.parametrize("lost", [grpo(last_loss=math.nan), grpo(last_loss=math.inf)])
def test_a_loss_that_ends_in_nan_or_infinity_is_divergence_for_every_method(lost: Run):
    assert studied(lost).trials[0].user_attrs["diverged"] is True


def test_a_reward_that_ends_in_nan_is_divergence():
    run = grpo()
    points = {name: [*zip(curve.steps, curve.values, strict=True)] for name, curve in run.curves.items()}
    points["reward"][-1] = (points["reward"][-1][0], math.nan)
    assert studied(Run.from_points("run", points, run.settings)).trials[0].user_attrs["diverged"] is True
