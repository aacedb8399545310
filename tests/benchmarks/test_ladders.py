"""What a run of a ladder is follows from its end beside the best one's, whatever is said of it."""

from __future__ import annotations

import pytest

from benchmarks.method_ladders import scored, truths
from benchmarks.verdicts.ladders import ladder
from diagnostics.model.curves import Run


def ending(*levels: float, metric: str = "eval_loss") -> Run:
    return Run.from_points("made", {metric: list(enumerate(levels))})


def test_a_run_is_what_its_end_is_beside_the_best_of_its_ladder():
    ends = {0.03: (6.0, 5.5), 0.1: (6.0, 2.0), 0.3: (6.0, 1.4), 1.0: (6.0, 1.0), 3.0: (6.0, 2.0), 30.0: (6.0, 7.0)}
    found = truths({times: ending(*levels) for times, levels in ends.items()}, "sft")
    assert list(found.values()) == ["slow", "between, slow", "well", "well", "between, hot", "hot"]


def test_a_reward_is_better_where_it_is_higher_and_a_fall_from_its_best_is_overfit():
    runs = {0.1: (0.0, 1.0, 0.6), 1.0: (0.0, 0.8, 1.2), 10.0: (0.0, 0.1, 0.1)}
    found = truths({times: ending(*levels, metric="eval_reward") for times, levels in runs.items()}, "grpo")
    assert list(found.values()) == ["overfit", "well", "hot"]


@pytest.mark.parametrize(
    ("truth", "said", "score"),
    [
        ("slow", "underfit", "right"),
        ("slow", "healthy", "wrong"),
        ("hot", "broken", "acceptable"),
        ("between, slow", "healthy", "acceptable"),
        ("between, slow", "unstable", "wrong"),
        ("well", "unknown", "refused"),
    ],
)
def test_a_verdict_is_scored_by_what_the_run_is(truth: str, said: str, score: str):
    assert scored(truth, said) == score


def test_the_lowest_rate_of_a_simulated_ladder_is_slow_and_the_next_one_better():
    rungs = list(ladder("choices", 52001))
    best = min(rungs, key=lambda rung: rung.regret)
    assert best.regret == 0.0 and best.side == 0
    assert rungs[0].truth == "slow" and rungs[0].next_gain is not None
