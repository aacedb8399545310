from __future__ import annotations

from typing import Any

import pytest

from tests.tuner.madeup import RATE
from tuner.search.distributions import distributions
from tuner.search.trial_view import TrialView
from tuner.search.winner import held_for_best

SPACE = distributions({"learning_rate": RATE})
BOWL = {1e-5: 0.66, 3e-5: 0.5, 1e-4: 0.33, 3e-4: 0.3, 1e-3: 0.4}
"""A DPO loss by the rate: the best rate lies near 2e-4."""


def trial(number: int, rate: float, loss: float | None, method: str | None = "dpo", **more: Any) -> TrialView:
    settings = {"learning_rate": rate}
    return TrialView(number, settings, loss, method=method, metric="eval_loss", start=0.693, **more)


def study(lucky: float, method: str | None = "dpo") -> list[TrialView]:
    """A bowl of rates, and one more run at a poor rate whose seed was lucky."""
    trials = [trial(number, rate, loss, method) for number, (rate, loss) in enumerate(BOWL.items())]
    return [*trials, trial(len(trials), 3e-5 * 1.1, lucky, method)]


def number_of_best(trials: list[TrialView]) -> int:
    best = held_for_best(trials, SPACE)
    assert best is not None
    return best.number


def test_a_lucky_seed_at_a_poor_rate_does_not_win_by_what_seeds_differ():
    assert number_of_best(study(0.29)) == 3


def test_a_lead_beyond_the_noise_wins_whatever_was_expected():
    assert number_of_best(study(0.05)) == 5


@pytest.mark.parametrize("method", [None, "no-such-method"])
def test_where_the_noise_of_the_method_is_not_known_the_lowest_value_wins(method: str | None):
    assert number_of_best(study(0.29, method)) == 5


def test_stopped_diverged_and_failed_trials_do_not_win():
    more = [
        trial(6, 2e-4, 0.302, stopped_at=0.5),
        trial(7, 2.5e-4, 0.1, diverged=True),
        trial(8, 2.2e-4, 0.1, failed=True),
    ]
    assert number_of_best([*study(0.29), *more]) in (2, 3)


def test_where_seeds_hardly_differ_what_was_measured_wins():
    bowl = {3e-6: 1.60, 1e-5: 1.35, 3e-5: 1.15, 1e-4: 1.06, 3e-4: 1.03, 1e-3: 1.05}
    trials = [
        TrialView(n, {"learning_rate": rate}, loss, method="sft", metric="eval_loss", start=2.0)
        for n, (rate, loss) in enumerate([*bowl.items(), (1.1e-4, 1.025)])
    ]
    assert number_of_best(trials) == 6


def test_an_unstable_run_gives_way_in_a_near_tie():
    trials = [trial(0, 1e-4, 0.33), trial(1, 3e-4, 0.3, label="unstable"), trial(2, 3e-4 * 1.001, 0.3003)]
    assert number_of_best(trials) == 2


def test_without_a_usable_trial_there_is_no_best():
    assert held_for_best([trial(0, 1e-4, None, failed=True)], SPACE) is None
    assert held_for_best([], SPACE) is None
