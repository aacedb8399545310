"""Scores, folds and reliability on hand-made answers."""

from __future__ import annotations

import pytest

from benchmarks.verdicts.calibration import fitted, recalibrated_elsewhere, remapped
from benchmarks.verdicts.cases import Case, as_overfit_or_not
from benchmarks.verdicts.folds import each_source_out, halves
from benchmarks.verdicts.reliability import bins, calibration_error
from benchmarks.verdicts.scores import confusion, f1, intervals, pairs_of, score
from diagnostics.diagnosis.calibration import DEFAULT

ANSWERS = (
    [("healthy", "healthy")] * 6
    + [("healthy", "overfit")] * 2
    + [("overfit", "overfit")] * 3
    + [("overfit", "healthy")]
)


def cases(answers: list[tuple[str, str]], confidence: float = 0.8) -> list[Case]:
    return [Case(f"run-{i}", f"source-{i % 4}", *pair, confidence=confidence) for i, pair in enumerate(answers)]


def test_scores_of_known_answers():
    of = score(ANSWERS)
    assert of["accuracy"] == pytest.approx(9 / 12)
    assert of["false_alarms"] == pytest.approx(2 / 8)
    assert f1(ANSWERS, "overfit") == pytest.approx(6 / 9)
    assert of["macro_f1"] == pytest.approx((12 / 15 + 6 / 9) / 2)
    assert f1(ANSWERS, "unstable") == 0.0
    assert confusion(ANSWERS)["healthy", "overfit"] == 2


def test_unknown_is_not_a_false_alarm():
    assert score([("healthy", "unknown"), ("healthy", "healthy")])["false_alarms"] == 0.0


def test_the_simple_question_lumps_all_other_labels():
    binary = as_overfit_or_not(cases([("unstable", "underfit"), ("healthy", "overfit"), ("overfit", "overfit")]))
    assert pairs_of(binary) == [("not", "not"), ("not", "overfit"), ("overfit", "overfit")]


def test_the_interval_holds_the_score_and_comes_again():
    found = cases(ANSWERS * 3)
    low, high = intervals(found, 200)["accuracy"]
    assert low <= score(pairs_of(found))["accuracy"] <= high
    assert low < high
    assert intervals(found, 200) == intervals(found, 200)


def test_no_source_is_on_both_sides():
    found = cases(ANSWERS)
    for one, other in [halves(found), *each_source_out(found)]:
        assert not {c.source for c in one} & {c.source for c in other}
        assert sorted(c.name for c in [*one, *other]) == sorted(c.name for c in found)
    assert sum(len(own) for _, own in each_source_out(found)) == len(found)


def test_reliability_of_an_honest_and_of_a_boastful_teller():
    right, wrong = [("healthy", "healthy")], [("healthy", "overfit")]
    honest, boastful = cases(right * 8 + wrong * 2, 0.8), cases(right * 5 + wrong * 5, 0.99)
    assert calibration_error(honest) == pytest.approx(0.0, abs=1e-9)
    assert calibration_error(boastful) == pytest.approx(0.49)
    assert [(b.count, b.right) for b in bins(boastful)] == [(10, 0.5)]


def test_faults_that_were_always_right_make_the_map_surer_than_faults_that_were_not():
    sure = DEFAULT.fault(0.7)
    good = [Case(str(i), str(i), "overfit", "overfit", confidence=sure) for i in range(40)]
    bad = [Case(str(i), str(i), "healthy" if i % 2 else "overfit", "overfit", confidence=sure) for i in range(40)]
    assert fitted(good).fault(0.7) > 0.8 > fitted(bad).fault(0.7)


def test_remapping_by_the_map_in_use_changes_nothing():
    found = cases(ANSWERS, 0.77)
    assert [c.confidence for c in remapped(found, DEFAULT)] == pytest.approx([0.77] * len(found))
    assert [c.name for c in sorted(recalibrated_elsewhere(found), key=lambda c: int(c.name[4:]))] == [
        c.name for c in found
    ]
