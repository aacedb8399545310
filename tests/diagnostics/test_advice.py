"""From a fix to numbers: factors, caps, ladder, direction, and words where the log is silent."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.diagnosis.advice import advise
from diagnostics.model.rate_estimate import OFFSETS, RateEstimate
from diagnostics.model.rate_prior import Bounds, rate_prior_of
from diagnostics.model.records import Advice
from diagnostics.model.settings import Settings
from diagnostics.rules import RULES, Case, Fix

SFT = Settings(method="sft", use_peft=True)


def advice_of(fix: Fix, settings: Settings, bounds: Bounds | None = None, **measured: float) -> Advice | None:
    case = Case(settings, rate_prior_of(settings, bounds), measured)
    found = advise((fix,), case, because="a-rule", confidence=0.8, bounds=bounds or {})
    return found[0] if found else None


def sft(**known: object) -> Settings:
    return SFT.merged(Settings.from_mapping(known))


def rate(times: float) -> Fix:
    return Fix("learning_rate", "change the learning rate", "a better loss", times=times)


@pytest.mark.parametrize(
    ("old", "new"), [(1e-5, 3e-5), (3e-5, 1e-4), (1e-4, 3e-4), (3e-4, 1e-3), (2e-5, 6e-5), (1.7e-4, 5.1e-4)]
)
def test_three_times_a_rate_on_the_grid_is_the_next_rate(old: float, new: float):
    assert advice_of(rate(3), sft(learning_rate=old)).new == pytest.approx(new)


@pytest.mark.parametrize(("old", "new"), [(1e-3, 3e-4), (3e-4, 9e-5), (2e-4, 6e-5)])
def test_a_third_of_a_rate(old: float, new: float):
    assert advice_of(rate(0.3), sft(learning_rate=old)).new == pytest.approx(new, rel=0.12)


def test_advice_holds_knob_values_factor_and_the_fix():
    found = advice_of(rate(3), sft(learning_rate=3e-5))
    assert (found.knob, found.fix, found.nominal) == ("learning_rate", rate(3).description, 3)
    assert (found.old, found.new, found.because, found.confidence) == (3e-5, 1e-4, "a-rule", 0.8)
    assert found.factor == pytest.approx(10 / 3)


def test_the_cap_bounds_the_rate_and_at_the_cap_there_is_no_advice():
    assert advice_of(rate(3), sft(learning_rate=6e-4)).new == 1e-3
    assert advice_of(rate(3), sft(learning_rate=1e-3)) is None
    assert advice_of(rate(3), sft(learning_rate=5e-3)) is None


def test_a_cut_is_never_a_raise():
    cut = Fix("batch_size", "use a quarter", "more updates", times=0.25, at_least=4)
    assert advice_of(cut, sft(batch_size=8)).new == 4
    assert advice_of(cut, sft(batch_size=4)) is None
    assert advice_of(cut, sft(batch_size=2)) is None


def test_a_raise_is_never_a_cut():
    double = Fix("batch_size", "double", "less noise", times=2.0, at_most=128)
    assert advice_of(double, sft(batch_size=100)).new == 128
    assert advice_of(double, sft(batch_size=128)) is None
    assert advice_of(double, sft(batch_size=512)) is None


def test_the_users_range_replaces_the_cap():
    bounds = {"learning_rate": (1e-5, 5e-3), "batch_size": (8.0, 32.0)}
    assert advice_of(rate(3), sft(learning_rate=2e-3), bounds).new == 5e-3
    assert advice_of(rate(0.1), sft(learning_rate=5e-5), bounds).new == 1e-5
    assert advice_of(Fix("batch_size", "double", "-", times=2.0), sft(batch_size=32), bounds) is None


def test_without_the_old_value_the_advice_is_a_factor():
    found = advice_of(Fix("learning_rate", "triple it", "-", times=3.0), Settings())
    assert (found.old, found.new, found.factor, found.fix) == (None, None, 3.0, "triple it")


def test_the_logged_rate_stands_in_for_the_setting():
    assert advice_of(rate(3), SFT, rate=1e-5).new == 3e-5


def test_a_target_needs_no_old_value():
    found = advice_of(Fix("max_grad_norm", "clip at 0.3", "-", to=0.3), Settings())
    assert (found.old, found.new, found.fix) == (None, 0.3, "clip at 0.3")


def test_text_settings_are_set_once():
    fix = Fix("lr_scheduler_type", "decay", "-", to="cosine")
    assert advice_of(fix, sft(lr_scheduler_type="constant")).new == "cosine"
    assert advice_of(fix, sft(lr_scheduler_type="cosine")) is None


def test_the_first_fix_of_a_knob_whose_condition_holds_is_given():
    fixes = (
        Fix("learning_rate", "a", "-", times=0.1, when=lambda case: False, condition="never"),
        rate(0.5),
        rate(0.9),
    )
    case = Case(sft(learning_rate=1e-3), rate_prior_of(SFT), {})
    found = advise(fixes, case, because="r", confidence=1.0, bounds={})
    assert [advice.new for advice in found] == [5e-4]


def knobs_advised(rule: str, **known: object) -> list[str]:
    row = next(row for row in RULES if row.name == rule)
    case = Case(sft(**known), rate_prior_of(SFT), {})
    return [advice.knob for advice in advise(row.fixes, case, because=rule, confidence=0.8, bounds={})]


@pytest.mark.parametrize("rule", ["loss-spikes", "train-and-eval-jitter"])
def test_below_a_third_of_the_usual_rate_the_data_are_suspected_too(rule: str):
    assert "data" in knobs_advised(rule, learning_rate=5e-5)
    assert "data" not in knobs_advised(rule, learning_rate=1e-3)
    assert "data" not in knobs_advised(rule)


def test_an_overflow_in_fp16_is_met_by_bf16():
    assert "data" in knobs_advised("loss-not-finite", fp16=True)
    assert "data" not in knobs_advised("loss-not-finite", bf16=True)


@pytest.mark.parametrize("knob", ["data", "checkpoint", "eval_set", "target_modules"])
def test_what_is_not_a_setting_is_only_described(knob: str):
    found = advice_of(Fix(knob, "look there", "-"), SFT)
    assert (found.old, found.new, found.factor, found.fix) == (None, None, None, "look there")


@pytest.mark.parametrize(("times", "new"), [(8.0, 8e-5), (10.0, 1e-4), (30.0, 1e-4), (0.2, 2e-6), (0.02, 3e-7)])
def test_one_advice_raises_the_rate_at_most_tenfold_and_cuts_it_at_most_thirtyfold(times: float, new: float):
    assert advice_of(rate(times), sft(learning_rate=1e-5)).new == pytest.approx(new)


def test_the_users_range_may_ask_for_more_than_tenfold():
    assert advice_of(rate(3), sft(learning_rate=1e-7), {"learning_rate": (1e-5, 1e-3)}).new == 1e-5


def test_other_settings_may_move_further():
    assert advice_of(Fix("warmup_ratio", "longer", "-", times=4.0, at_least=0.03), sft(warmup_ratio=0.001)).new == 0.03


def test_advice_for_the_rate_holds_the_usual_range_where_the_method_is_known():
    assert advice_of(rate(0.3), sft(learning_rate=5e-3)).usual == (1e-4, 5e-4)
    assert advice_of(rate(0.3), Settings(learning_rate=5e-3)).usual is None
    assert advice_of(Fix("batch_size", "double", "-", times=2.0), sft(batch_size=8)).usual is None


def test_no_range_is_called_usual_that_the_advice_itself_leaves():
    assert advice_of(rate(3), sft(learning_rate=1e-4)).usual == (1e-4, 5e-4)
    assert advice_of(rate(3), sft(learning_rate=3e-4)).usual is None
    assert advice_of(rate(0.3), sft(learning_rate=2e-4)).usual is None
    assert advice_of(rate(3), sft(learning_rate=1e-6)).usual == (1e-4, 5e-4)  # on its way there


def test_the_usual_range_is_read_back():
    found = advice_of(rate(0.3), sft(learning_rate=5e-3))
    assert Advice.from_dict(found.to_dict()).usual == (1e-4, 5e-4)
    assert "usual" not in advice_of(rate(0.3), Settings(learning_rate=5e-3)).to_dict()


@pytest.mark.parametrize("rule", ["loss-diverges", "loss-overshoots"])
@pytest.mark.parametrize(("highest", "factor"), [(9.9, 0.3), (10.1, 0.1)])
def test_a_rate_that_throws_the_loss_to_ten_times_its_start_goes_down_by_ten(rule: str, highest: float, factor: float):
    row = next(row for row in RULES if row.name == rule)
    case = Case(Settings(learning_rate=5e-3), rate_prior_of(Settings()), {"start": 1.0, "highest": highest})
    found = advise(row.fixes, case, because=rule, confidence=0.8, bounds={})
    assert found[0].factor == pytest.approx(factor)


def test_after_a_blow_up_the_rate_is_cut_by_its_estimate_where_that_tells():
    row = next(row for row in RULES if row.name == "loss-diverges")
    at = np.asarray(OFFSETS)
    seen = RateEstimate.of(-0.5 * ((at - 0.6) / 0.2) ** 2, -0.5 * ((at - 0.6) / 0.2) ** 2)
    case = Case(Settings(learning_rate=5e-3), rate_prior_of(Settings()), {"start": 1.0, "highest": 11.0}, seen)
    found = advise(row.fixes, case, because=row.name, confidence=0.8, bounds={})
    assert found[0].factor == pytest.approx(10**-0.6, rel=0.1)
