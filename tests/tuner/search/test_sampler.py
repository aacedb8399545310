from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, RandomSampler, TPESampler

from diagnostics.model.curves import Curve
from diagnostics.model.message import Message, message
from diagnostics.model.records import Advice, Diagnosis, Finding, Label
from tests.tuner.madeup import BATCH, RATE, WARMUP, Bowl
from tuner.search.attributes import DIAGNOSIS
from tuner.search.distributions import distributions, not_tried, tried_before
from tuner.search.log_diagnosis import record
from tuner.search.noise import evaluation_noise
from tuner.search.run_model.posterior import drawn_from
from tuner.search.sampler import DiagnosisSampler

SPACE = distributions({"learning_rate": RATE, "batch_size": BATCH, "warmup_ratio": WARMUP})
BEST = min(
    Bowl().loss({"learning_rate": 3e-4 * math.sqrt(batch / 16), "batch_size": batch, "warmup_ratio": 0.1})
    for batch in BATCH.values
    if isinstance(batch, int)
)


@pytest.fixture(autouse=True)
def _quiet():
    optuna.logging.set_verbosity(optuna.logging.WARNING)


def search(
    sampler: BaseSampler,
    trials: int,
    rate: float,
    bowl: Bowl | None = None,
    study: optuna.Study | None = None,
    **start: Any,
) -> optuna.Study:
    """A study of the bowl that starts at ``rate``, or continues, for so many trials."""
    bowl = bowl or Bowl()
    if study is None:
        study = optuna.create_study(sampler=sampler)
        study.enqueue_trial({"learning_rate": rate, "batch_size": 16, "warmup_ratio": 0.03, **start})
    for _ in range(trials):
        trial = study.ask(SPACE)
        run = bowl.run(trial.params, "made-up", bowl.points(trial.params), 1.0)
        record(trial, run, bounds={"learning_rate": (RATE.low, RATE.high)})
        evals = run.curves["eval_loss"].values
        study.tell(trial, 2.1 if bowl.diverges(trial.params) else float(evals.min()))
    return study


def true_losses(study: optuna.Study, bowl: Bowl | None = None) -> list[float]:
    return [(bowl or Bowl()).loss(trial.params) for trial in study.trials]


def proposers(study: optuna.Study) -> list[str]:
    return [trial.user_attrs.get("moved_by", "") for trial in study.trials]


@pytest.mark.parametrize("rate", [1e-5, 1e-4, 3e-3])
def test_the_best_is_found_within_2_percent_in_8_trials_from_any_start(rate: float):
    ends = []
    for first in range(0, 4000, 1000):  # one draw of the particles says little
        with drawn_from(first):
            ends.append(min(true_losses(search(DiagnosisSampler(RandomSampler(seed=0), seed=0), 8, rate))))
    assert sum(end < 1.02 * BEST for end in ends) >= 3, ends


def test_a_rate_30_times_too_low_is_raised_by_the_rule_that_says_so():
    study = search(DiagnosisSampler(RandomSampler(seed=0)), 3, 1e-5)
    assert study.trials[1].params["learning_rate"] > 3e-5
    assert study.trials[1].user_attrs["moved_by"] == "advice:rate-too-low"
    assert study.trials[1].user_attrs["parent"] == 0
    because = study.trials[1].user_attrs["because"]
    assert because["code"].startswith("model-expects")
    values = because["values"]
    assert 1e-5 < values["low"] < values["best"] < values["high"] and 0 < values["saves"] < 1


def test_a_start_that_diverges_is_left_downwards():
    study = search(DiagnosisSampler(RandomSampler(seed=0)), 2, 8e-3)
    assert study.trials[1].params["learning_rate"] <= 0.5 * 8e-3
    assert study.trials[1].user_attrs["moved_by"].startswith("advice:loss-")


def test_a_base_sampler_of_the_user_s_own_shares_the_trials_once_no_gain_is_expected():
    study = search(DiagnosisSampler(RandomSampler(seed=0)), 24, 3e-4)
    late = proposers(study)[12:]
    assert 2 <= late.count("sampler:RandomSampler") <= len(late) // 2
    assert "sampler:RandomSampler" not in proposers(study)[:4]


def test_without_a_base_the_model_proposes_every_trial():
    study = search(DiagnosisSampler(seed=1), 10, 1e-4)
    assert {name.split(":")[0] for name in proposers(study)[1:]} <= {"sampler", "advice"}
    assert not any(name.endswith("Sampler") for name in proposers(study))
    assert min(true_losses(study)) < 1.01 * BEST


def test_no_settings_are_proposed_twice():
    study = search(DiagnosisSampler(RandomSampler(seed=0)), 20, 1e-4)
    for index, trial in enumerate(study.trials):
        assert not tried_before(trial.params, [t.params for t in study.trials[:index]], SPACE)


def test_the_same_trials_lead_to_the_same_proposals():
    one, two = (search(DiagnosisSampler(seed=5), 9, 1e-5) for _ in range(2))
    assert [t.params for t in one.trials] == [t.params for t in two.trials]


def test_a_resumed_study_goes_on_as_if_it_had_not_stopped():
    whole = search(DiagnosisSampler(seed=2), 9, 1e-5)
    half = search(DiagnosisSampler(seed=2), 4, 1e-5)
    half.sampler = DiagnosisSampler(seed=2)
    rest = search(half.sampler, 5, 1e-5, study=half)
    assert [t.params for t in rest.trials] == [t.params for t in whole.trials]


def test_a_running_trial_of_another_process_is_not_proposed_again():
    study = search(DiagnosisSampler(RandomSampler(seed=0)), 1, 1e-5)
    first, second = study.ask(SPACE), study.ask(SPACE)
    assert not tried_before(first.params, [second.params], SPACE)


def test_it_works_in_a_study_where_objectives_suggest_as_they_run():
    bowl, seen = Bowl(), []

    def objective(trial: optuna.Trial) -> float:
        rate = trial.suggest_float("lr", 1e-6, 1e-2, log=True)
        batch = trial.suggest_categorical("batch_size", [8, 16, 32])
        if batch > 8:
            trial.suggest_float("dropout", 0.0, 0.2)
        moves = {"learning_rate": rate, "batch_size": batch}
        run = bowl.run(moves, "made-up", bowl.points(moves), 1.0)
        record(trial, run)
        seen.append(moves)
        return 2.1 if bowl.diverges(moves) else float(run.curves["eval_loss"].values.min())

    study = optuna.create_study(sampler=DiagnosisSampler(TPESampler(seed=0, multivariate=True)))
    study.enqueue_trial({"lr": 1e-5, "batch_size": 16})
    study.optimize(objective, n_trials=10)
    assert study.trials[1].user_attrs["moved_by"] == "advice:rate-too-low"
    assert study.trials[1].params["lr"] > 5e-5
    assert min(bowl.loss(moves) for moves in seen) < 1.05


def test_a_study_that_records_nothing_is_searched_by_its_values():
    def objective(trial: optuna.Trial) -> float:
        return (math.log10(trial.suggest_float("learning_rate", 1e-6, 1e-2, log=True)) + 3.5) ** 2 + 1

    study = optuna.create_study(sampler=DiagnosisSampler(RandomSampler(seed=0)))
    study.enqueue_trial({"learning_rate": 1e-5})
    study.optimize(objective, n_trials=10)
    assert study.best_value < 1.03


def test_a_study_with_two_objectives_is_left_to_the_base_sampler():
    study = optuna.create_study(directions=["minimize", "maximize"], sampler=DiagnosisSampler(RandomSampler(seed=0)))
    study.optimize(lambda trial: (trial.suggest_float("x", 0, 1), 1.0), n_trials=4)
    assert len({trial.params["x"] for trial in study.trials}) == 4


def test_pruned_trials_count_as_tried():
    study = optuna.create_study(sampler=DiagnosisSampler(RandomSampler(seed=0)))
    study.enqueue_trial({"learning_rate": 1e-5, "batch_size": 16, "warmup_ratio": 0.03})
    for value in (1.3, None, 1.2):
        trial = study.ask(SPACE)
        trial.report(1.5, 1)
        study.tell(trial, value, state=None if value else optuna.trial.TrialState.PRUNED)
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 3


def advice(knob: str, old: Any, new: Any, rule: str = "few-updates") -> Diagnosis:
    factor = new / old if isinstance(old, (int, float)) and isinstance(new, (int, float)) and old else None
    item = Advice(knob, old, new, factor, rule, "", 0.8, f"{knob} {old} -> {new}: try it")
    finding = Finding(rule, Label.UNDERFIT, 0, 100, {}, "it was measured")
    return Diagnosis("x", Label.UNDERFIT, rule, 0.8, None, (finding,), (item,))


def one_move(space: dict[str, BaseDistribution], start: dict[str, Any], verdict: Diagnosis) -> optuna.trial.FrozenTrial:
    """The second trial of a study whose first one got this verdict."""
    study = optuna.create_study(sampler=DiagnosisSampler(RandomSampler(seed=0)))
    study.enqueue_trial(start)
    trial = study.ask(space)
    trial.set_user_attr(DIAGNOSIS, verdict.to_dict())
    study.tell(trial, 1.0)
    study.ask(space)
    return study.trials[-1]


@pytest.mark.parametrize(
    ("span", "old", "new", "proposed"),
    [
        (CategoricalDistribution([4, 8, 16, 32]), 32, 8, 8),
        (CategoricalDistribution([4, 10, 16]), 16, 8, 10),
        (CategoricalDistribution([4, 16]), 16, 14, 4),
        (IntDistribution(1, 64, log=True), 16, 4, 4),
        (IntDistribution(8, 64, step=8), 16, 30, 32),
        (IntDistribution(8, 64), 16, 500, 64),
        (FloatDistribution(0.0, 0.2), 0.0, 0.05, 0.05),
        (FloatDistribution(0.0, 0.2), 0.1, 0.4, 0.2),
    ],
)
def test_advice_lands_on_a_value_of_the_space(span: BaseDistribution, old: Any, new: Any, proposed: Any):
    trial = one_move({"knob": span}, {"knob": old}, advice("knob", old, new))
    assert trial.params["knob"] == pytest.approx(proposed)
    assert trial.user_attrs["moved_by"] == "advice:few-updates"
    assert Message.from_dict(trial.user_attrs["because"]) == message(
        "rule-measured", rule="few-updates", trial=0, template="it was measured"
    )


def test_advice_on_a_setting_outside_the_space_gives_way_to_the_next():
    verdict = advice("lora_r", 8, 16)
    more = advice("batch_size", 16, 4, rule="rate-too-low").advice
    trial = one_move(
        {"batch_size": CategoricalDistribution([4, 16])},
        {"batch_size": 16},
        Diagnosis("x", verdict.label, verdict.cause, 0.8, None, verdict.findings, (*verdict.advice, *more)),
    )
    assert trial.params["batch_size"] == 4
    assert trial.user_attrs["moved_by"] == "advice:rate-too-low"


def test_advice_in_words_alone_moves_nothing():
    data = Advice("data", None, None, None, "loss-is-zero", "", 0.9, "look at the labels")
    trial = one_move(
        {"weight_decay": FloatDistribution(0.0, 0.1)},
        {"weight_decay": 0.0},
        Diagnosis("x", Label.BROKEN, "loss-is-zero", 0.9, None, (), (data,)),
    )
    assert not trial.user_attrs["moved_by"].startswith("advice:")


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        ([6.4, 5.0, 2.0, 0.5, 0.2, 0.12, 0.105, 0.101], 0.0, 0.0),
        ([6.4, 5.0, 2.0, 0.5, 0.2, 0.12, 0.101, 0.105], 0.0, 0.035),
        ([1.0, 1.02, 0.98, 1.01, 0.99, 1.02, 0.98, 1.01, 1.0, 0.99, 1.02, 0.99], 0.008, 0.03),
        ([1.0, 0.9], 0.0, 0.0),
    ],
)
def test_noise_is_measured_beside_the_descent(values: list[float], low: float, high: float):
    assert low <= evaluation_noise(Curve.from_points(range(len(values)), values)) <= high


def test_a_log_folder_can_be_recorded(tmp_path: Path):
    log = tmp_path / "log.csv"
    log.write_text("step,train_loss,eval_loss\n" + "".join(f"{k},{2 - k / 100},{2 - k / 120}\n" for k in range(60)))
    study = optuna.create_study()
    trial = study.ask()
    verdict = record(trial, log)
    assert trial.user_attrs[DIAGNOSIS]["label"] == str(verdict.label)


def test_settings_that_were_not_tried_are_those_that_no_other_is_like():
    rng, space = (
        np.random.default_rng(0),
        distributions({"learning_rate": RATE, "batch_size": BATCH, "warmup_ratio": WARMUP}),
    )

    def drawn() -> dict[str, Any]:
        rate = float(10 ** rng.choice([-5, -4.9999, -4]))
        return {
            "learning_rate": rate,
            "batch_size": int(rng.choice([4, 8])),
            "warmup_ratio": float(rng.choice([0, 0.1])),
        }

    wanted, others = [drawn() for _ in range(40)], [drawn() for _ in range(6)]
    others.append({"learning_rate": 1e-4})
    expected = [one for one in wanted if not tried_before(one, others, space)]
    assert 0 < len(expected) < len(wanted)
    assert not_tried(wanted, others, space) == expected
