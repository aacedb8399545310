"""Losses that are not finite: to the end of a run, or once in a run that goes on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from diagnostics import Curve, Run, diagnose
from diagnostics.messages import finding_message
from diagnostics.model.message import message
from diagnostics.model.records import Label
from diagnostics.synthetic import CAUSES, make


def with_losses(run: Run, values: np.ndarray) -> Run:
    return replace(run, curves={**run.curves, "train_loss": Curve.from_points(run.curves["train_loss"].steps, values)})


@pytest.mark.parametrize("cause", [c for c in CAUSES if c not in ("start-loss-wrong",) and not c.startswith("loss-is")])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_one_nan_in_the_loss_makes_a_run_unstable_and_with_fp16_is_noted(cause: str, value: float):
    run = make(cause, 0.0)
    train = run.curves["train_loss"]
    values, middle = train.values.copy(), len(train) // 2
    values[middle] = value
    run = with_losses(run, values)
    found = diagnose(run)
    assert found.label in (Label.UNSTABLE, Label.BROKEN)
    assert "loss-not-finite" in [f.rule for f in found.findings] or found.label is Label.BROKEN
    found = diagnose(replace(run, settings=replace(run.settings, fp16=True)))
    assert "loss-not-finite" not in [f.rule for f in found.findings]
    assert message("loss-skipped", curve="train_loss", count=1, first=float(train.steps[middle])) in found.notes


def test_a_nan_that_stays_is_surer_than_one_that_passes():
    good = make("healthy-sft", 0.0)
    train = good.curves["train_loss"]
    passes, stays = train.values.copy(), train.values.copy()
    middle = len(train) // 2
    passes[middle], stays[middle:] = float("nan"), float("nan")
    found = [diagnose(with_losses(good, values)) for values in (passes, stays)]
    assert [one.label for one in found] == [Label.UNSTABLE, Label.UNSTABLE]
    assert 0.5 < found[0].confidence < 0.7 < 0.95 <= found[1].confidence
    assert [one.advice[0].knob for one in found] == ["data", "learning_rate"]
    assert "finite since" in finding_message(found[0].findings[0])
