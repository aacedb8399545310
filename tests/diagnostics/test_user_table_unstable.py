"""The lines of the diagnosis table about jitter, jumps and nan: what fires, what does not, and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Label
from diagnostics.synthetic import make
from tests.diagnostics.user_table import FALLING, SHARE, N, X, advised, noise, rules, run

# both jitter -> rate x0.5 / x0.3, raise batch, longer warm-up 500 -> 2000


@pytest.mark.parametrize(("scale", "factor"), [(0.12, 0.5), (0.6, 0.3)])
def test_joint_jitter_halves_the_rate_or_cuts_it_to_a_third(scale: float, factor: float):
    found = diagnose(run(1.5 * noise(scale), 1.5 * noise(scale, 7), evals=20, learning_rate=1e-3))
    assert found.label is Label.UNSTABLE
    assert found.advice[0].knob == "learning_rate"
    assert found.advice[0].factor == pytest.approx(factor, abs=0.03)
    assert advised(found, "batch_size").factor == 2
    assert advised(found, "warmup_ratio").new <= 0.1


# train and val jitter together = rate too large


def test_jitter_that_shrinks_with_the_rate_is_found():
    found = diagnose(make("train-and-eval-jitter", 0.9, logs=200, evals=20))
    assert found.cause == "train-and-eval-jitter"
    assert found.findings[0].measured["elasticity"] >= 0.3


def test_jitter_that_does_not_shrink_with_the_rate_is_that_of_the_batches():
    rate = Curve.from_points(X, 1e-3 * (1.02 - SHARE))
    shaken = run(FALLING * noise(0.1), FALLING * noise(0.05, 5), evals=20)
    found = diagnose(Run("run", {**shaken.curves, "learning_rate": rate}, shaken.settings))
    assert "train-and-eval-jitter" not in rules(found)


# early jitter, then stable = warm-up too short


def early(warmup: float | None) -> Run:
    wild = np.where(SHARE <= 0.1, 0.35, 0.01)
    values = FALLING * np.exp(wild * np.random.default_rng(4).standard_normal(N))
    return run(values, FALLING, warmup_ratio=warmup)


@pytest.mark.parametrize(("old", "new"), [(0.01, 0.04), (0.02, 0.08), (0.03, 0.1), (0.05, 0.1), (0.0, 0.03)])
def test_early_jitter_makes_the_warmup_four_times_as_long_up_to_a_tenth(old: float, new: float):
    found = diagnose(early(old))
    assert (found.label, found.cause) == (Label.UNSTABLE, "warmup-too-short")
    assert (found.advice[0].knob, found.advice[0].new) == ("warmup_ratio", pytest.approx(new))


def test_with_a_tenth_already_the_rate_is_halved_instead():
    found = diagnose(early(0.1))
    assert found.advice[0].knob == "learning_rate"
    assert found.advice[0].factor == pytest.approx(0.5, abs=0.03)


def test_a_steep_early_fall_is_not_jitter():
    steep = 1.0 + 8.0 * np.exp(-SHARE * 40)
    assert diagnose(run(steep * noise(0.01), steep)).label is Label.HEALTHY


# val jitter > train jitter = batch too small


def test_val_jitter_above_train_jitter_advises_a_larger_eval_set_then_a_double_batch():
    found = diagnose(run(FALLING * noise(0.005), FALLING * noise(0.03, 2), evals=20, batch_size=4))
    assert "eval-jitters-more" in rules(found)
    assert found.label is Label.HEALTHY
    assert [advice.knob for advice in found.advice] == ["eval_set", "batch_size"]
    assert advised(found, "batch_size").new == 8


def test_a_calm_val_is_not_found_to_jitter():
    assert "eval-jitters-more" not in rules(diagnose(run(FALLING * noise(0.03), FALLING * noise(0.002, 2), evals=20)))


# sudden jump, nan or inf = instability


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_nan_and_inf_are_unstable_and_cut_the_rate_to_a_third(value: float):
    values = FALLING.copy()
    values[60:] = value
    found = diagnose(run(values, FALLING, learning_rate=1e-3))
    assert (found.label, found.cause) == (Label.UNSTABLE, "loss-not-finite")
    assert found.advice[0].new == pytest.approx(3e-4)
    assert advised(found, "warmup_ratio").new == pytest.approx(0.06)
    assert advised(found, "max_grad_norm").new == 0.3


def test_nan_at_the_very_start_above_the_cap_divides_the_rate_by_ten():
    values = FALLING.copy()
    values[1:] = float("nan")
    assert diagnose(run(values, learning_rate=5e-3)).advice[0].new == pytest.approx(5e-4)


def test_a_jump_that_stays_is_unstable():
    values = FALLING * noise(0.01)
    values[60:] *= 1.3
    found = diagnose(run(values, FALLING))
    assert (found.label, found.cause) == (Label.UNSTABLE, "loss-jumps")


def test_a_single_spike_that_recovers_is_benign():
    values = FALLING * noise(0.01)
    values[60:63] *= (1.8, 1.5, 1.2)
    assert diagnose(run(values, FALLING)).label is Label.HEALTHY
