from __future__ import annotations

from itertools import pairwise
from typing import Any

import optuna
import pytest
from optuna.samplers import RandomSampler

from diagnostics.model.curves import Run
from diagnostics.model.settings import Settings
from tests.tuner.madeup import BATCH, RATE
from tuner import record, seed_of
from tuner.search.attributes import RESEED
from tuner.search.distributions import distributions, suggest
from tuner.search.noise import beyond_noise
from tuner.search.proposal import incumbent
from tuner.search.replicates import grouped, next_seed, pooled, seed_deviation
from tuner.search.sampler import DiagnosisSampler
from tuner.search.trial_view import TrialView, trial_view

SPACE = distributions({"learning_rate": RATE, "batch_size": BATCH})


def trial(number: int, rate: float, loss: float | None, seed: int = 0, **more: Any) -> TrialView:
    return TrialView(number, {"learning_rate": rate}, loss, running=loss is None, seed=seed, **more)


LUCKY = [trial(0, 1e-4, 1.00), trial(1, 2e-4, 0.90), trial(2, 4e-4, 0.95)]


def test_without_a_repeat_nothing_is_pooled():
    assert pooled(LUCKY) == LUCKY
    assert next_seed(LUCKY[1], LUCKY) == 1


def test_settings_count_by_the_mean_of_their_seeds_and_a_lucky_seed_loses_its_place():
    trials = [*LUCKY, trial(3, 2e-4, 1.10, seed=1), trial(4, 4e-4, 0.97, seed=1)]
    best = incumbent(pooled(trials))
    assert best is not None
    assert best.number == 2
    assert pooled(trials)[1].loss == pooled(trials)[3].loss
    assert pooled(trials)[1].stderr > 0


def test_settings_that_ran_once_must_be_better_by_more_than_settings_that_ran_three_times():
    repeats = [trial(3, 2e-4, 0.98, seed=1), trial(4, 2e-4, 0.94, seed=2)]
    close = pooled([trial(0, 1e-4, 0.93), LUCKY[1], *repeats])
    assert close[0].stderr > close[1].stderr
    best = incumbent(close)
    assert best is not None
    assert best.number == 1
    assert not beyond_noise(close[0], close[1])


def test_what_a_seed_adds_to_all_settings_is_not_noise():
    hard = [trial(0, 1e-4, 1.0), trial(1, 2e-4, 0.9), trial(2, 4e-4, 0.8)]
    hard += [trial(3 + k, one.settings["learning_rate"], (one.loss or 0) + 0.3, seed=1) for k, one in enumerate(hard)]
    spread = seed_deviation(grouped(hard))
    apart = seed_deviation(grouped([*hard[:3], hard[3], trial(4, 2e-4, 0.6, seed=1)]))
    assert spread is not None
    assert apart is not None
    assert spread < 0.1 < apart


def test_what_a_seed_adds_is_a_share_so_that_a_loss_near_0_stays_one():
    hard = [trial(0, 1e-4, 0.2), trial(1, 2e-4, 0.3), trial(2, 4e-4, 0.004)]
    hard += [trial(3, 1e-4, 0.8, seed=1), trial(4, 2e-4, 1.2, seed=1), trial(5, 4e-4, 0.02, seed=1)]
    assert all(loss > 0 for group in grouped(hard) for loss in group.losses)


def test_what_is_usual_for_the_method_keeps_two_close_seeds_from_proving_much():
    close = [trial(0, 1e-4, 1.0, method="dpo"), trial(1, 1e-4, 1.001, seed=1, method="dpo")]
    unknown = seed_deviation(grouped([TrialView(t.number, t.settings, t.loss, seed=t.seed) for t in close]))
    usual = seed_deviation(grouped(close))
    assert unknown is not None and usual is not None
    assert unknown < 0.01 < 0.05 < usual


def test_a_run_that_was_stopped_does_not_count_beside_one_that_ended():
    stopped, whole = trial(0, 1e-4, 1.5, stopped_at=0.5), trial(1, 1e-4, 0.9, seed=1)
    assert grouped([stopped])[0].loss == 1.5
    assert grouped([stopped, whole])[0].losses == (0.9,)


def test_a_repeat_of_running_settings_has_the_next_seed():
    assert next_seed(LUCKY[1], [*LUCKY, trial(3, 2e-4, None, seed=1)]) == 2


def test_settings_that_diverged_on_a_seed_are_not_the_best():
    best = incumbent(pooled([*LUCKY, trial(3, 2e-4, 9.0, seed=1, diverged=True)]))
    assert best is not None
    assert best.number == 2


def run(rate: float, seed: int) -> Run:
    """A run whose end differs by 3 % between seeds."""
    end = 1 + 0.02 * abs(rate - 3e-4) / 3e-4 + 0.03 * ((seed * 7919) % 13 / 6 - 1)
    points = [(step, end + (3 - end) * 0.5 ** (step / 10)) for step in range(0, 101, 10)]
    return Run.from_points("x", {"train_loss": points, "eval_loss": points}, settings=Settings(method="sft"))


@pytest.mark.parametrize("reseed", [True, False])
def test_only_a_sampler_that_may_reseed_does_and_each_repeat_has_a_fresh_seed(reseed: bool):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=DiagnosisSampler(RandomSampler(seed=0), space=SPACE, reseed=reseed))
    study.enqueue_trial({"learning_rate": 1e-4, "batch_size": 16})
    seeds: dict[tuple[Any, ...], list[int]] = {}
    for _ in range(16):
        trial = study.ask()
        seed = seed_of(trial, 42)  # before the first suggestion, too
        suggest(trial, SPACE)
        seeds.setdefault(tuple(trial.params.values()), []).append(seed)
        done = run(trial.params["learning_rate"], seed)
        record(trial, done)
        study.tell(trial, float(done.curves["eval_loss"].values[-1]))
    repeated = [t for t in study.trials if t.user_attrs.get(RESEED)]
    assert bool(repeated) is reseed
    assert all(t.user_attrs["moved_by"] == "sampler:another-seed" for t in repeated)
    assert all(len(set(used)) == len(used) and used[0] == 42 for used in seeds.values())
    assert all(trial_view(t, 1.0).seed == t.user_attrs[RESEED] for t in repeated)
    numbers = [t.number for t in repeated]
    assert all(later - number > 1 for number, later in pairwise(numbers))


def test_a_repeat_has_the_settings_that_only_some_trials_have():
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=DiagnosisSampler(RandomSampler(seed=0), reseed=True))
    for _ in range(14):
        trial = study.ask()
        rate = trial.suggest_float("learning_rate", 1e-6, 1e-2, log=True)
        if trial.suggest_categorical("adapter", ["lora", "dora"]) == "lora":
            trial.suggest_float("lora_dropout", 0.0, 0.5)
        done = run(rate, seed_of(trial, 42))
        record(trial, done)
        study.tell(trial, float(done.curves["eval_loss"].values[-1]))
    repeated = [t for t in study.trials if t.user_attrs.get(RESEED)]
    assert repeated
    assert any("lora_dropout" in t.params for t in repeated)
    assert all(t.params == study.trials[t.user_attrs["parent"]].params for t in repeated)
