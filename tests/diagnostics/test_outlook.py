"""What a run looks like as a whole, and what a diagnosis makes of that."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from diagnostics import Curve, Run, diagnose
from diagnostics.diagnosis.calibration import DEFAULT
from diagnostics.diagnosis.context import prepare
from diagnostics.diagnosis.diagnose import diagnose_with_basis
from diagnostics.messages import summary
from diagnostics.model.label import Label
from diagnostics.model.outlook import ENOUGH_POINTS, Outlook
from diagnostics.model.rate_prior import rate_prior_of
from diagnostics.model.settings import Settings
from diagnostics.outlook.features import outlook_features
from diagnostics.outlook.fitted import MIN_POINTS, Fitted, fitted, outlook_of
from diagnostics.rules import RULES
from tests.diagnostics.cases import always, standing

SHARE = np.arange(1, 61) / 60


def run(loss: np.ndarray, held: np.ndarray | None = None, settings: Settings | None = None) -> Run:
    """The run of these losses, evaluated at every fifth log."""
    curves = {"train_loss": Curve.from_points(10.0 * np.arange(1, loss.size + 1), loss)}
    if held is not None:
        curves["eval_loss"] = Curve.from_points(curves["train_loss"].steps[4::5], held[4::5])
    return Run("run", curves, settings or Settings())


def noise(size: float, seed: int = 0) -> np.ndarray:
    return 1.0 + size * np.random.default_rng(seed).standard_normal(SHARE.size)


FROZEN = 3.15 + 4.0 * (SHARE < 0.02)
"""A loss that drops within the first log, to a level that it never leaves."""
SLOW = 3.4 - 0.25 * (1.0 - (1.0 - SHARE) ** 2)
"""A loss that falls in proportion to a rate that decays linearly to 0."""
WELL_LEARNED = 0.6 + 2.8 * (1.0 + 60.0 * SHARE) ** -0.8


def test_a_loss_that_falls_far_and_bends_looks_well_and_others_do_not():
    looks = [
        prepare(run(loss * noise(0.01), loss * noise(0.003, 1)), None).outlook for loss in (WELL_LEARNED, SLOW, FROZEN)
    ]
    assert looks[0].well > 0.7
    assert looks[1].slow > 0.6 > looks[1].well
    assert looks[2].well < 0.5
    assert all(sum((one.well, one.slow, one.hot, one.overfit)) == pytest.approx(1.0) for one in looks)


def test_no_run_that_looks_ill_is_called_healthy():
    found = [diagnose(run(loss * noise(0.01), loss * noise(0.003, 1))).label for loss in (WELL_LEARNED, SLOW)]
    assert [str(label) for label in found] == ["healthy", "underfit"]


@pytest.mark.parametrize(
    ("chances", "code", "side"),
    [
        ((0.3, 0.5, 0.1, 0.1), "looks-slow", "3 times"),
        ((0.3, 0.1, 0.5, 0.1), "looks-hot", "a third"),
        ((0.3, 0.1, 0.1, 0.5), "looks-overfit", "held-out"),
    ],
)
def test_where_no_rule_finds_the_fault_the_likeliest_one_is_named(chances: tuple[float, ...], code: str, side: str):
    nothing = np.zeros(0, dtype=np.int64)
    always_so = Fitted((), np.log(chances), nothing, nothing, nothing, np.zeros(0), nothing, np.zeros(0, dtype=bool))
    seen = run(WELL_LEARNED * noise(0.01), WELL_LEARNED * noise(0.003, 1))
    rules = tuple(rule for rule in RULES if rule.name != "rate-too-low" and rule.name != "rate-too-high")
    found, _ = diagnose_with_basis(seen, rules, look=always_so)
    assert found.label is Label.UNKNOWN
    note = next(note for note in found.notes if note.code.startswith("looks-"))
    assert (note.code, note.values) == (code, {"well": pytest.approx(0.3), "ill": pytest.approx(0.5)})
    assert side in summary(found)


@pytest.mark.parametrize(
    "seen",
    [
        run(SLOW[: MIN_POINTS - 1]),
        run(SLOW, settings=Settings(max_steps=6_000)),
        run(SLOW, settings=Settings(method="grpo")),
        run(SLOW, settings=Settings(method="sft", use_peft=True, learning_rate=2e-4)),
    ],
    ids=["few points", "under way", "loss is no objective", "usual rate"],
)
def test_a_look_needs_enough_of_a_whole_run(seen: Run):
    assert prepare(run(SLOW), None).outlook is not None
    assert prepare(seen, None).outlook is None


@pytest.mark.parametrize(
    ("well", "label", "sure"), [(0.95, "healthy", 0.813), (0.6, "healthy", 0.551), (0.3, "unknown", 0.396)]
)
def test_a_run_under_way_is_as_healthy_as_runs_that_look_so_end_half_as_surely_in_its_middle(
    well: float, label: str, sure: float
):
    loss = WELL_LEARNED * noise(0.01)
    halfway = run(loss, WELL_LEARNED * noise(0.003, 1), settings=Settings(max_steps=2 * int(run(loss).last_step)))
    found, basis = diagnose_with_basis(halfway, look=always("well", well))
    assert str(found.label) == label
    assert DEFAULT.no_fault(basis.health) == pytest.approx(sure, abs=1e-3)
    assert found.confidence == (pytest.approx(sure, abs=1e-3) if label == "healthy" else 0.0)
    assert ("end well" in summary(found)) is (label == "unknown")


def test_the_chance_that_a_run_under_way_ends_well_is_that_of_the_look_at_its_end_and_even_at_its_start():
    look = Outlook(0.2, 0.6, 0.15, 0.05, 40)
    assert [look.ends_well(share) for share in (0.0, 0.5, 1.0)] == pytest.approx([0.5, 1 / 3, 0.2])
    assert Outlook(1.0, 0.0, 0.0, 0.0).ends_well(0.5) > 0.99


@pytest.mark.parametrize(("points", "well"), [(6, 0.1736), (10, 0.368), (19, 0.678), (20, 0.7), (60, 0.7)])
def test_a_look_at_few_points_finds_less_often_that_a_run_went_well(points: int, well: float):
    few = run(WELL_LEARNED[np.linspace(0, 59, points).astype(int)])
    look = prepare(few, None, always("well", 0.7)).outlook
    assert ENOUGH_POINTS == 20
    assert look.well == pytest.approx(0.7)
    assert look.doubted.well == pytest.approx(well, abs=5e-4)
    assert [look.doubted.slow, look.doubted.hot, look.doubted.overfit] == pytest.approx(
        [(1.0 - well) / 3] * 3, abs=5e-4
    )


@pytest.mark.parametrize(
    ("outcome", "chance", "label"),
    [("slow", 0.7, "underfit"), ("hot", 0.7, "unstable"), ("well", 0.7, "unknown"), ("well", 0.99, "healthy")],
)
def test_a_short_log_is_judged_by_what_it_looks_like(outcome: str, chance: float, label: str):
    short = run(WELL_LEARNED[4::6], WELL_LEARNED[4::6])
    assert str(diagnose_with_basis(short, look=always(outcome, chance))[0].label) == label


def test_a_look_at_a_usual_rate_counts_where_it_is_sure_and_there_is_no_held_out_loss():
    usual = Settings(method="sft", use_peft=True, learning_rate=2e-4)
    assert prepare(run(SLOW, settings=usual), None, always("slow", 0.96)).outlook is not None
    assert prepare(run(SLOW, settings=usual), None, always("slow", 0.94)).outlook is None
    assert prepare(run(SLOW, SLOW, settings=usual), None, always("slow", 0.96)).outlook is None


@pytest.mark.parametrize(
    ("method", "fall", "well", "offset", "counts"),
    [
        ("sft", 0.6, 0.9, -1.0, True),
        ("sft", 0.6, 0.8, -1.0, False),
        ("sft", 0.1, 0.9, -1.0, False),
        ("sft", 0.6, 0.9, 1.0, False),
        ("dpo", 0.6, 0.9, -1.0, False),
    ],
)
def test_a_look_of_a_run_that_went_well_denies_too_low_a_usual_rate_where_the_loss_fell_far(
    method: str, fall: float, well: float, offset: float, counts: bool
):
    usual = Settings(method=method, use_peft=True, hidden_size=2048)
    usual = replace(usual, learning_rate=rate_prior_of(usual).center)
    seen = run(2.0 * (1.0 - fall * SHARE) * noise(0.005), settings=usual)
    estimate = replace(standing(0.9, offset), rate=usual.learning_rate)
    assert (outlook_of(seen.curves, usual, estimate, always("well", well)) is not None) is counts


@pytest.mark.parametrize(
    ("fall", "rate", "width", "slow", "label"),
    [
        (2.0, 3e-4, None, 0.81, "unknown"),
        (2.0, 2e-4, None, 0.81, "underfit"),
        (2.0, 2e-4, None, 0.79, "healthy"),
        (2.0, 8e-4, 1024, 0.81, "healthy"),
        (0.6, 2e-4, None, 0.81, "healthy"),
    ],
    ids=["no higher rate is usual", "a higher one is", "hardly slow", "width known", "as a large model falls"],
)
def test_a_rate_that_is_usual_for_large_models_makes_no_run_healthy_that_looks_slow(
    fall: float, rate: float, width: int | None, slow: float, label: str
):
    usual = Settings(method="sft", use_peft=True, learning_rate=rate, hidden_size=width)
    loss = 3.0 - fall + fall * (1.0 + 60.0 * SHARE) ** -1.2
    seen = run(loss * noise(0.01), loss * noise(0.003, 1), usual)
    assert str(diagnose_with_basis(seen, look=always("slow", slow))[0].label) == label


@pytest.mark.parametrize("times", [0.01, 1.0, 500.0])
def test_no_feature_depends_on_the_unit_of_the_loss_but_those_of_a_guess(times: float):
    def features(unit: float) -> dict[str, float]:
        seen = run(unit * WELL_LEARNED * noise(0.01), unit * WELL_LEARNED * noise(0.003, 1))
        return {n: v for n, v in outlook_features(seen.curves, seen.settings, None).items() if "guess" not in n}

    assert features(times) == pytest.approx(features(1.0), abs=1e-6)


def test_no_feature_of_a_loss_that_goes_below_0_depends_on_its_constant():
    def features(constant: float) -> dict[str, float]:
        seen = run(WELL_LEARNED * noise(0.01) + constant, WELL_LEARNED * noise(0.003, 1) + constant)
        found = outlook_features(seen.curves, seen.settings, None)
        return {name: value for name, value in found.items() if name.startswith(("train_", "eval_", "gap"))}

    below, further = features(-2.0), features(-40.0)
    assert below == pytest.approx(further, abs=1e-6)
    assert set(below) < set(features(0.0))
    assert {"train_done_0.25", "eval_tail_errors", "eval_rise"} <= set(below)


TWO_TREES = Fitted(
    names=("fall", "noise"),
    constant=np.array([0.0, 0.5, 0.0, 0.0]),
    roots=np.array([0, 5]),
    outcome=np.array([0, 1]),
    feature=np.array([0, 1, -1, -1, -1, -1]),
    number=np.array([0.3, 0.1, -1.0, -2.0, 3.0, 0.25]),
    right=np.array([4, 2, 0, 0, 0, 0]),
    unshown_left=np.array([True, False, False, False, False, False]),
)
"""Well: -1 for a small quiet fall, -2 for a small noisy one, 3 for a large one; slow: a tree of one leaf."""


@pytest.mark.parametrize(
    ("features", "of_well"),
    [
        ({"fall": 0.3, "noise": 0.1}, -1.0),
        ({"fall": 0.3, "noise": 0.11}, -2.0),
        ({"fall": 0.31, "noise": 0.1}, 3.0),
        ({"noise": 0.1}, -1.0),
        ({}, -2.0),
    ],
    ids=["at both limits", "above the second", "above the first", "first not shown", "none shown"],
)
def test_a_run_goes_down_each_tree_by_its_limits_and_by_what_is_not_shown(features: dict[str, float], of_well: float):
    chances = np.exp([of_well, 0.75, 0.0, 0.0])
    found = TWO_TREES.outlook(features)
    assert (found.well, found.slow, found.hot, found.overfit) == pytest.approx(tuple(chances / chances.sum()))


def test_a_model_is_read_as_it_was_written():
    again = Fitted.from_dict(json.loads(json.dumps(TWO_TREES.to_dict())))
    assert again.to_dict() == TWO_TREES.to_dict()
    assert again.outlook({"fall": 0.2}) == TWO_TREES.outlook({"fall": 0.2})


def test_every_node_of_the_model_in_use_leads_to_leaves_of_its_own_tree():
    model = fitted()
    ends = np.append(model.roots[1:], model.feature.size)
    inner = np.flatnonzero(model.feature >= 0)
    end = ends[np.searchsorted(model.roots, inner, side="right") - 1]
    assert (model.right[inner] >= 2).all()
    assert (inner + model.right[inner] < end).all()
    assert (model.feature[ends - 1] < 0).all()
    assert set(model.outcome.tolist()) == {0, 1, 2, 3}
