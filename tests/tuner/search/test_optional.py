"""Optional advice gives the search no direction: a healthy run is not changed by its notes."""

from __future__ import annotations

import optuna
from optuna.trial import create_trial

from diagnostics import diagnose
from diagnostics.synthetic import make
from tuner.search.attributes import DIAGNOSIS
from tuner.search.trial_view import trial_view


def recorded(cause: str) -> list[str]:
    """The settings that the search may change after a synthetic run with that cause."""
    verdict = diagnose(make(cause, 0.7)).to_dict()
    rate = {"learning_rate": optuna.distributions.FloatDistribution(1e-6, 1e-2, log=True)}
    trial = create_trial(params={"learning_rate": 1e-4}, distributions=rate, value=1.0, user_attrs={DIAGNOSIS: verdict})
    return [advice.knob for advice in trial_view(trial, 1.0).advice]


def test_notes_on_a_healthy_run_move_nothing():
    assert [one.knob for one in diagnose(make("clips-most-steps", 0.7)).advice] == ["max_grad_norm"]
    assert recorded("clips-most-steps") == []
    assert recorded("margins-run-away") == []


def test_advice_for_the_fault_that_names_a_run_is_followed():
    assert recorded("rate-too-low")[0] == "learning_rate"
