"""The lines of the diagnosis table about overfitting: what fires, what does not, and by how much."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.curves import Run
from diagnostics.model.records import Label
from tests.diagnostics.user_table import FALLING, SHARE, N, advised, noise, rules, run

# train falls, val rises -> overfit: lower rate, bigger batch, stop at the minimum


def rising(by: float, **known: object) -> Run:
    held = np.where(SHARE < 0.4, 1.5 - 0.5 * SHARE, 1.3 + by * 1.3 * (SHARE - 0.4) / 0.6)
    return run((1.5 - 0.9 * SHARE) * noise(0.01), held * noise(0.001, 1), num_train_epochs=4.0, **known)


def test_val_rising_while_train_falls_is_overfit_with_the_free_remedy_first():
    found = diagnose(rising(0.15))
    assert (found.label, found.cause) == (Label.OVERFIT, "eval-loss-rises")
    assert found.best_step == pytest.approx(40, abs=9)
    assert [advice.knob for advice in found.advice[:4]] == [
        "checkpoint",
        "num_train_epochs",
        "learning_rate",
        "batch_size",
    ]
    assert advised(found, "num_train_epochs").new == 2
    assert advised(found, "learning_rate").factor == pytest.approx(0.5, abs=0.03)
    assert advised(found, "batch_size").new == 32


@pytest.mark.parametrize(("by", "label"), [(0.01, Label.HEALTHY), (0.04, Label.OVERFIT)])
def test_a_rise_counts_from_two_percent_on(by: float, label: Label):
    assert diagnose(rising(by)).label is label


def test_a_rise_within_the_noise_does_not_count():
    held = 1.3 * noise(0.05, 3)
    assert diagnose(run((1.5 - 0.3 * SHARE) * noise(0.01), held)).label is not Label.OVERFIT


def test_both_rising_is_not_overfit():
    found = diagnose(run((1 + SHARE) * noise(0.01), 1 + SHARE))
    assert found.label is Label.UNSTABLE


# tiny batch + tiny rate = memorization (weak)


def memorizing(**known: object) -> Run:
    settings = {"learning_rate": 5e-5, "batch_size": 2, "num_train_epochs": 6.0, **known}
    return run((FALLING - 0.4 * SHARE) * noise(0.01), np.full(N, 1.5) * noise(0.001, 1), **settings)


def test_tiny_rate_and_many_epochs_is_a_finding_of_low_confidence_that_moves_both():
    found = diagnose(memorizing())
    finding = next(f for f in found.findings if f.rule == "tiny-rate-many-epochs")
    assert finding.confidence <= 0.3
    assert found.cause != "tiny-rate-many-epochs"
    by = {advice.knob: advice for advice in found.advice if advice.because == "tiny-rate-many-epochs"}
    assert by["learning_rate"].factor == pytest.approx(3, abs=0.4)
    assert by["num_train_epochs"].new == 3


@pytest.mark.parametrize("known", [{"num_train_epochs": 1.0}, {"learning_rate": 2.5e-4}])
def test_one_epoch_or_a_usual_rate_does_not_memorize(known: dict[str, float]):
    assert "tiny-rate-many-epochs" not in rules(diagnose(memorizing(**known)))
