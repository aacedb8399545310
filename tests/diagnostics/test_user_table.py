"""The lines of the diagnosis table about underfitting: what fires, what does not, and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.diagnosis.advice import advise
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Run
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate, RateSide
from diagnostics.model.rate_prior import rate_prior_of
from diagnostics.model.records import Label
from diagnostics.model.settings import Settings
from diagnostics.rules.remedies import RAISE_RATE
from diagnostics.rules.rule import Case
from diagnostics.rules.underfit_causes import BATCH_TOO_LARGE
from diagnostics.synthetic import make
from tests.diagnostics.user_table import FALLING, LORA, SHARE, N, advised, noise, rules, run, slow

# train≈val, both high -> underfit: raise the rate, lower the batch; not model size first, not just longer


def test_both_high_and_barely_falling_is_underfit_and_raises_the_rate_first():
    found = diagnose(slow(0.015, learning_rate=3e-5))
    assert (found.label, found.cause) == (Label.UNDERFIT, "rate-too-low")
    assert found.advice[0].knob == "learning_rate"
    assert "lora_r" not in [advice.knob for advice in found.advice]
    assert found.advice[0].factor > 1


def test_both_falling_and_flattening_is_healthy():
    assert diagnose(run(FALLING * noise(0.02), FALLING + 0.01)).label is Label.HEALTHY


def test_a_healthy_fall_of_a_few_percent_is_not_underfit_whatever_its_level():
    level = 5.0 + 0.2 * (1 + 60 * SHARE) ** -0.8
    assert diagnose(run(level * noise(0.003), level + 0.01)).label is Label.HEALTHY


# the causes: rate too small / batch too large / regularization too strong / too few steps


@pytest.mark.parametrize(
    ("known", "cause", "knob"),
    [
        ({"learning_rate": 5e-5}, "rate-too-low", "learning_rate"),
        ({"max_steps": 80, "batch_size": 256}, "too-few-updates", "batch_size"),
        ({"batch_size": 512}, "batch-too-large", "batch_size"),
        ({"lora_dropout": 0.3}, "regularization-too-strong", "lora_dropout"),
        ({"neftune_noise_alpha": 10.0, "lora_dropout": 0.0}, "regularization-too-strong", "neftune_noise_alpha"),
        ({"lora_r": 4, "learning_rate": 8e-4}, "adapter-too-small", "target_modules"),
        ({"max_steps": 100}, "still-improving", "num_train_epochs"),
    ],
)
def test_the_settings_explain_underfit(known: dict[str, object], cause: str, knob: str):
    found = diagnose(slow(num_train_epochs=1.0, **known))
    assert (found.label, found.cause) == (Label.UNDERFIT, cause)
    assert found.advice[0].knob == knob


def test_at_the_usual_settings_a_flattened_curve_has_none_of_the_causes():
    settings = {"lora_dropout": 0.3, "batch_size": 512, "max_steps": 100}
    assert diagnose(run(FALLING * noise(0.01), FALLING, **settings)).label is Label.HEALTHY


# the rate goes up, 1e-5 -> 3e-5 -> 1e-4: by the estimate of where it stands, tenfold at most


@pytest.mark.parametrize("old", [3e-5, 5e-5, 1e-4])
def test_the_rate_is_raised_by_the_median_of_its_estimate(old: float):
    found = diagnose(slow(learning_rate=old))
    advice, estimate = found.advice[0], found.rate
    assert estimate is not None
    assert (advice.knob, advice.old) == ("learning_rate", old)
    assert advice.factor == pytest.approx(min(10.0, 10.0**-estimate.median), rel=0.1)
    assert estimate.probability_below(0.0) > 0.9


def test_where_the_estimate_cannot_tell_the_rate_is_tripled():
    case = Case(Settings.from_mapping({**LORA, "learning_rate": 5e-5}), rate_prior_of(Settings.from_mapping(LORA)), {})
    (advice,) = advise((RAISE_RATE,), case, because="rate-too-low", confidence=0.8, bounds={})
    assert advice.new == pytest.approx(1.5e-4)


@pytest.mark.parametrize("rate", [1e-5, 9e-6, 8e-6, 1e-6, 1e-7])
def test_one_advice_raises_the_rate_at_most_tenfold(rate: float):
    assert diagnose(slow(learning_rate=rate)).advice[0].new == pytest.approx(10 * rate)


def test_without_settings_the_same_is_advised_as_a_factor():
    bare = slow()
    found = diagnose(Run("bare", bare.curves))
    assert (found.label, found.cause) == (Label.UNDERFIT, "rate-too-low")
    assert (found.advice[0].knob, found.advice[0].new) == ("learning_rate", None)
    assert found.advice[0].factor >= 3.0


def test_the_rates_of_preference_runs_are_lower():
    found = diagnose(make("preferences-not-learned", 0.6))
    assert found.advice[0].old == 1e-6
    assert 3e-6 <= found.advice[0].new <= 1e-5


# batch 1024 -> 256


def test_a_batch_of_1024_becomes_256_and_a_rate_that_looks_too_low_is_not_halved_with_it():
    found = diagnose(slow(batch_size=1024))
    assert (found.cause, found.advice[0].old, found.advice[0].new) == ("batch-too-large", 1024, 256)
    assert found.rate is not None and found.rate.tells(RateSide.TOO_LOW)
    assert not any(advice.knob == "learning_rate" and (advice.factor or 1.0) < 1.0 for advice in found.advice)


@pytest.mark.parametrize(("median", "factor"), [(None, 0.5), (0.3, 0.5), (-1.0, None)])
def test_the_rate_is_halved_with_the_batch_at_the_center_unless_it_looks_too_low(
    median: float | None, factor: float | None
):
    settings = slow(batch_size=1024).settings
    estimate = None
    if median is not None:
        likely = -0.5 * ((np.asarray(OFFSETS) - median) / 0.3) ** 2
        estimate = RateEstimate.of(likely, likely, settings.learning_rate)
    case = Case(settings, rate_prior_of(settings), {}, estimate)
    found = advise(BATCH_TOO_LARGE.fixes, case, because="batch-too-large", confidence=0.9, bounds={})
    rate = next((advice.factor for advice in found if advice.knob == "learning_rate"), None)
    assert rate == (None if factor is None else pytest.approx(factor, abs=0.03))


def test_the_rate_is_kept_or_raised_below_the_center():
    found = diagnose(slow(batch_size=1024, learning_rate=1e-4))
    assert advised(found, "learning_rate").factor > 1


def test_a_batch_of_64_is_not_too_large_and_full_fine_tuning_takes_large_ones():
    assert "batch-too-large" not in rules(diagnose(slow(batch_size=64)))
    assert "batch-too-large" not in rules(diagnose(slow(batch_size=1024, use_peft=False, lora_r=None)))


# train falls fast, val does not -> expressiveness (weak)


def test_train_falling_alone_in_one_epoch_is_a_probe_of_low_confidence():
    found = diagnose(run(FALLING * noise(0.01), np.full(N, 1.62) * noise(0.001, 1), num_train_epochs=1.0))
    assert (found.label, found.cause) == (Label.UNDERFIT, "train-falls-alone")
    assert found.confidence <= 0.3
    assert [advice.knob for advice in found.advice] == ["data", "learning_rate", "lora_r"]
    assert advised(found, "learning_rate").factor == pytest.approx(3, abs=0.4)


@pytest.mark.parametrize("epochs", [3.0, None])
def test_with_repeats_or_unknown_epochs_train_falling_alone_is_not_found(epochs: float | None):
    found = diagnose(run(FALLING * noise(0.01), np.full(N, 1.62) * noise(0.001, 1), num_train_epochs=epochs))
    assert "train-falls-alone" not in rules(found)


def test_batch_noise_in_train_alone_is_healthy():
    assert diagnose(run(FALLING * noise(0.08), FALLING)).label is Label.HEALTHY


# large batch -> larger rate with warm-up and an upper limit


def test_a_larger_batch_takes_a_rate_up_by_its_square_root():
    found = diagnose(slow(batch_size=128, warmup_ratio=0.0))
    assert found.cause == "rate-low-for-batch"
    assert found.advice[0].new == pytest.approx(5e-4)
    assert advised(found, "warmup_ratio").new == 0.03


def test_the_growth_stops_at_twofold_and_at_the_cap():
    low = diagnose(slow(batch_size=128, learning_rate=1.1e-4))
    assert low.cause == "rate-too-low"
    assert low.advice[0].new <= 1e-3
    capped = diagnose(slow(batch_size=128, learning_rate=2.6e-4), bounds={"learning_rate": (1e-5, 2.7e-4)})
    assert capped.advice[0].new <= 2.7e-4


def test_beyond_128_rows_the_batch_shrinks_instead():
    assert diagnose(slow(batch_size=256)).cause == "batch-too-large"
