"""A trial that an earlier version stored: finished sentences, and rules under the names of that time."""

from __future__ import annotations

from optuna.distributions import FloatDistribution
from optuna.trial import create_trial

from tuner.search.proposer import advice_of
from tuner.search.trial_view import trial_view

FINDING = {"rule": "loss-thrown-up", "label": "unstable", "first_step": 1, "last_step": 9, "message": "it rises"}
ADVICE = {"knob": "learning_rate", "old": 1e-3, "new": 3e-4, "factor": 0.3, "because": "loss-thrown-up"}
YESTERDAY = {
    "diagnosis": {"label": "unstable", "findings": [FINDING], "advice": [ADVICE, {**ADVICE, "optional": True}]},
    "moved_by": "advice:learned-by-heart",
    "because": "learned by heart in trial 0: it was measured",
    "parent": 0,
}


def test_a_trial_of_an_earlier_version_is_seen_under_the_present_names():
    span = FloatDistribution(1e-6, 1e-2, log=True)
    trial = create_trial(params={"lr": 1e-3}, distributions={"lr": span}, value=2.0, user_attrs=YESTERDAY)
    view = trial_view(trial, 1.0, {"lr": "learning_rate"})
    assert view.proposer == advice_of("train-tokens-memorized")
    assert [finding.rule for finding in view.findings] == ["loss-overshoots"]
    assert [(one.knob, one.because, one.factor) for one in view.advice] == [("learning_rate", "loss-overshoots", 0.3)]
    assert (view.settings, view.label, view.parent) == ({"learning_rate": 1e-3}, "unstable", 0)
