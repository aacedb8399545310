"""Detectors of underfit: barely falling, falling straight on, and the settings that explain it."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.detectors.arguments import Losses
from diagnostics.detectors.descent import RiseLimits, falls_late, has_risen
from diagnostics.detectors.slow_learning import SlowLimits, learns_slowly
from diagnostics.model.curves import Curve, FloatArray
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from diagnostics.rules.slow_learning import RISEN, SLOW
from tests.diagnostics.cases import BY_NAME, cannot_evaluate, curve, evaluate, fired, healthy, noise

LIMITS = SlowLimits(**{key: limit for key, limit in SLOW.items() if key != "min_share_done"})
ROSE = RiseLimits(**RISEN)
SHARE = np.arange(1, 101) / 100
LINE = 2.0 - 0.5 * SHARE
SFT = LearningRatePrior(center=2.5e-4, cap=1e-3, max_blamed=2.5e-4)


def slow(train: FloatArray, held: FloatArray | None = None) -> bool:
    evals = None if held is None else curve(held[4::5], np.arange(5, 101, 5))
    return learns_slowly(Losses(curve(train), evals), LIMITS) is not None


@pytest.mark.parametrize(("lost", "expected"), [(0.0, True), (0.015, True), (0.035, False)])
def test_barely_means_less_than_two_percent(lost: float, expected: bool):
    shape = 1.0 - lost * (1.0 - np.exp(-8 * (SHARE - 0.01)))
    assert slow(2.0 * shape * noise(0.0005, 100), 2.0 * shape) is expected


def test_a_fall_within_the_first_logs_is_a_fall():
    shape = 1.0 + 0.08 * np.exp(-np.arange(100) / 2)
    assert not slow(shape * noise(0.001, 100), shape)


def test_a_rise_is_not_slow_learning():
    assert not slow(1.0 + 0.1 * SHARE, 1.0 + 0.1 * SHARE)


@pytest.mark.parametrize("scale", [0.0, 0.005, 0.02])
def test_a_straight_line_is_slow_whatever_the_noise_of_training(scale: float):
    assert slow(LINE * noise(scale, 100), LINE)


def test_a_straight_line_in_training_alone_needs_a_clearer_sign():
    assert slow(LINE * noise(0.005, 100))
    bent = 2.0 - 0.5 * SHARE**0.6
    assert slow(bent, bent)
    assert not slow(2.0 - 0.5 * SHARE**0.2)


SHAPES = {
    "power 1": (1 + 30 * SHARE) ** -1.0,
    "power 0.5": (1 + 60 * SHARE) ** -0.5,
    "exponential": np.exp(-5 * SHARE),
    "logarithm": -np.log(SHARE + 0.003) / 6,
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("drop", [0.1, 0.5])
def test_the_shapes_of_healthy_curves_are_not_slow(shape: str, drop: float):
    level = 1.0 + drop * SHAPES[shape]
    assert not slow(level * noise(0.01, 100), level)
    assert not slow(level * noise(0.01, 100))


def test_a_held_out_loss_that_flattens_speaks_against_it():
    assert not slow(LINE, healthy())


def test_a_curve_that_falls_at_last_is_slow():
    late = np.where(SHARE < 0.8, 1.8, 1.8 - 4 * (SHARE - 0.8))
    assert slow(late * noise(0.002, 100), late)


@pytest.mark.parametrize("size", [4, 6, 10, 20, 60])
def test_flat_short_runs(size: int):
    assert learns_slowly(Losses(curve(np.full(size, 0.84))), LIMITS) is not None


def test_three_losses_are_too_few():
    with cannot_evaluate("too-few-points", have=3, need=4, what="training losses"):
        learns_slowly(Losses(curve([1, 1, 1])), LIMITS)


def fires_on(rule: str, settings: Settings, loss: FloatArray = LINE) -> bool:
    prior = {"rate_prior": SFT} if "rate_prior" in BY_NAME[rule].takes else {}
    return fired(rule, train_loss=loss, settings=settings, **prior)


@pytest.mark.parametrize(("rate", "fires"), [(1e-4, True), (2.5e-4, False), (1e-3, False), (None, True)])
def test_the_rate_is_blamed_below_its_center_or_when_unknown(rate: float | None, fires: bool):
    assert fires_on("rate-too-low", Settings(learning_rate=rate)) is fires


def test_far_below_the_center_a_run_that_still_falls_is_enough():
    bent = 2.0 - 0.5 * SHARE**0.2
    assert fires_on("rate-too-low", Settings(learning_rate=3e-5), loss=bent)
    assert not fires_on("rate-too-low", Settings(learning_rate=1.5e-4), loss=bent)


def test_the_peak_of_the_logged_rate_stands_in_for_the_setting():
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


def test_in_mid_run_nothing_is_said():
    with cannot_evaluate("run-not-finished", step=100, max_steps=300):
        fires_on("rate-too-low", Settings(learning_rate=1e-5, max_steps=300))
    assert fires_on("rate-too-low", Settings(learning_rate=1e-5, max_steps=105))


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
def test_regularized_too_much(known: dict[str, float], fires: bool):
    assert fires_on("regularization-too-strong", Settings.from_mapping(known)) is fires


@pytest.mark.parametrize(("rank", "rate", "fires"), [(8, 5e-4, True), (16, 5e-4, False), (8, 4e-4, False)])
def test_adapter_too_small(rank: int, rate: float, fires: bool):
    assert fires_on("adapter-too-small", Settings(lora_r=rank, learning_rate=rate)) is fires


@pytest.mark.parametrize(("batch", "fires"), [(32, False), (64, True), (128, True), (256, False)])
def test_rate_low_for_batch(batch: int, fires: bool):
    assert fires_on("rate-low-for-batch", Settings(learning_rate=2.5e-4, batch_size=batch)) is fires


def test_every_cause_needs_the_sign_on_the_curve():
    flattened = healthy()
    assert not fires_on("batch-too-large", Settings(batch_size=1024), loss=flattened)
    assert not fires_on("adapter-too-small", Settings(lora_r=4, learning_rate=9e-4), loss=flattened)
    assert not fires_on("rate-low-for-batch", Settings(learning_rate=2.5e-4, batch_size=128), loss=flattened)
    assert not fires_on("regularization-too-strong", Settings(lora_dropout=0.5), loss=flattened)


def test_still_improving():
    assert fires_on("still-improving", Settings())
    assert not fires_on("still-improving", Settings(), loss=healthy())


def plateau(last_rate: float) -> bool:
    loss = np.concatenate([np.linspace(2, 1.2, 50), np.full(50, 1.2)]) * noise(0.002, 100, 5)
    rate: Curve = curve(np.linspace(1.0, last_rate, 100))
    return fired("loss-plateaus", train_loss=loss, learning_rate=rate)


def test_a_plateau_counts_only_while_the_rate_is_up():
    assert plateau(1.0)
    assert not plateau(0.1)
    assert not fired("loss-plateaus", train_loss=LINE, learning_rate=np.ones(100))


def test_a_late_drop_with_the_cool_down_of_the_rate_is_no_slow_learning():
    values = np.where(SHARE < 0.8, 1.3 + 0.7 * np.exp(-8 * SHARE), 1.3 - 0.6 * (SHARE - 0.8))
    trapezoid = curve(np.minimum(1.0, 5 * (1.01 - SHARE)))
    held = curve(values[4::5], np.arange(5, 101, 5))
    assert learns_slowly(Losses(curve(values), held), LIMITS) is not None
    assert learns_slowly(Losses(curve(values), held, trapezoid), LIMITS) is None
    linear = curve(1.01 - SHARE)
    assert learns_slowly(Losses(curve(LINE), curve(LINE[4::5], np.arange(5, 101, 5)), linear), LIMITS) is not None


COSINE = 0.5 * (1 + np.cos(np.pi * SHARE))
DOSE = SHARE + np.sin(np.pi * SHARE) / np.pi


@pytest.mark.parametrize(
    ("loss", "fires"),
    [
        (2.4 - 0.8 * DOSE**1.5, True),
        (2.4 - 0.8 * DOSE**0.5, False),
        (1.5 - 0.1 * np.log(SHARE), False),
        (1.0 + (1 + 30 * SHARE) ** -0.5, False),
        (2.4 - 0.01 * DOSE**1.5, False),
    ],
    ids=["with the dose", "slower than the dose", "logarithm", "power", "too little"],
)
def test_a_rate_that_runs_out_before_the_loss_has_settled(loss: FloatArray, fires: bool):
    held = curve(loss[4::5], np.arange(5, 101, 5))
    found = evaluate(
        "rate-runs-out",
        train_loss=loss * noise(0.003, 100),
        learning_rate=1e-4 * COSINE,
        settings=Settings(),
        rate_prior=SFT,
        eval_loss=held,
    )
    assert (found is not None) is fires


@pytest.mark.parametrize(
    ("power", "first", "lost", "fires"),
    [(0.9, 0, 0.5, True), (0.5, 0, 0.5, False), (0.9, 20, 0.5, False), (0.9, 0, 0.7, False)],
    ids=["straight", "steep at first", "not seen from the start", "far down"],
)
def test_an_evaluation_before_training_shows_whether_the_steep_start_is_missing(
    power: float, first: int, lost: float, fires: bool
):
    at = np.arange(first, 101, 20)
    dose = np.interp(at, [0, *range(1, 101)], [0, *DOSE])
    held = curve(4.8 - lost * dose**power, at)
    rough = curve((4.8 - lost * DOSE**power) * noise(0.05, 100))
    assert (
        fired(
            "rate-runs-out",
            train_loss=rough,
            learning_rate=1e-4 * COSINE,
            settings=Settings(),
            rate_prior=SFT,
            eval_loss=held,
        )
        is fires
    )


@pytest.mark.parametrize(("last", "expected"), [(4.34, True), (4.37, False)])
def test_a_few_evaluations_that_only_fall_are_falling_however_much_they_bend(last: float, expected: bool):
    assert falls_late(curve([4.80, 4.63, 4.50, 4.41, 4.36, last])) is expected


@pytest.mark.parametrize(("lost", "expected"), [(0.003, True), (0.06, False)])
def test_single_noisy_batches_do_not_hide_that_the_held_out_loss_barely_falls(lost: float, expected: bool):
    held = curve(1.5 * (1.0 - lost * np.linspace(0, 1, 6) ** 0.5), [0, 5, 10, 15, 20, 24])
    assert (learns_slowly(Losses(curve(1.2 * noise(0.2, 24)), held), LIMITS) is not None) is expected


@pytest.mark.parametrize(("rate", "fires"), [(3e-5, True), (1.5e-4, False)])
def test_flat_evaluations_beside_noisy_batches_speak_for_a_low_rate_where_it_is_far_below_the_center(
    rate: float, fires: bool
):
    held = curve(1.5 + 0.003 * (-1.0) ** np.arange(12), np.linspace(8, 100, 12))
    batches = curve(1.5 * noise(0.1, 100, seed=2))
    assert (
        fired("rate-too-low", train_loss=batches, settings=Settings(learning_rate=rate), rate_prior=SFT, eval_loss=held)
        is fires
    )
    fallen = curve(1.5 * noise(0.1, 100, seed=2) * (1.0 + 0.5 * np.exp(-np.arange(100) / 4)))
    assert not fired(
        "rate-too-low", train_loss=fallen, settings=Settings(learning_rate=rate), rate_prior=SFT, eval_loss=held
    )


def test_noisy_batches_alone_are_no_proof_of_slow_learning():
    assert learns_slowly(Losses(curve(1.2 * noise(0.2, 24))), LIMITS) is None


@pytest.mark.parametrize(("parameters", "fires"), [(1_000_000, True), (1_600_000, False), (None, False)])
def test_an_adapter_is_small_for_more_tokens_than_parameters(parameters: int | None, fires: bool):
    """Rank 32 is no small rank, but three million tokens a pass are many for a million parameters."""
    tokens = curve(6_000_000 * np.arange(1, 101) / 100)
    settings = Settings(lora_r=32, learning_rate=9e-4, num_train_epochs=2.0, trainable_parameters=parameters)
    found = evaluate("adapter-too-small", train_loss=LINE, settings=settings, rate_prior=SFT, num_tokens=tokens)
    assert bool(found) is fires
    if found:
        assert found.measured["tokens_per_parameter"] == pytest.approx(3.0)


def test_the_noise_of_single_batches_does_not_hide_a_held_out_loss_that_stays_from_the_first_step_on():
    rng = np.random.default_rng(3)
    batches = 4.7 * (1.0 + 0.08 * rng.standard_normal(41))
    held = curve(np.array([4.695, 4.692, 4.690, 4.689, 4.688, 4.688]), np.arange(0, 41, 8))
    assert learns_slowly(Losses(curve(batches), held), LIMITS) is not None
    falling = curve(batches - np.linspace(0.0, 1.0, 41))
    assert learns_slowly(Losses(falling, held), LIMITS) is None


@pytest.mark.parametrize(("risen", "expected"), [(0.0, False), (0.01, False), (0.05, True)])
def test_a_rate_that_threw_the_held_out_loss_up_is_known(risen: float, expected: bool):
    held = curve(np.array([2.0, 2.0 * (1.0 + risen), 1.995, 1.99, 1.985, 1.98]), np.arange(0, 101, 20))
    assert has_risen(curve(LINE), held, ROSE) is expected


def test_the_wiggles_of_a_noisy_held_out_loss_are_no_rise():
    assert not has_risen(curve(LINE), curve(2.0 * noise(0.01, 20), np.arange(5, 101, 5)), ROSE)


@pytest.mark.parametrize(("risen", "expected"), [(0.0, False), (0.3, True)])
def test_without_a_held_out_loss_the_training_loss_tells_that_it_was_thrown_up(risen: float, expected: bool):
    values = (2.0 - 0.5 * SHARE + risen * np.exp(-(((SHARE - 0.3) / 0.1) ** 2))) * noise(0.03, 100)
    assert has_risen(curve(values), None, ROSE) is expected
    assert not has_risen(curve(values[:13]), None, ROSE)
