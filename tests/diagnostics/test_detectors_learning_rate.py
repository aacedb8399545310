"""Slow learning explained by the learning rate."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.outlook import Outlook
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import (
    LINE,
    SFT,
    SHARE,
    cannot_evaluate,
    curve,
    evaluate,
    fired,
    fires_on,
    noise,
)


@pytest.mark.parametrize(("rate", "fires"), [(1e-4, True), (2.5e-4, False), (1e-3, False), (None, True)])
def test_the_rate_is_the_cause_below_its_center_or_when_unknown(rate: float | None, fires: bool):
    assert fires_on("rate-too-low", Settings(learning_rate=rate)) is fires


@pytest.mark.parametrize(("slow", "fires"), [(0.96, True), (0.94, False)])
@pytest.mark.parametrize("settings", [Settings(learning_rate=1e-3), Settings(method="dpo", learning_rate=1e-3)])
def test_at_a_usual_rate_and_where_none_is_known_a_surer_look_is_asked_for(
    settings: Settings, slow: float, fires: bool
):
    prior = LearningRatePrior() if settings.method == "dpo" else SFT
    look = Outlook(1.0 - slow, slow, 0.0, 0.0)
    bent = curve(2.0 - 0.5 * SHARE**0.2)
    found = fired("rate-too-low", train_loss=bent, settings=settings, rate_prior=prior, outlook=look)
    assert bool(found) is fires


def test_far_below_the_center_a_run_that_still_falls_is_enough():
    bent = 2.0 - 0.5 * SHARE**0.2
    assert fires_on("rate-too-low", Settings(learning_rate=3e-5), loss=bent)
    assert not fires_on("rate-too-low", Settings(learning_rate=1.5e-4), loss=bent)


def test_the_peak_of_the_logged_rate_replaces_a_missing_setting():
    rate = curve(np.linspace(5e-4, 0, 100))
    assert not fired("rate-too-low", train_loss=LINE, rate_prior=SFT, learning_rate=rate)
    found = evaluate(
        "rate-too-low",
        train_loss=LINE,
        settings=Settings(),
        rate_prior=SFT,
        learning_rate=np.linspace(5e-5, 0, 100),
    )
    assert found.measured["rate"] == 5e-5


def test_in_mid_run_it_is_not_evaluated():
    with cannot_evaluate("run-not-finished", step=100, max_steps=300):
        fires_on("rate-too-low", Settings(learning_rate=1e-5, max_steps=300))
    assert fires_on("rate-too-low", Settings(learning_rate=1e-5, max_steps=105))


@pytest.mark.parametrize(("batch", "fires"), [(32, False), (64, True), (128, True), (256, False)])
def test_rate_low_for_batch(batch: int, fires: bool):
    assert fires_on("rate-low-for-batch", Settings(learning_rate=2.5e-4, batch_size=batch)) is fires


@pytest.mark.parametrize(("rate", "fires"), [(3e-5, True), (1.5e-4, False)])
def test_flat_evaluations_beside_noisy_batches_speak_for_a_low_rate_where_it_is_far_below_the_center(
    rate: float, fires: bool
):
    held = curve(1.5 + 0.003 * (-1.0) ** np.arange(12), np.linspace(8, 100, 12))
    batches = curve(1.5 * noise(0.1, 100, seed=2))
    assert (
        fired(
            "rate-too-low",
            train_loss=batches,
            settings=Settings(learning_rate=rate),
            rate_prior=SFT,
            eval_loss=held,
        )
        is fires
    )
    fallen = curve(1.5 * noise(0.1, 100, seed=2) * (1.0 + 0.5 * np.exp(-np.arange(100) / 4)))
    assert not fired(
        "rate-too-low", train_loss=fallen, settings=Settings(learning_rate=rate), rate_prior=SFT, eval_loss=held
    )
