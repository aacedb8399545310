from __future__ import annotations

from typing import Any

import pytest

from diagnostics.model.records import Advice
from tuner.search.credit import RuleRecord, rule_records, summed
from tuner.search.proposer import Proposer
from tuner.search.trial_view import TrialView

LOW = (Advice("learning_rate", None, None, 3.0, "rate-too-low", "", 0.5),)


def trial(number: int, loss: float | None, by: str = "advice:rate-too-low", parent: int | None = 0, **more: Any):
    return TrialView(number, {"learning_rate": 1e-4}, loss, proposer=Proposer.from_text(by), parent=parent, **more)


FIRST = trial(0, 2.0, "file", None, advice=LOW)


@pytest.mark.parametrize(
    ("child", "record"),
    [
        (trial(1, 1.9), (1, 0, 0)),
        (trial(1, 2.1), (0, 1, 0)),
        (trial(1, 1.999), (0, 0, 1)),
        (trial(1, 1.9, noise=0.1), (0, 0, 1)),
        (trial(1, 9.0, diverged=True), (0, 1, 0)),
        (trial(1, None, running=True), (0, 0, 0)),
        (trial(1, 9.0, failed=True), (0, 0, 0)),
        (trial(1, 1.9, parent=7), (0, 0, 0)),
        (trial(1, 1.9, "sampler:GPSampler"), (0, 0, 0)),
    ],
)
def test_a_follower_is_compared_with_the_trial_it_started_from(child: TrialView, record: tuple[int, int, int]):
    assert rule_records([FIRST, child]) == {"rate-too-low": RuleRecord("rate-too-low", 1, *record)}


def test_a_way_out_of_divergence_helped_and_two_divergences_are_even():
    hot = trial(0, 9.0, "file", None, diverged=True)
    calm = trial(1, 1.0, "advice:loss-diverges")
    still = trial(2, 9.0, "advice:loss-diverges", diverged=True)
    record = rule_records([hot, calm, still])["loss-diverges"]
    assert (record.helped, record.hurt, record.even, record.followed) == (1, 0, 1, 2)


def test_a_rule_that_was_never_followed_is_listed_with_its_advice():
    assert rule_records([FIRST, trial(1, 1.0, "sampler:QMC", advice=LOW)]) == {
        "rate-too-low": RuleRecord("rate-too-low", 2, 0, 0, 0)
    }


def test_two_advices_of_one_rule_in_one_verdict_count_once():
    both = (*LOW, Advice("num_train_epochs", None, None, 2.0, "rate-too-low", "", 0.5))
    assert rule_records([trial(0, 2.0, "file", None, advice=both)])["rate-too-low"].advised == 1


def test_records_of_studies_add_up():
    total = summed([RuleRecord("b", 3, 1, 0, 1), RuleRecord("a", 1, 0, 1, 0), RuleRecord("b", 2, 1, 1, 0)])
    assert list(total) == ["a", "b"]
    assert total["b"] == RuleRecord("b", 5, 2, 1, 1)
    assert total["b"].followed == 4


def test_no_trials_have_no_records():
    assert rule_records([]) == {}
