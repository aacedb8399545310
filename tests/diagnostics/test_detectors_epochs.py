"""Steps of the training loss at epoch ends."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.curves import Curve
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, noise


def stairs(drop: float, epochs: int = 3) -> dict[str, Curve]:
    epoch = np.linspace(0.01, epochs, 120)
    level = 1.4 - drop * np.floor(np.minimum(epoch, epochs - 0.001))
    return {"train_loss": curve(level * noise(0.02, 120)), "epoch": curve(epoch)}


@pytest.mark.parametrize(("drop", "fires"), [(0.3, True), (0.05, False), (0.0, False)])
def test_steps_at_every_epoch_end(drop: float, fires: bool):
    found = evaluate("loss-steps-down-at-epochs", **stairs(drop))
    assert (found is not None) is fires
    if found:
        assert found.measured["boundaries"] == 2


def test_steps_with_a_held_out_loss_are_only_reported():
    held = curve([1.3] * 6, np.linspace(20, 120, 6))
    assert not fired("loss-steps-down-at-epochs", **stairs(0.3), eval_loss=held)
    assert fired("repeats-memorized", **stairs(0.3), eval_loss=held)


def test_a_steady_fall_over_epochs_is_no_staircase():
    assert not fired(
        "loss-steps-down-at-epochs", train_loss=np.linspace(2, 1, 120) * noise(0.02, 120), epoch=stairs(0)["epoch"]
    )


def test_one_epoch_has_no_ends_to_look_at():
    with cannot_evaluate("no-epoch-end"):
        evaluate("loss-steps-down-at-epochs", **stairs(0.3, epochs=1))
