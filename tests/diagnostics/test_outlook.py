"""What a run looks like as a whole, and what a diagnosis makes of that."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diagnostics import Curve, Run, diagnose
from diagnostics.diagnosis.context import prepare
from diagnostics.model.outlook import OTHER, WELL, Outlook
from diagnostics.model.rate_estimate import RateSide
from diagnostics.model.settings import Settings
from diagnostics.outlook.features import outlook_features
from diagnostics.outlook.fitted import MIN_POINTS, fitted

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


@pytest.mark.parametrize("times", [0.01, 1.0, 500.0])
def test_no_feature_depends_on_the_unit_of_the_loss_but_those_of_a_guess(times: float):
    def features(unit: float) -> dict[str, float]:
        seen = run(unit * WELL_LEARNED * noise(0.01), unit * WELL_LEARNED * noise(0.003, 1))
        return {n: v for n, v in outlook_features(seen.curves, seen.settings, None).items() if "guess" not in n}

    assert features(times) == pytest.approx(features(1.0), abs=1e-6)


def test_a_finding_is_denied_by_a_look_from_its_limit_on():
    well, hot = Outlook(WELL, 1.0 - WELL, 0.0, 0.0), Outlook(0.1, 0.0, OTHER, 0.9 - OTHER)
    assert well.denies(RateSide.TOO_LOW)
    assert not replace(well, well=WELL - 0.01).denies(RateSide.TOO_LOW)
    assert hot.denies(RateSide.TOO_LOW)
    assert not hot.denies(RateSide.TOO_HIGH)


def test_the_model_has_a_weight_for_every_corner_and_for_missing():
    model = fitted()
    assert model.weights.shape == (1 + sum(len(at) + 1 for at in model.places.values()), 4)
    assert model.inputs({}).sum() == 1 + len(model.places)
    some = {name: at[0] + 0.3 * (at[-1] - at[0]) for name, at in list(model.places.items())[::2]}
    scores = model.inputs(some) @ model.weights
    assert model.outlook(some).well == pytest.approx(np.exp(scores[0]) / np.exp(scores).sum())
