"""What the model of the run wants to train next."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from tests.tuner.madeup import BATCH, RATE
from tests.tuner.search.form_runs import LOW, SPACE, START, posterior, trial
from tuner.config.search_space import Choice, Range
from tuner.search.distributions import distributions
from tuner.search.run_model import acquire
from tuner.search.run_model.acquire import best_choice
from tuner.search.run_model.candidates import neighbors
from tuner.search.run_model.posterior import RunModel
from tuner.search.trial_view import TrialView


def test_a_flat_run_of_unknown_side_is_left_upwards():
    first = trial(0, 1e-4, loss=START)
    choice = best_choice(posterior(first), [first], SPACE, may_repeat=False)
    assert choice is not None and choice.settings["learning_rate"] > 1e-4


def test_a_stopped_run_is_weak_evidence_and_may_be_run_again_to_its_end_once():
    whole = [trial(0, 1e-4), trial(1, 3e-4)]
    half = trial(2, 1e-3, loss=1.0, stopped_at=0.5)
    at = [half.settings]
    spread = [float(posterior(*whole, one).heights(at)[0].std()) for one in (half, replace(half, stopped_at=None))]
    assert spread[0] > 2 * spread[1]
    again = replace(half, number=3, seed=1, stopped_at=None)
    found = posterior(*whole, half, again)
    choice = best_choice(found, [*whole, half, again], SPACE, may_repeat=True)
    assert choice is None or choice.repeats is None or choice.repeats.settings != half.settings or choice.repeats


@pytest.mark.parametrize(("share", "first", "is_beside"), [(0.0, 2, False), (math.inf, 2, True), (math.inf, 3, False)])
def test_where_the_model_expects_little_after_the_first_trials_it_looks_beside_the_best(
    share: float, first: int, is_beside: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(acquire, "LITTLE", share)
    monkeypatch.setattr(acquire, "MIN_TRIALS", first)
    known = [trial(0, 1e-6, 32), trial(1, 1e-5, 32), trial(2, 3e-5, 32, label="underfit", advice=LOW)]
    choice = best_choice(posterior(*known), known, SPACE, may_repeat=False)
    assert choice is not None
    beside = neighbors(known[2].settings, SPACE)
    rates = [(one["learning_rate"], one["batch_size"]) for one in beside]
    expected = [(9.5e-6, 32), (9.5e-5, 32), (3e-5, 16), (9.5e-6, 16), (9.5e-5, 16)]
    assert rates == [pytest.approx(one, rel=0.01) for one in expected]
    assert (choice.settings in beside) is is_beside
    assert choice.beside == (2 if is_beside else None)


@pytest.mark.parametrize(
    ("method", "own", "other"),
    [("sft", "STOPPED_SAVES", "STOPPED_SAVES_LATE"), ("dpo", "STOPPED_SAVES_LATE", "STOPPED_SAVES")],
)
def test_a_risky_rate_is_tried_only_where_stopping_saves_most_of_a_run(
    method: str, own: str, other: str, monkeypatch: pytest.MonkeyPatch
):
    known = [trial(number, rate, method=method) for number, rate in enumerate((1e-5, 3e-4))]

    def rate(**saves: float) -> float:
        with monkeypatch.context() as patched:
            for name, share in saves.items():
                patched.setattr(acquire, name, share)
            choice = best_choice(posterior(*known), known, SPACE, may_repeat=False)
        assert choice is not None
        return float(choice.settings["learning_rate"])

    assert rate() == rate(**{other: 0.95}) < 5e-4 < rate(**{own: 0.95})


def test_pending_trials_count_so_that_four_workers_differ():
    trials = [trial(0, 1e-5, advice=LOW)]
    model = RunModel(SPACE)
    for number in range(1, 5):
        found = model.posterior(trials)
        assert found is not None
        choice = best_choice(found, trials, SPACE, may_repeat=False)
        assert choice is not None
        trials.append(TrialView(number, choice.settings, None, running=True))
    settings = {tuple(one.settings.items()) for one in trials}
    assert len(settings) == 5
    assert len({one.settings["learning_rate"] for one in trials[1:]}) > 1


def test_the_first_workers_are_served_before_any_run_has_ended():
    first = TrialView(0, {"learning_rate": 1e-4, "batch_size": 16}, None, running=True)
    choice = best_choice(posterior(first), [first], SPACE, may_repeat=False)
    assert choice is not None and choice.settings != first.settings
    assert RunModel(SPACE).posterior([]) is None


def test_close_rivals_are_run_again_once_enough_settings_were_tried():
    values = (1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 6e-4)
    losses = [0.69, 0.69, 0.68, 0.62, 0.5, 0.3, 0.31]

    def repeated(count: int, choices: tuple[float, ...]) -> int | None:
        space = distributions({"learning_rate": Choice(choices)})
        rows = list(zip(values, losses, strict=True))[-count:]
        known = [
            TrialView(number, {"learning_rate": rate}, loss, start=math.log(2), method="dpo")
            for number, (rate, loss) in enumerate(rows)
        ]
        model = RunModel(space).posterior(known)
        assert model is not None
        choice = best_choice(model, known, space, may_repeat=True)
        assert choice is not None
        return None if choice.repeats is None else choice.repeats.number

    assert repeated(4, values) is None
    assert repeated(6, values) in (4, 5)
    assert repeated(4, values[-4:]) in (2, 3), "nothing new is left"


@pytest.mark.parametrize(
    "space",
    [
        {"learning_rate": RATE, "lora_target_modules": Choice(("q_proj|v_proj", "all-linear"))},
        {"learning_rate": RATE, "lr_scheduler_type": Choice(("linear", "cosine")), "lora_dropout": Range(0.0, 0.2)},
        {"learning_rate": Choice((1e-5, 1e-4, 1e-3)), "num_train_epochs": Choice((1, 2, 3))},
        {"batch_size": BATCH, "lora_r": Range(4, 64, log=True, integer=True)},
    ],
)
def test_settings_without_a_form_are_searched_as_well(space: dict[str, Any]):
    spans = distributions(space)
    first = {"learning_rate": 1e-4, "batch_size": 16, "lora_r": 8, "num_train_epochs": 1, "lora_dropout": 0.0}
    first |= {"lora_target_modules": "all-linear", "lr_scheduler_type": "linear"}
    trials = [TrialView(0, {knob: first[knob] for knob in spans}, 1.5, start=2.0, method="sft")]
    model = RunModel(spans)
    for number in range(1, 9):
        found = model.posterior(trials)
        assert found is not None
        choice = best_choice(found, trials, spans, may_repeat=False)
        if choice is None:
            break
        trials.append(TrialView(number, choice.settings, 1.4 + 0.01 * number, start=2.0, method="sft"))
    for knob in spans:
        assert len({one.settings[knob] for one in trials}) > 1, knob
