"""diagnose: precedence, honesty about what was not asked, and properties that hold for any series."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from diagnostics import RULES, Curve, Run, Settings, diagnose
from diagnostics.messages import diagnosis_notes, text
from diagnostics.model.message import message
from diagnostics.model.rate_estimate import OFFSETS
from diagnostics.model.records import Label
from diagnostics.synthetic import CAUSES, make

NAMES = (
    "train_loss",
    "eval_loss",
    "learning_rate",
    "grad_norm",
    "epoch",
    "entropy",
    "rewards_chosen",
    "rewards_rejected",
    "rewards_margins",
    "rewards_accuracies",
    "logps_chosen",
    "logps_rejected",
    "eval_rewards_accuracies",
)


def run_of(points: Mapping[str, list[float]], known: Settings | None = None) -> Run:
    return Run("run", {name: Curve.from_points(range(len(v)), v) for name, v in points.items()}, known or Settings())


def changed(run: Run, **curves: Curve) -> Run:
    return Run(run.name, {**run.curves, **curves}, run.settings, run.notes)


# Precedence and completeness


def test_the_first_rule_to_fire_names_the_run_and_the_others_follow():
    run = make("eval-loss-rises", 0.8)
    train = run.curves["train_loss"]
    broken = Curve(train.steps, train.values, (float(train.steps[-1]) + 5,))
    found = diagnose(changed(run, train_loss=broken))
    assert (found.label, found.cause) == (Label.UNSTABLE, "loss-not-finite")
    assert "eval-loss-rises" in [f.rule for f in found.findings]
    assert found.findings[0].rule == found.cause


def test_a_broken_log_proves_nothing_else():
    found = diagnose(make("loss-is-zero", 0.5))
    assert found.label is Label.BROKEN
    assert {f.label for f in found.findings} == {Label.BROKEN}
    assert [a.knob for a in found.advice] == ["data"]


def test_advice_moves_each_knob_once():
    for cause in CAUSES:
        knobs = [advice.knob for advice in diagnose(make(cause, 0.7)).advice]
        assert len(knobs) == len(set(knobs)), cause


def test_no_verdict_moves_rank_and_rate_first_and_together():
    for cause in CAUSES:
        knobs = [advice.knob for advice in diagnose(make(cause, 0.7)).advice[:2]]
        assert "lora_alpha" not in knobs
        assert not {"lora_r", "learning_rate"} <= set(knobs), cause


def test_best_step_is_the_lowest_held_out_loss():
    run = run_of({"train_loss": [2, 1.5, 1.2, 1, 0.9], "eval_loss": [2, 1.4, 1.1, 1.3, 1.6]})
    assert diagnose(run).best_step == 2
    assert diagnose(run_of({"train_loss": [2, 1.5, 1.2, 1, 0.9]})).best_step is None


def test_a_finding_of_its_own_kind_leaves_the_label_alone():
    found = diagnose(make("clips-most-steps", 0.6))
    assert found.label is Label.HEALTHY
    assert [f.rule for f in found.findings] == ["clips-most-steps"]
    assert found.advice[0].knob == "max_grad_norm"


def test_an_unfinished_run_is_not_blamed_for_still_falling():
    run = make("still-improving", 0.6)
    half = {name: curve.between(0, 75) for name, curve in run.curves.items()}
    found = diagnose(Run("half", half, run.settings))
    assert found.label is Label.HEALTHY
    assert message("run-not-finished", step=75.0, max_steps=150) in {s.reason for s in found.skipped}


@pytest.mark.parametrize("fault", ["fall-follows-rate", "loss-barely-falls", "still-improving", "rate-too-low"])
def test_a_log_that_begins_late_says_nothing_of_what_was_learned_before(fault: str):
    run = make(fault, 0.8)
    last = run.last_step
    found = diagnose(Run("resumed", {name: curve.between(0.3 * last, last) for name, curve in run.curves.items()}))
    assert diagnose(run).label is Label.UNDERFIT
    assert found.label in (Label.UNKNOWN, Label.HEALTHY)
    begins = next(note for note in found.notes if note.code == "start-not-logged")
    assert begins.values["step"] == min(step for step in run.curves["train_loss"].steps if step >= 0.3 * last)
    assert text(begins) in diagnosis_notes(found)
    low = found.rate.evidence[: OFFSETS.index(0.0) + 1]
    assert len(set(low)) == 1


def test_a_log_that_begins_late_still_shows_a_loss_that_blows_up():
    run = make("loss-diverges", 0.8)
    late = {name: curve.between(0.2 * run.last_step, run.last_step) for name, curve in run.curves.items()}
    assert diagnose(Run("resumed", late)).label is Label.UNSTABLE


# Honesty


def test_an_empty_run_is_unknown_and_names_what_is_missing():
    found = diagnose(Run("empty", {}))
    assert found.label is Label.UNKNOWN
    assert found.confidence == 0.0
    missing = {message("curve-missing", curves=name) for name in ("train_loss", "grad_norm")}
    assert missing <= {s.reason for s in found.skipped}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_three_points_are_too_few_for_a_verdict(size: int):
    values = [2.0, 1.5, 1.2][:size]
    assert diagnose(run_of({"train_loss": values, "eval_loss": values})).label is Label.UNKNOWN


def test_too_few_evaluations_are_named_with_the_number_needed():
    run = make("healthy-sft", evals=3)
    reasons = {s.rule: s.reason for s in diagnose(run).skipped}
    assert reasons["eval-loss-rises"] == message("too-few-points", have=3, need=4, what="evaluations")


def test_without_a_held_out_loss_overfit_is_listed_as_unchecked():
    found = diagnose(make("healthy-sft", evals=0))
    full = diagnose(make("healthy-sft"))
    assert (found.label, full.label) == (Label.HEALTHY, Label.HEALTHY)
    assert (Label.OVERFIT in {kind.label for kind in found.unchecked}) is True
    assert full.unchecked == ()


def test_dpo_rules_are_evaluated_on_dpo_runs_only():
    dpo = {rule.name for rule in RULES if rule.methods == ("dpo",)}
    sft = diagnose(make("healthy-sft"))
    assert not dpo & {s.rule for s in sft.skipped}
    bare = Run("no settings", make("preferences-not-learned", 0.6).curves)
    assert diagnose(bare).cause == "preferences-not-learned"


def test_the_users_range_allows_what_the_cap_forbids():
    run = make("rate-too-low", 0.6)
    hot = Run(run.name, run.curves, Settings.from_mapping({**run.settings.known(), "learning_rate": 1e-3}))
    assert diagnose(hot).cause != "rate-too-low"
    free = diagnose(hot, bounds={"learning_rate": (1e-6, 1e-2)})
    assert free.cause == "rate-too-low"
    assert free.advice[0].old == 1e-3 < free.advice[0].new <= 1e-2
    tight = diagnose(hot, bounds={"learning_rate": (1e-6, 2e-3)})
    assert tight.advice[0].new == 2e-3


def test_a_tiny_model_takes_a_higher_rate():
    run = make("rate-too-low", 0.6)
    known = {**run.settings.known(), "learning_rate": 3e-4, "hidden_size": 128}
    found = diagnose(Run(run.name, run.curves, Settings.from_mapping(known)))
    assert found.cause == "rate-too-low"
    assert found.advice[0].new == pytest.approx(3e-3, rel=0.05)


def test_a_table_of_ones_own_replaces_the_rules():
    only = tuple(rule for rule in RULES if rule.name == "loss-not-finite")
    assert diagnose(make("eval-loss-rises", 0.8), only).label is Label.UNKNOWN


# Properties

VALUES = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True),
    st.floats(0.01, 10),
    st.sampled_from([0.0, 1.0, 0.6931471805599453, float("nan"), float("inf")]),
)
SERIES = st.one_of(
    st.lists(VALUES, max_size=60),
    st.lists(st.floats(0.01, 10), min_size=4, max_size=60),
    st.tuples(st.floats(-5, 5), st.integers(1, 80)).map(lambda p: [p[0]] * p[1]),
)
KNOWN = st.fixed_dictionaries(
    {},
    optional={
        "method": st.sampled_from(["sft", "dpo", "orpo"]),
        "use_peft": st.booleans(),
        "learning_rate": st.floats(0, 1),
        "batch_size": st.integers(0, 4096),
        "warmup_ratio": st.floats(0, 1),
        "num_train_epochs": st.floats(0, 10),
        "max_steps": st.integers(0, 10_000),
        "max_grad_norm": st.floats(0, 10),
        "gradient_accumulation_steps": st.integers(0, 64),
        "weight_decay": st.floats(0, 1),
        "lora_r": st.integers(0, 256),
        "lora_dropout": st.floats(0, 1),
        "beta": st.floats(0, 1),
        "vocab_size": st.integers(0, 200_000),
        "hidden_size": st.integers(0, 9000),
        "fp16": st.booleans(),
    },
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NAMES), SERIES, max_size=6), KNOWN)
@example({"eval_loss": [1.0] * 5, "train_loss": [math.inf]}, {})
def test_nothing_ever_raises_and_the_verdict_is_plain_json(points: dict[str, list[float]], known: dict[str, object]):
    found = diagnose(run_of(points, Settings.from_mapping(known)))
    json.dumps(found.to_dict(), allow_nan=False)
    assert (found.cause is None) == (found.label in (Label.HEALTHY, Label.UNKNOWN))
    assert 0.0 <= found.confidence <= 1.0
    assert all(0.0 <= advice.confidence <= 1.0 for advice in found.advice)


PLAIN = st.lists(st.integers(1, 4000).map(lambda i: i / 256), min_size=4, max_size=60)


@settings(max_examples=120, deadline=None)
@given(PLAIN, PLAIN, st.integers(-8, 8))
def test_the_unit_of_the_loss_does_not_matter(train: list[float], held: list[float], power: int):
    """Powers of two, so that the scaling is exact and no value crosses a limit by rounding."""
    scaled = run_of({"train_loss": [v * 2.0**power for v in train], "eval_loss": [v * 2.0**power for v in held]})
    one, two = diagnose(run_of({"train_loss": train, "eval_loss": held})), diagnose(scaled)
    assert (one.label, one.cause, one.best_step) == (two.label, two.cause, two.best_step)


@settings(max_examples=120, deadline=None)
@given(PLAIN, PLAIN, st.integers(0, 6), st.integers(-1000, 1))
def test_the_numbering_of_the_steps_does_not_matter(train: list[float], held: list[float], power: int, start: int):
    """Unless the first step lies further from 0 than a log begins late."""
    one = run_of({"train_loss": train, "eval_loss": held})
    moved = {n: Curve(c.steps * 2.0**power + start, c.values) for n, c in one.curves.items()}
    found, other = diagnose(one), diagnose(Run("moved", moved))
    assert (found.label, found.cause) == (other.label, other.cause)


def test_ten_thousand_points_take_less_than_a_tenth_of_a_second():
    run = make("healthy-sft", logs=10_000, evals=1000)
    diagnose(run)
    start = time.process_time()
    diagnose(run)
    assert time.process_time() - start < 0.1


def test_the_curves_are_left_as_they_were():
    run = make("eval-loss-rises", 0.8)
    before = {name: curve.values.copy() for name, curve in run.curves.items()}
    diagnose(run)
    for name, values in before.items():
        np.testing.assert_array_equal(run.curves[name].values, values)


@pytest.mark.parametrize(("best", "kept"), [(0, False), (40, True)])
def test_an_untrained_model_is_not_advised_as_the_checkpoint_to_use(best: int, kept: bool):
    steps = np.arange(0, 401, 40)
    held = 2.0 + 0.004 * np.abs(steps - best) + np.where(steps < best, 0.5, 0.0)
    train = 2.0 * np.exp(-np.arange(1, 401) / 150)
    run = Run("memorizes", {"train_loss": Curve(np.arange(1, 401), train), "eval_loss": Curve(steps, held)})
    verdict = diagnose(run)
    assert (verdict.label, verdict.best_step) == (Label.OVERFIT, best)
    assert ("checkpoint" in {advice.knob for advice in verdict.advice}) == kept


def test_a_log_too_short_to_show_a_fault_is_not_called_healthy():
    short = {
        "train_loss": Curve(np.array([1, 5, 10, 15, 20, 25, 30.0]), np.array([4.7, 4.3, 4.4, 3.8, 4.0, 4.1, 3.8])),
        "eval_loss": Curve(np.array([20, 30.0]), np.array([4.38, 4.36])),
        "learning_rate": Curve(np.array([1, 10, 20, 30.0]), np.array([2e-5, 1.6e-5, 4e-6, 0.0])),
    }
    settings = {"method": "sft", "use_peft": True, "learning_rate": 2e-5, "batch_size": 8, "hidden_size": 64}
    found = diagnose(Run("short", short, Settings.from_mapping({**settings, "lr_scheduler_type": "cosine"})))
    assert (found.label, found.confidence) == (Label.UNKNOWN, 0.0)
