from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.model.curves import CURVES, Curve, Run, canonical_name
from diagnostics.model.settings import Settings


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("train/loss", "train_loss"),
        ("loss", "train_loss"),
        ("eval/loss", "eval_loss"),
        ("eval_loss", "eval_loss"),
        ("val_loss", "eval_loss"),
        ("train/rewards/margins", "rewards_margins"),
        ("eval/rewards/accuracies", "eval_rewards_accuracies"),
        ("eval_rewards/accuracies", "eval_rewards_accuracies"),
        ("train/grad_norm", "grad_norm"),
        ("lr", "learning_rate"),
        ("train/train_loss", "train/train_loss"),
        ("my/own metric", "my/own metric"),
    ],
)
def test_a_tag_becomes_its_canonical_name(tag: str, name: str):
    assert canonical_name(tag) == name


@pytest.mark.parametrize("name", CURVES)
def test_canonical_names_stay_as_they_are(name: str):
    assert canonical_name(name) == name


def test_a_step_that_comes_twice_keeps_its_last_value():
    curve = Curve.from_points([1, 2, 3, 2, 3], [5, 4, 3, 40, 30])
    assert curve.steps.tolist() == [1, 2, 3]
    assert curve.values.tolist() == [5, 40, 30]


def test_nan_and_inf_are_remembered_by_step():
    curve = Curve.from_points([1, 2, 3], [1.0, np.nan, -np.inf])
    assert curve.values.tolist() == [1.0]
    assert curve.broken == (2.0, 3.0)


def test_a_value_that_was_nan_before_a_restart_is_not_broken():
    assert Curve.from_points([1, 2, 2], [1.0, np.nan, 0.9]).broken == ()


def test_values_and_steps_must_match():
    with pytest.raises(ValueError, match="2 values for 1 steps"):
        Curve.from_points([1], [1, 2])


@given(st.lists(st.tuples(st.floats(), st.floats())))
def test_any_points_make_a_curve_that_keeps_its_promise(points: list[tuple[float, float]]):
    curve = Curve.from_points([x for x, _ in points], [y for _, y in points])
    assert np.all(curve.steps[1:] > curve.steps[:-1])
    assert np.all(np.isfinite(curve.values))
    assert len(curve) + len(curve.broken) == len({x for x, _ in points if np.isfinite(x)})


def test_between_keeps_both_ends_and_the_broken_steps_inside():
    curve = Curve.from_points([1, 2, 3, 4], [1.0, np.nan, 3.0, 4.0]).between(2, 3)
    assert curve.steps.tolist() == [3]
    assert curve.broken == (2.0,)


def test_at_is_linear_between_and_level_outside():
    curve = Curve.from_points([0, 10], [0, 1])
    assert curve.at([-5, 5, 50]).tolist() == [0, 0.5, 1]
    assert np.isnan(Curve.from_points([], []).at([1])).all()


def test_settings_take_what_logs_hold():
    settings = Settings.from_mapping(
        {"learning_rate": "1e-5", "loss_type": ["sigmoid"], "bf16": "True", "lora_r": 8.0, "max_steps": None, "x": 1}
    )
    assert settings.known() == {"learning_rate": 1e-5, "loss_type": "sigmoid", "bf16": True, "lora_r": 8}


def test_settings_that_do_not_fit_are_left_out():
    raw = {"learning_rate": "auto", "lora_r": float("nan"), "bf16": "maybe", "loss_type": ["a", "b"], "seed": 10**400}
    assert Settings.from_mapping(raw) == Settings()


def test_merged_fills_only_the_gaps():
    merged = Settings(learning_rate=1e-4).merged(Settings(learning_rate=1.0, lora_r=8))
    assert (merged.learning_rate, merged.lora_r) == (1e-4, 8)


def test_a_run_knows_its_curves_and_its_last_step():
    run = Run.from_points("a", {"train/loss": [(1, 2.0), (7, float("nan"))], "eval/loss": []})
    assert set(run.curves) == {"train_loss"}
    assert run.last_step == 7
    assert run.curve("eval_loss") is None
