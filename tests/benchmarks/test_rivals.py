"""The rivals' rules: quiet on a plain healthy run, and each finds the fault it was made for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks.verdicts.rivals import RIVALS
from diagnostics.model.curves import Curve, Run

SHARE = np.arange(1, 41) / 40
FALL = 0.4 + 2.0 * np.exp(-6 * SHARE)
RISING = FALL + 3.0 * np.clip(SHARE - 0.15, 0.0, None)
STEEP = 2.4 - 1.8 * SHARE
BY_NAME = {rival.name: rival for rival in RIVALS}


def run(train: Sequence[float], held: Sequence[float] | None = None, step: float = 20.0) -> Run:
    steps = step * np.arange(1, len(train) + 1)
    curves = {"train_loss": Curve.from_points(steps, train)}
    if held is not None:
        curves["eval_loss"] = Curve.from_points(steps[-len(held) :], held)
    return Run("run", curves)


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_a_smooth_healthy_run_is_healthy_to_all(rival):
    assert rival.says(run(STEEP, STEEP + 0.01)) == "healthy"


@pytest.mark.parametrize("rival", RIVALS, ids=lambda rival: rival.name)
def test_an_empty_log_is_not_a_fault(rival):
    assert rival.says(Run("empty", {})) == "healthy"


@pytest.mark.parametrize("name", [r.name for r in RIVALS if "overfit" in r.knows])
def test_a_clear_overfit_is_found(name: str):
    if name == "SageMaker Overtraining":
        held = np.concatenate([STEEP[:20], np.full(20, STEEP[20])])
        assert BY_NAME[name].says(run(held, held)) == "overfit"
        return
    assert BY_NAME[name].says(run(FALL, RISING)) == "overfit"


@pytest.mark.parametrize("name", [r.name for r in RIVALS if not r.overfit_only])
def test_a_nan_is_unstable(name: str):
    values = [*FALL[:20], float("nan"), *FALL[21:]]
    assert BY_NAME[name].says(run(values)) == "unstable"


@pytest.mark.parametrize("name", ["trainproof", "AUTOTRAINER", "trainspotter", "Surogate", "SageMaker Debugger"])
def test_a_flat_run_is_underfit(name: str):
    flat = 2.0 + 1e-4 * np.cos(np.arange(40))
    assert BY_NAME[name].says(run(flat)) in ("underfit", "unstable" if name == "SageMaker Debugger" else "underfit")


def test_trainproof_wants_a_fifth_above_the_minimum():
    for factor, said in ((1.15, "healthy"), (1.3, "overfit")):
        held = np.concatenate([np.linspace(2, 1, 20), np.full(20, factor)])
        assert BY_NAME["trainproof"].says(run(STEEP, held)) == said


def test_runwise_is_silent_below_500_steps():
    assert BY_NAME["runwise"].says(run(STEEP, RISING, step=5.0)) == "healthy"
