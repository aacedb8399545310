"""Detectors of runs that blow up, jump or jitter: just inside and just outside their limits."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import Curve
from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, healthy, noise

NAN = float("nan")


def test_nan_is_found_wherever_it_is_logged():
    good, bad = curve([1.0] * 5), curve([1, 1, NAN, 1, 1])
    assert evaluate("loss-not-finite", train_loss=bad).measured == {"count": 1, "first": 3, "share": 0.5}
    assert evaluate("loss-not-finite", train_loss=good, eval_loss=bad).first_step == 3
    assert evaluate("loss-not-finite", train_loss=good, grad_norm=bad).first_step == 3
    assert not fired("loss-not-finite", train_loss=good, eval_loss=good, grad_norm=good)


def test_a_log_of_nothing_but_nan_is_found():
    assert evaluate("loss-not-finite", train_loss=[NAN] * 4).measured["count"] == 4


def test_the_loss_scaler_of_fp16_may_skip_a_few_steps():
    norm = curve([float("inf")] + [0.5] * 99)
    assert not fired("loss-not-finite", train_loss=[1.0] * 100, grad_norm=norm, settings=Settings(fp16=True))
    assert fired("loss-not-finite", train_loss=[1.0] * 100, grad_norm=norm, settings=Settings(bf16=True))
    many = curve([float("inf")] * 5 + [0.5] * 95)
    assert fired("loss-not-finite", train_loss=[1.0] * 100, grad_norm=many, settings=Settings(fp16=True))


def test_without_any_loss_it_cannot_be_asked():
    with cannot_evaluate("curve-missing", curves="train_loss, grad_norm"):
        evaluate("loss-not-finite")


@pytest.mark.parametrize(("top", "fires"), [(1.15, True), (1.05, False)])
def test_above_the_start_counts_from_ten_percent_on(top: float, fires: bool):
    values = np.concatenate([np.full(60, 1.0), np.full(40, top)]) * noise(0.002, 100)
    assert fired("loss-diverges", train_loss=values) is fires


def test_above_the_start_must_stand_out_of_the_noise():
    calm, wild = noise(0.005, 100), noise(0.2, 100)
    shape = np.concatenate([np.full(60, 1.0), np.full(40, 1.3)])
    assert fired("loss-diverges", train_loss=shape * calm)
    assert not fired("loss-diverges", train_loss=shape * wild)


@pytest.mark.parametrize(("end", "fires"), [(1.3, False), (1.8, True)])
def test_an_end_far_above_the_best(end: float, fires: bool):
    values = np.concatenate([np.linspace(3, 1, 50), np.linspace(1, end, 50)])
    assert fired("loss-diverges", train_loss=values) is fires


def test_a_preference_loss_that_triples_near_zero_is_no_divergence():
    values = np.concatenate([np.linspace(0.69, 0.01, 50), np.full(50, 0.03)])
    assert not fired("loss-diverges", train_loss=values)


def test_an_early_stay_above_the_start_is_left_to_the_warm_up():
    values = healthy() * noise(0.01, 100)
    values[3:12] *= 1.8
    assert not fired("loss-diverges", train_loss=values)
    values[3:40] *= 1.8
    assert fired("loss-diverges", train_loss=values)


@pytest.mark.parametrize(("by", "fires"), [(0.25, True), (0.1, False)])
def test_a_jump_that_stays(by: float, fires: bool):
    values = 1.2 * noise(0.01, 100)
    values[60:] *= 1 + by
    found = evaluate("loss-jumps", train_loss=values)
    assert (found is not None) is fires
    if found:
        assert found.first_step == pytest.approx(61, abs=4)


def test_a_jump_that_comes_back_is_none():
    values = 1.2 * noise(0.01, 100)
    values[60:70] *= 1.5
    assert not fired("loss-jumps", train_loss=values)


def spiky(count: int, height: float = 1.0) -> Curve:
    values = 1.2 * noise(0.01, 300)
    for start in np.linspace(60, 280, count).astype(int):
        values[start : start + 3] *= 1 + height * np.array([1.0, 0.6, 0.3])
    return curve(values)


@pytest.mark.parametrize(("count", "fires"), [(0, False), (1, False), (2, True), (6, True)])
def test_two_spikes_are_a_pattern_and_one_is_not(count: int, fires: bool):
    found = evaluate("loss-spikes", train_loss=spiky(count))
    assert (found is not None) is fires
    if found:
        assert found.measured["events"] == count
        assert found.measured["recovered"] == 1.0


def test_low_spikes_do_not_count():
    assert not fired("loss-spikes", train_loss=spiky(5, 0.1))


def test_spikes_in_the_warm_up_are_left_to_the_warm_up():
    values = 1.2 * noise(0.01, 300)
    for start in (10, 20, 30):
        values[start : start + 3] *= 2.0
    rate = curve(np.minimum(np.arange(300) / 60, 1.0))
    assert fired("loss-spikes", train_loss=values)
    assert not fired("loss-spikes", train_loss=values, learning_rate=rate)


def test_too_few_losses_for_spikes():
    with cannot_evaluate("too-few-points", have=12, need=20, what="training losses"):
        evaluate("loss-spikes", train_loss=np.ones(12))


@pytest.mark.parametrize(("scale", "fires"), [(0.1, False), (0.35, True)])
def test_swings_of_a_loss_that_does_not_fall(scale: float, fires: bool):
    assert (
        fired(
            "loss-swings",
            train_loss=1.5 * noise(scale, 100),
            settings=Settings(),
            rate_prior=LearningRatePrior(),
        )
        is fires
    )


def test_swings_smaller_than_what_was_learned_are_no_fault():
    values = np.geomspace(3.0, 0.3, 100) * noise(0.3, 100)
    assert not fired("loss-swings", train_loss=values)


def test_batches_that_differ_are_no_swing_where_the_held_out_loss_is_calm():
    swinging, at = curve(1.5 * noise(0.35, 100)), [1, 25, 50, 75, 100]
    calm, swung = curve([1.5, 1.499, 1.498, 1.497, 1.496], at), curve([1.5, 1.9, 1.2, 2.1, 1.4], at)
    assert not fired("loss-swings", train_loss=swinging, eval_loss=calm)
    assert fired("loss-swings", train_loss=swinging, eval_loss=swung)


@pytest.mark.parametrize(("rate", "fires"), [(5e-5, False), (2e-4, True)])
def test_a_rate_far_below_the_usual_one_is_not_blamed_for_swings(rate: float, fires: bool):
    found = evaluate(
        "loss-swings",
        train_loss=1.5 * noise(0.35, 100),
        settings=Settings(learning_rate=rate),
        rate_prior=LearningRatePrior(center=2.5e-4),
    )
    assert (found is not None) is fires


@pytest.mark.parametrize(("last", "fires"), [(0.03, False), (0.3, True)])
def test_jitter_that_grows_without_progress(last: float, fires: bool):
    scale = np.linspace(0.02, last, 200)
    values = 0.69 * np.exp(scale * np.random.default_rng(1).standard_normal(200))
    assert fired("jitter-grows", train_loss=values) is fires


def test_jitter_that_grows_while_the_loss_falls_is_no_fault():
    scale = np.linspace(0.02, 0.3, 200)
    values = np.linspace(0.69, 0.4, 200) * np.exp(scale * np.random.default_rng(1).standard_normal(200))
    assert not fired("jitter-grows", train_loss=values)


@pytest.mark.parametrize(("scale", "fires"), [(0.3, True), (0.02, False)])
def test_jitter_in_the_first_tenth_only(scale: float, fires: bool):
    values = healthy() * noise(0.01, 100)
    values[:10] *= noise(scale, 10, 3)
    assert fired("warmup-too-short", train_loss=values) is fires


def test_jitter_all_along_is_not_the_warm_ups():
    assert not fired("warmup-too-short", train_loss=1.5 * noise(0.2, 100))


@pytest.mark.parametrize(("train", "held", "fires"), [(0.1, 0.1, True), (0.1, 0.01, False), (0.02, 0.1, False)])
def test_joint_jitter_needs_both(train: float, held: float, fires: bool):
    found = evaluate("train-and-eval-jitter", train_loss=1.3 * noise(train, 100), eval_loss=1.3 * noise(held, 20, 1))
    assert (found is not None) is fires


def test_joint_jitter_small_against_the_descent_is_no_fault_under_a_constant_rate():
    train, held = np.geomspace(4, 0.2, 100) * noise(0.1, 100), np.geomspace(4, 0.2, 20) * noise(0.1, 20, 1)
    assert not fired("train-and-eval-jitter", train_loss=train, eval_loss=held)


@pytest.mark.parametrize(("lowest", "fires"), [(0.3, True), (0.05, False)])
def test_the_last_noise_of_a_loss_near_zero_is_no_swing_though_it_goes_with_the_rate(lowest: float, fires: bool):
    rate = np.linspace(1.0, 0.02, 100)
    fall = np.geomspace(1.6, lowest, 100)
    train, held = (
        fall * np.exp(rate * np.log(noise(0.25, 100))),
        (fall * np.exp(rate * np.log(noise(0.25, 100, 1))))[::5],
    )
    assert fired("train-and-eval-jitter", train_loss=train, eval_loss=held, learning_rate=rate) is fires


@pytest.mark.parametrize(("held", "fires"), [(0.05, True), (0.005, False)])
def test_a_held_out_loss_that_jitters_more(held: float, fires: bool):
    evals = curve(1.3 * noise(held, 20, 1), np.arange(5, 101, 5))
    assert fired("eval-jitters-more", train_loss=healthy() * noise(0.005, 100), eval_loss=evals) is fires


@pytest.mark.parametrize(("times", "fires"), [(2.0, False), (8.0, True)])
def test_growing_gradients_count_from_threefold_on(times: float, fires: bool):
    norm = np.concatenate([np.ones(50), np.geomspace(1, times, 50)]) * noise(0.05, 100)
    assert fired("gradients-grow", train_loss=np.full(100, 1.3), grad_norm=norm) is fires


def test_gradients_may_grow_while_the_loss_falls():
    norm = np.concatenate([np.ones(50), np.geomspace(1, 8, 50)])
    assert not fired("gradients-grow", train_loss=np.linspace(2, 1, 100), grad_norm=norm)


def test_a_flat_noisy_loss_is_flat_though_its_noise_ends_lower():
    norm = curve(np.where(np.arange(100) < 50, 0.5, 0.5 * np.exp((np.arange(100) - 50) / 20)))
    found = [fired("gradients-grow", train_loss=1.3 * noise(0.02, 100, seed), grad_norm=norm) for seed in range(20)]
    assert sum(found) >= 14
    falling = [
        evaluate("gradients-grow", train_loss=np.linspace(1.5, 1.3, 100) * noise(0.02, 100, s), grad_norm=norm)
        for s in range(20)
    ]
    assert not any(falling)


@pytest.mark.parametrize(("clipped", "fires"), [(50, False), (51, True)])
def test_clipping_counts_above_half_of_the_steps(clipped: int, fires: bool):
    norm = curve(np.where(np.arange(100) < clipped, 2.0, 0.5))
    assert fired("clips-most-steps", grad_norm=norm, settings=Settings(max_grad_norm=1.0)) is fires


def test_the_limit_of_qlora_is_meant_to_clip():
    norm = curve(np.full(50, 0.8))
    assert not fired("clips-most-steps", grad_norm=norm, settings=Settings(max_grad_norm=0.3, load_in_4bit=True))
    assert evaluate("clips-most-steps", grad_norm=norm, settings=Settings(max_grad_norm=0.3)).measured[
        "quantile"
    ] == pytest.approx(0.8)
    with cannot_evaluate("setting-unknown", settings="max_grad_norm"):
        evaluate("clips-most-steps", grad_norm=norm)


def test_a_climb_of_unlike_batches_is_no_divergence_where_the_held_out_loss_is_still():
    batches = curve([1.18, 1.08, 1.30, 1.17, 1.36, 1.18, 1.37, 1.56])
    still, risen = curve([1.541, 1.537, 1.536], [0, 4, 8]), curve([1.541, 1.6, 1.9], [0, 4, 8])
    assert not fired("loss-diverges", train_loss=batches, eval_loss=still)
    assert fired("loss-diverges", train_loss=batches, eval_loss=risen)


def test_a_wild_climb_is_divergence_whatever_the_last_evaluation_said():
    assert fired("loss-diverges", train_loss=[1.2, 1.1, 1.0, 4.0, 6.0, 8.0, 9.0], eval_loss=curve([1.5, 1.4], [0, 4]))
