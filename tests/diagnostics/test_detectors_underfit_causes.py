"""Slow learning explained by other settings, or by none."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.settings import Settings
from tests.diagnostics.cases import LINE, SFT, curve, evaluate, fired, fires_on, healthy


def test_short_noisy_logs_are_not_taken_for_slow_learning():
    def found(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        share = np.arange(1, 9) / 8
        loss = (1.0 + 0.8 * (1.0 + 60 * share) ** -0.8) * np.exp(0.04 * rng.standard_normal(8))
        return fired("still-improving", train_loss=loss)

    assert sum(found(seed) for seed in range(200)) <= 8


@pytest.mark.parametrize(("steps", "batch", "fires"), [(99, 16, True), (100, 16, False), (99, 4, False)])
def test_too_few_updates(steps: int, batch: int, fires: bool):
    assert fires_on("too-few-updates", Settings(max_steps=steps, batch_size=batch)) is fires


@pytest.mark.parametrize(("batch", "peft", "fires"), [(64, True, False), (65, True, True), (512, False, False)])
def test_batch_too_large(batch: int, peft: bool, fires: bool):
    assert fires_on("batch-too-large", Settings(batch_size=batch, use_peft=peft)) is fires


@pytest.mark.parametrize(
    ("known", "fires"),
    [
        ({"lora_dropout": 0.1}, True),
        ({"lora_dropout": 0.05}, False),
        ({"neftune_noise_alpha": 5.0}, True),
        ({"learning_rate": 2e-4, "weight_decay": 0.01, "max_steps": 100}, False),
        ({"learning_rate": 2e-3, "weight_decay": 1.0, "max_steps": 100}, True),
    ],
)
def test_regularization_too_strong(known: dict[str, float], fires: bool):
    assert fires_on("regularization-too-strong", Settings.from_mapping(known)) is fires


@pytest.mark.parametrize(("rank", "rate", "fires"), [(8, 5e-4, True), (16, 5e-4, False), (8, 4e-4, False)])
def test_adapter_too_small(rank: int, rate: float, fires: bool):
    assert fires_on("adapter-too-small", Settings(lora_r=rank, learning_rate=rate)) is fires


def test_every_cause_needs_the_sign_on_the_curve():
    flattened = healthy()
    assert not fires_on("batch-too-large", Settings(batch_size=1024), loss=flattened)
    assert not fires_on("adapter-too-small", Settings(lora_r=4, learning_rate=9e-4), loss=flattened)
    assert not fires_on("rate-low-for-batch", Settings(learning_rate=2.5e-4, batch_size=128), loss=flattened)
    assert not fires_on("regularization-too-strong", Settings(lora_dropout=0.5), loss=flattened)


def test_still_improving():
    assert fires_on("still-improving", Settings())
    assert not fires_on("still-improving", Settings(), loss=healthy())


@pytest.mark.parametrize(("parameters", "fires"), [(1_000_000, True), (1_600_000, False), (None, False)])
def test_an_adapter_is_small_for_more_tokens_than_parameters(parameters: int | None, fires: bool):
    """Rank 32 is not small, but three million tokens a pass are many for a million parameters."""
    tokens = curve(6_000_000 * np.arange(1, 101) / 100)
    settings = Settings(lora_r=32, learning_rate=9e-4, num_train_epochs=2.0, trainable_parameters=parameters)
    found = evaluate("adapter-too-small", train_loss=LINE, settings=settings, rate_prior=SFT, num_tokens=tokens)
    assert bool(found) is fires
    if found:
        assert found.measured["tokens_per_parameter"] == pytest.approx(3.0)
