import re

import pytest

from tests.tuner.inspector.material import a_study
from tuner.config.search_space import Choice, Range
from tuner.inspector.study.landscape import Landscape, landscape
from tuner.inspector.study.landscape_chart import landscape_chart
from tuner.inspector.study.trial_clusters import TrialCluster, trial_clusters
from tuner.study.results import StudyResult, TrialResult, TrialState

SPACE = {"learning_rate": Range(1e-6, 1e-2, log=True), "batch_size": Choice((4, 8, 16))}


def study_of(*trials: tuple[float, int, float]) -> StudyResult:
    made = tuple(
        TrialResult(n, {"learning_rate": rate, "batch_size": batch}, value, TrialState.COMPLETE)
        for n, (rate, batch, value) in enumerate(trials)
    )
    return a_study(space=SPACE, trials=made, best=1)


def land_of(study: StudyResult) -> Landscape:
    land = landscape(study, "learning_rate", "batch_size")
    assert land is not None
    return land


def test_repeats_share_a_mark_with_all_their_numbers_and_their_mean() -> None:
    land = land_of(study_of((1e-4, 8, 1.0), (1e-3, 8, 2.0), (1e-4, 8, 3.0), (1e-4, 16, 4.0)))
    assert [(cluster.label, cluster.metric) for cluster in trial_clusters(land)] == [
        ("0, 2", 2.0),
        ("1", 2.0),
        ("3", 4.0),
    ]


def test_trials_that_would_cover_each_other_share_a_mark_at_the_first_one_s_place() -> None:
    land = land_of(study_of((1e-4, 8, 1.0), (1.1e-4, 8, 2.0), (2e-4, 8, 2.0)))
    near, far = trial_clusters(land)
    assert (near.label, far.label) == ("0, 1", "2")
    assert near.x == land.points[0, 0]


def test_of_many_trials_the_first_is_named() -> None:
    (cluster,) = trial_clusters(land_of(study_of(*[(1e-4, 8, float(n + 1)) for n in range(6)])))
    assert cluster.label == "0 +5"


@pytest.mark.parametrize(("numbers", "wide"), [((7,), False), ((11,), False), ((7, 9), True), ((11, 12, 13), True)])
def test_a_mark_is_as_wide_as_its_words(numbers: tuple[int, ...], wide: bool) -> None:
    cluster = TrialCluster(0, 0, 1, tuple(TrialResult(number, {}, 1.0, TrialState.COMPLETE) for number in numbers))
    flat = float(re.findall(r"L([\d.]+),", cluster.outline)[0])
    assert (flat > 0.3) is wide


def test_the_best_trial_s_mark_is_ringed_and_tells_each_of_its_trials() -> None:
    study = study_of((1e-4, 8, 1.0), (1e-4, 8, 0.5), (1e-3, 4, 4.0), (1e-5, 4, 4.0), (1e-3, 16, 4.0))
    drawn = landscape_chart(land_of(study), "eval_loss", study.best, "minimize").to_dict()
    rows = next(rows for rows in drawn["datasets"].values() if "label" in rows[0])
    assert (rows[0]["trial"], rows[0]["values"], rows[0]["across"]) == ("0, 1", "1, 0.5", "1e-4")
    assert [row["ring"] > 2 for row in rows] == [True, False, False, False]
