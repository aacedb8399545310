"""Rules on the loss on general text."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.label import Label
from diagnostics.model.settings import Settings
from diagnostics.synthetic import make
from tests.diagnostics.cases import BY_NAME, cannot_evaluate, curve, evaluate, fired

SHARE = np.linspace(0.0, 1.0, 11)
STEPS = 100 * SHARE
FAR, NOTHING = "general-text-forgotten", "forgets-for-nothing"


@pytest.mark.parametrize(("rise", "found"), [(0.22, True), (0.17, False), (-0.3, False)])
def test_a_loss_on_general_text_that_rises_far(rise: float, found: bool):
    assert fired(FAR, eval_general_loss=2.4 + rise * np.sqrt(SHARE)) is found


def test_the_finding_begins_where_half_of_the_rise_was_reached():
    evidence = evaluate(FAR, eval_general_loss=curve(2.4 + np.where(SHARE > 0.65, 0.5, 0.0), STEPS))
    assert evidence is not None
    assert evidence.first_step == 70.0
    assert evidence.measured == pytest.approx({"rise": 0.5, "start": 2.4, "end": 2.9})


@pytest.mark.parametrize(
    ("rise", "late_fall", "found"), [(0.2, 0.0, True), (0.2, 0.004, True), (0.2, 0.03, False), (0.08, 0.0, False)]
)
def test_what_was_forgotten_for_nothing(rise: float, late_fall: float, found: bool):
    loss = np.where(SHARE < 0.25, 3.0 - 8.0 * SHARE, 1.2) * (1.0 - late_fall * (SHARE > 0.85))
    given = {"eval_general_loss": curve(2.4 + rise * SHARE, STEPS), "eval_loss": curve(loss, STEPS)}
    assert fired(NOTHING, **given) is found


def test_a_reward_that_still_rises_is_worth_its_price():
    general = curve(2.4 + 0.4 * SHARE, STEPS)
    flat, rising = curve(np.minimum(SHARE, 0.3), STEPS), curve(SHARE, STEPS)
    loss = curve(0.01 * SHARE, STEPS)  # says nothing where rewards are logged
    assert fired(NOTHING, eval_general_loss=general, eval_reward=flat, eval_loss=loss)
    assert not fired(NOTHING, eval_general_loss=general, eval_reward=rising, eval_loss=loss)


def test_a_text_that_the_model_never_knew_cannot_be_forgotten():
    unknown = curve(np.linspace(7.2, 9.0, 11), STEPS)
    with cannot_evaluate("general-text-unknown", start=7.2):
        evaluate(FAR, eval_general_loss=unknown, settings=Settings(vocab_size=1024))
    assert fired(FAR, eval_general_loss=unknown, settings=Settings(vocab_size=32000))


def test_without_general_text_neither_rule_is_evaluated():
    for name in (FAR, NOTHING):
        assert BY_NAME[name].needs == ("eval_general_loss",)
    with cannot_evaluate("too-few-points", have=2):
        evaluate(FAR, eval_general_loss=[2.4, 2.9])
    with cannot_evaluate("curve-missing", curves="eval_loss"):
        evaluate(NOTHING, eval_general_loss=2.4 + SHARE)


def test_forgetting_for_nothing_names_the_run_and_a_price_that_buys_something_is_reported():
    paid = diagnose(make(FAR, 0.5))
    assert paid.label is Label.HEALTHY
    assert [finding.rule for finding in paid.findings] == [FAR]
    assert {one.knob for one in paid.advice} >= {"learning_rate", "data"}
    lost = diagnose(make(NOTHING, 0.7))
    assert (lost.label, lost.cause) == (Label.OVERFIT, NOTHING)
    assert lost.advice[0].knob == "checkpoint"
