"""Losses that are not finite or diverge."""

from __future__ import annotations

import numpy as np
import pytest

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


@pytest.mark.parametrize(
    ("broken", "logs", "fires"),
    [
        ([6], 10, False),
        ([3], 8, True),
        ([7], 10, True),
        ([5, 6], 10, True),
        ([20, 60], 100, False),
        ([20, 60, 90], 100, True),
    ],
    ids=["three logs since", "seven others", "two logs since", "two of ten", "2 %", "3 %"],
)
def test_a_loss_that_is_not_finite_once_and_goes_on_is_a_step_that_fp16_skipped_or_counts_less(
    broken: list[int], logs: int, fires: bool
):
    values = np.ones(logs)
    values[broken] = NAN
    good, fp16 = [1.0] * logs, Settings(fp16=True)
    assert fired("loss-not-finite", train_loss=curve(values), settings=fp16) is fires
    assert fired("loss-not-finite", train_loss=good, eval_loss=curve(values), settings=fp16) is fires
    assert fired("loss-not-finite", train_loss=good, grad_norm=curve(values))
    found = evaluate("loss-not-finite", train_loss=curve(values))
    assert ("passed" in found.measured, found.strength < 1.0) == (not fires, not fires)


def test_without_any_loss_it_cannot_be_evaluated():
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


def test_a_climb_of_unlike_batches_is_no_divergence_where_the_held_out_loss_is_still():
    batches = curve([1.18, 1.08, 1.30, 1.17, 1.36, 1.18, 1.37, 1.56])
    still, risen = curve([1.541, 1.537, 1.536], [0, 4, 8]), curve([1.541, 1.6, 1.9], [0, 4, 8])
    assert not fired("loss-diverges", train_loss=batches, eval_loss=still)
    assert fired("loss-diverges", train_loss=batches, eval_loss=risen)


def test_a_wild_climb_is_divergence_whatever_the_last_evaluation_said():
    assert fired("loss-diverges", train_loss=[1.2, 1.1, 1.0, 4.0, 6.0, 8.0, 9.0], eval_loss=curve([1.5, 1.4], [0, 4]))


def test_batches_of_unlike_rows_climb_by_design_and_the_held_out_loss_decides():
    own = np.where(np.arange(60) % 4 < 2, 0.3, 1.0)
    held = curve([1.0, 0.8, 0.6, 0.5], [1, 20, 40, 60])
    mixed = {"train_loss": own, "settings": Settings(method="gkd")}
    assert not fired("loss-diverges", eval_loss=held, **mixed)
    assert fired("loss-diverges", eval_loss=held, **mixed | {"settings": Settings(method="sft")})
    assert fired("loss-diverges", eval_loss=curve([1.0, 1.2, 2.0, 3.0], [1, 20, 40, 60]), **mixed)
    with cannot_evaluate("curve-missing"):
        evaluate("loss-diverges", **mixed)


@pytest.mark.parametrize(("times", "fires"), [(1.8, False), (4.0, True)])
def test_a_start_that_scatters_as_the_whole_log_does_is_no_climb(times: float, fires: bool):
    """Logs of single batches, each off by 30 %: the first is low, the next two are high."""
    values = 3.0 * np.exp(-np.arange(30) / 10.0) * np.exp(0.3 * np.random.default_rng(3).standard_normal(30))
    values[:3] = 1.5, 1.5 * times, 1.5 * times
    assert fired("loss-diverges", train_loss=values) is fires
    calm = 3.0 * np.exp(-np.arange(30) / 10.0)
    calm[:3] = values[:3]
    assert fired("loss-diverges", train_loss=calm)
