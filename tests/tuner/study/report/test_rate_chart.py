"""The chart of what a study believes of the learning rate."""

from __future__ import annotations

from dataclasses import replace

from tests.tuner.inspector.material import a_study
from tuner.search.run_model.picture import RateCurve
from tuner.study.report.rate_chart import rate_chart
from tuner.study.report.words import report_phrase

RATES = (1e-6, 1e-5, 1e-4, 1e-3)
CURVE = RateCurve(None, RATES, (1.9, 1.5, 1.2, 1.4), (2.0, 1.6, 1.3, 1.9), (2.1, 1.7, 1.4, 2.4), RATES[1:], RATES[1:])


def test_the_edge_is_that_of_stability_unless_a_run_forgot_more_than_the_study_allows() -> None:
    study = a_study(before={"eval_general_loss": 2.4}, forgetting_limit=0.1, rate_curves=(CURVE,))
    forgets = [replace(one, metrics={"eval_general_loss": 2.9}) for one in study.trials[:1]]
    names = [
        name
        for one in (study, replace(study, trials=(*forgets, *study.trials[1:])))
        for name in ("edge-of-stability", "edge-or-forgetting")
        if report_phrase(name) in str(rate_chart(one, width=600))
    ]
    assert names == ["edge-of-stability", "edge-or-forgetting"]
