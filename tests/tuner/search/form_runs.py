"""Made-up runs whose end follows the form of the model, as trials of a study."""

from __future__ import annotations

import math
from typing import Any

from diagnostics.model.records import Advice
from tests.tuner.madeup import BATCH, RATE
from tuner.search.distributions import distributions
from tuner.search.run_model.posterior import Posterior, RunModel
from tuner.search.trial_view import TrialView

SPACE = distributions({"learning_rate": RATE, "batch_size": BATCH})
LOW = (Advice("learning_rate", None, None, 10.0, "rate-too-low", "", 0.8),)
START = 2.0


def loss_at(rate: float, batch: int = 16) -> float:
    """A run of the form: it learns in proportion to rate x updates, and breaks at 3e-3."""
    x, updates = math.log10(rate), -math.log10(batch / 16)
    learned = 1 / (1 + 10 ** (-(x + 4.2 + 0.9 * updates)))
    stable = 1 / (1 + 10 ** (6 * (x + 2.5)))
    return START * math.exp(-0.8 * learned * stable)


def trial(number: int, rate: float, batch: int = 16, **more: Any) -> TrialView:
    known = {"start": START, "method": "sft", "label": "healthy", **more}
    loss = known.pop("loss", loss_at(rate, batch))
    return TrialView(number, {"learning_rate": rate, "batch_size": batch}, loss, **known)


def posterior(*trials: TrialView) -> Posterior:
    found = RunModel(SPACE).posterior(trials)
    assert found is not None
    return found
