"""The diagnosis table, line by line: what fires, what does not, and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.diagnosis.advice import advise
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Curve, FloatArray, Run
from diagnostics.model.rate_prior import rate_prior_of
from diagnostics.model.records import Advice, Diagnosis, Label
from diagnostics.model.settings import Settings
from diagnostics.rules.remedies import RAISE_RATE
from diagnostics.rules.rule import Case
from diagnostics.synthetic import make

LORA = {
    "method": "sft",
    "use_peft": True,
    "learning_rate": 2.5e-4,
    "batch_size": 16,
    "warmup_ratio": 0.03,
    "lora_r": 16,
}
N = 100
X = np.arange(1.0, N + 1)
SHARE = X / N
FALLING = 1.1 + 0.9 * (1 + 60 * SHARE) ** -0.8


def noise(scale: float, seed: int = 0, size: int = N) -> FloatArray:
    return np.exp(scale * np.random.default_rng(seed).standard_normal(size))


def run(train: FloatArray, held: FloatArray | None = None, *, evals: int = 12, **known: object) -> Run:
    curves = {"train_loss": Curve.from_points(X, train)}
    if held is not None:
        at = np.linspace(N / evals - 1, N - 1, evals).round().astype(int)
        curves["eval_loss"] = Curve.from_points(X[at], held[at])
    return Run("run", curves, Settings.from_mapping({**LORA, **known}))


def slow(lost: float = 0.06, **known: object) -> Run:
    """Training and held-out loss fall together along a straight line, by ``lost`` of their level."""
    fall = 1.9 * (1 - lost * SHARE)
    return run(fall * noise(0.003), fall * 1.01, **known)


def advised(found: Diagnosis, knob: str) -> Advice:
    return next(advice for advice in found.advice if advice.knob == knob)


def rules(found: Diagnosis) -> list[str]:
    return [finding.rule for finding in found.findings]


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


def test_a_batch_of_1024_becomes_256_and_the_rate_is_halved_with_it_at_the_center():
    found = diagnose(slow(batch_size=1024))
    assert (found.cause, found.advice[0].old, found.advice[0].new) == ("batch-too-large", 1024, 256)
    assert advised(found, "learning_rate").factor == pytest.approx(0.5, abs=0.03)


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


# train falls, val rises -> overfit: lower rate, bigger batch, stop at the minimum


def rising(by: float, **known: object) -> Run:
    held = np.where(SHARE < 0.4, 1.5 - 0.5 * SHARE, 1.3 + by * 1.3 * (SHARE - 0.4) / 0.6)
    return run((1.5 - 0.9 * SHARE) * noise(0.01), held * noise(0.001, 1), num_train_epochs=4.0, **known)


def test_val_rising_while_train_falls_is_overfit_with_the_free_remedy_first():
    found = diagnose(rising(0.15))
    assert (found.label, found.cause) == (Label.OVERFIT, "eval-loss-rises")
    assert found.best_step == pytest.approx(40, abs=9)
    assert [advice.knob for advice in found.advice[:4]] == [
        "checkpoint",
        "num_train_epochs",
        "learning_rate",
        "batch_size",
    ]
    assert advised(found, "num_train_epochs").new == 2
    assert advised(found, "learning_rate").factor == pytest.approx(0.5, abs=0.03)
    assert advised(found, "batch_size").new == 32


@pytest.mark.parametrize(("by", "label"), [(0.01, Label.HEALTHY), (0.04, Label.OVERFIT)])
def test_a_rise_counts_from_two_percent_on(by: float, label: Label):
    assert diagnose(rising(by)).label is label


def test_a_rise_within_the_noise_does_not_count():
    held = 1.3 * noise(0.05, 3)
    assert diagnose(run((1.5 - 0.3 * SHARE) * noise(0.01), held)).label is not Label.OVERFIT


def test_both_rising_is_not_overfit():
    found = diagnose(run((1 + SHARE) * noise(0.01), 1 + SHARE))
    assert found.label is Label.UNSTABLE


# both jitter -> rate x0.5 / x0.3, raise batch, longer warm-up 500 -> 2000


@pytest.mark.parametrize(("scale", "factor"), [(0.12, 0.5), (0.6, 0.3)])
def test_joint_jitter_halves_the_rate_or_cuts_it_to_a_third(scale: float, factor: float):
    found = diagnose(run(1.5 * noise(scale), 1.5 * noise(scale, 7), evals=20, learning_rate=1e-3))
    assert found.label is Label.UNSTABLE
    assert found.advice[0].knob == "learning_rate"
    assert found.advice[0].factor == pytest.approx(factor, abs=0.03)
    assert advised(found, "batch_size").factor == 2
    assert advised(found, "warmup_ratio").new <= 0.1


def test_batch_noise_in_train_alone_is_healthy():
    assert diagnose(run(FALLING * noise(0.08), FALLING)).label is Label.HEALTHY


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


# tiny batch + tiny rate = memorization (weak)


def memorizing(**known: object) -> Run:
    settings = {"learning_rate": 5e-5, "batch_size": 2, "num_train_epochs": 6.0, **known}
    return run((FALLING - 0.4 * SHARE) * noise(0.01), np.full(N, 1.5) * noise(0.001, 1), **settings)


def test_tiny_rate_and_many_epochs_is_a_finding_of_low_confidence_that_moves_both():
    found = diagnose(memorizing())
    finding = next(f for f in found.findings if f.rule == "tiny-rate-many-epochs")
    assert finding.confidence <= 0.3
    assert found.cause != "tiny-rate-many-epochs"
    by = {advice.knob: advice for advice in found.advice if advice.because == "tiny-rate-many-epochs"}
    assert by["learning_rate"].factor == pytest.approx(3, abs=0.4)
    assert by["num_train_epochs"].new == 3


@pytest.mark.parametrize("known", [{"num_train_epochs": 1.0}, {"learning_rate": 2.5e-4}])
def test_one_epoch_or_a_usual_rate_does_not_memorize(known: dict[str, float]):
    assert "tiny-rate-many-epochs" not in rules(diagnose(memorizing(**known)))
