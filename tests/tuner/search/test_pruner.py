from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import optuna
import pytest

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Run
from diagnostics.model.message import Message, message
from diagnostics.model.settings import Settings
from tuner.search.attributes import RESEED
from tuner.search.log_diagnosis import record
from tuner.search.pruner import DiagnosisPruner
from tuner.search.seeds import seed_of

SHARES = np.linspace(0.1, 1.0, 10)


def losses(end: float, start: float = 2.0) -> list[float]:
    return [float(end + (start - end) * np.exp(-6 * share)) for share in SHARES]


def study_with_best(values: Sequence[float]) -> optuna.Study:
    study = optuna.create_study(pruner=DiagnosisPruner())
    finish(study, values)
    return study


def finish(
    study: optuna.Study,
    values: Sequence[float],
    *,
    recorded: bool = True,
    metric: str = "eval_loss",
    method: str | None = None,
) -> list[float]:
    """Run a trial with these evaluations; the shares of the schedule at which it would be stopped."""
    trial, stops = study.ask(), []
    seed_of(trial)
    for index, value in enumerate(values):
        share = float(SHARES[index])
        points = [(step, loss) for step, loss in zip(100 * SHARES, values[: index + 1], strict=False)]
        curves = {metric: points} | ({"train_loss": points} if metric == "eval_loss" else {})
        run = Run.from_points("x", curves, Settings(method=method))
        if recorded:
            record(trial, run, metric=metric, share=share)
        if np.isfinite(value):
            trial.report(value, round(1000 * share))
        if trial.should_prune():
            stops.append(share)
            break
    if stops:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    else:
        study.tell(trial, float(np.nanmin(values) if metric == "eval_loss" else np.nanmax(values)))
    return stops


@pytest.fixture(autouse=True)
def nobody_is_spared(monkeypatch: pytest.MonkeyPatch):
    """No run goes on as a check, but in the tests of checks."""
    monkeypatch.setattr("tuner.search.pruner.SPARED_ONE_IN", 2**33)


def test_a_run_that_is_hardly_the_best_is_stopped_and_the_reason_is_kept():
    study = study_with_best(losses(1.0))
    assert finish(study, losses(1.6)) == [pytest.approx(0.5)]
    reason = Message.from_dict(study.trials[-1].user_attrs["stopped"])
    assert reason.code == "out-of-reach"
    assert reason.values["trial"] == 0
    assert reason.values["share"] == pytest.approx(0.5)
    assert reason.values["value"] > reason.values["other"]
    assert 0 <= reason.values["chance"] < 0.05


def test_nothing_is_stopped_before_40_percent():
    study = study_with_best(losses(1.0))
    stops = finish(study, [5.0, *losses(4.9)[1:]])
    assert stops
    assert stops[0] >= 0.4


def test_with_four_better_runs_a_run_is_looked_at_from_a_fifth_on():
    study = study_with_best(losses(1.0))
    for number in range(3):
        finish(study, losses(1.0 + 0.001 * number))
    assert finish(study, losses(1.9)) == [pytest.approx(0.2)]
    assert finish(study, [5.0, *losses(1.0)[1:]]) == []


def test_three_better_runs_are_too_few_for_an_early_look():
    study = study_with_best(losses(1.0))
    for number in range(2):
        finish(study, losses(1.0 + 0.001 * number))
    assert finish(study, losses(1.9)) == [pytest.approx(0.5)]


def test_a_loss_that_compares_answers_is_not_ranked_before_half():
    study = optuna.create_study(pruner=DiagnosisPruner())
    for number in range(5):
        finish(study, losses(0.2 + 0.001 * number, 0.7), method="dpo")
    assert finish(study, losses(0.69, 0.7), method="dpo") == [pytest.approx(0.5)]
    # As far from the best as seeds of DPO differ, where seeds of SFT would differ by a tenth of that.
    assert finish(study, losses(0.23, 0.7), method="dpo") == []


def test_a_run_that_ends_within_seed_noise_of_the_best_goes_on():
    study = study_with_best(losses(1.0))
    for number in range(4):
        finish(study, losses(1.0 + 0.001 * number))
    assert finish(study, losses(1.01)) == []
    assert finish(study, losses(1.2)) != []


def test_one_in_eight_goes_on_as_a_check_and_says_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tuner.search.pruner.SPARED_ONE_IN", 8)
    study = optuna.create_study(study_name="checked", pruner=DiagnosisPruner())
    finish(study, losses(1.0))
    stops = [finish(study, losses(1.8)) for _ in range(64)]
    spared = [trial for trial in study.trials if "spared" in trial.user_attrs]
    assert [trial.number for trial in spared] == [1 + at for at, stop in enumerate(stops) if not stop]
    assert 3 <= len(spared) <= 14
    assert all("stopped" not in trial.user_attrs for trial in spared)
    assert Message.from_dict(spared[0].user_attrs["spared"]).values["share"] == pytest.approx(0.5)


def test_a_check_that_diverges_is_stopped_all_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tuner.search.pruner.SPARED_ONE_IN", 1)
    study = study_with_best(losses(1.0))
    assert finish(study, [*losses(1.8)[:6], float("nan")]) == [pytest.approx(0.7)]
    assert study.trials[-1].user_attrs.keys() >= {"spared", "stopped"}


def test_a_repeat_on_another_seed_is_not_stopped_for_being_worse():
    study = study_with_best(losses(1.0))
    study.sampler = Reseeding()
    assert finish(study, losses(1.6)) == []


class Reseeding(optuna.samplers.RandomSampler):
    """A sampler that calls each trial a repeat, from within as ``DiagnosisSampler`` does."""

    def sample_relative(self, study, trial, search_space):
        study._storage.set_trial_user_attr(trial._trial_id, RESEED, 1)
        return {}


@pytest.mark.parametrize("values", [losses(1.0), losses(1.004), losses(0.8), [*losses(1.3)[:4], *losses(1.0)[4:]]])
def test_a_run_that_may_still_win_goes_on(values: Sequence[float]):
    assert finish(study_with_best(losses(1.0)), values) == []


def test_a_run_that_ends_in_nan_is_stopped_at_once():
    study = study_with_best(losses(1.0))
    assert finish(study, [1.9, 1.8, float("nan")]) == [pytest.approx(0.3)]
    assert Message.from_dict(study.trials[-1].user_attrs["stopped"]) == message("diverged")


def test_a_trial_without_a_recorded_verdict_is_left_alone():
    assert finish(study_with_best(losses(1.0)), losses(1.9), recorded=False) == []


def test_the_first_trial_has_nothing_to_lose_against():
    assert finish(optuna.create_study(pruner=DiagnosisPruner()), losses(1.9)) == []


def test_a_higher_metric_is_better_where_the_study_maximizes():
    study = optuna.create_study(direction="maximize", pruner=DiagnosisPruner())

    def accuracy(end: float) -> list[float]:
        return [1 - value for value in losses(1 - end, 1.0)]

    assert finish(study, accuracy(0.9), metric="eval_exact_match") == []
    assert finish(study, accuracy(0.5), metric="eval_exact_match") == [pytest.approx(0.5)]
    assert finish(study, accuracy(0.92), metric="eval_exact_match") == []


def test_wrong_arguments_are_named():
    with pytest.raises(ValueError, match=r"after 1\.5"):
        DiagnosisPruner(after=1.5)


def test_a_verdict_may_be_given():
    trial = optuna.create_study().ask()
    run = Run.from_points("x", {"train_loss": [(k, 2.0 - k / 50) for k in range(30)]})
    verdict = diagnose(run)
    assert record(trial, run, verdict) is verdict
