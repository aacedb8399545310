"""Rules on the count of tokens."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.rate_prior import LearningRatePrior
from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, evaluate, fired, healthy, noise


@pytest.mark.parametrize(("factor", "found"), [(1.6, True), (0.6, True), (1.4, False), (1.0, False)])
def test_batches_that_change_their_size(factor: float, found: bool):
    each = 2000 * noise(0.05, 60) * np.where(np.arange(60) < 30, 1.0, factor)
    said = evaluate("batches-change-size", num_tokens=np.cumsum(each))
    assert bool(said) is found
    if said:
        assert said.first_step == pytest.approx(31, abs=1)
        assert said.measured["after"] / said.measured["before"] == pytest.approx(factor, rel=0.1)


def test_batches_of_unlike_length_do_not_change():
    """group_by_length and single rows scatter far more than their mean moves."""
    each = 500 * noise(0.6, 60, 3)
    assert not fired("batches-change-size", num_tokens=np.cumsum(each))
    assert not fired("batches-change-size", num_tokens=np.concatenate([np.cumsum(np.full(30, 9.0))] * 2))  # a resume
    with cannot_evaluate("too-few-points"):
        evaluate("batches-change-size", num_tokens=np.arange(16) * 100.0)


SHARE = np.arange(1, 101) / 100


@pytest.mark.parametrize(("tokens", "rate", "found"), [(9e4, 2.5e-4, True), (1.1e5, 2.5e-4, False), (9e4, 2e-5, False)])
def test_few_tokens_explain_a_slow_run_unless_the_rate_does(tokens: float, rate: float, found: bool):
    slow, family = 1.9 * (1 - 0.15 * SHARE), LearningRatePrior(2.5e-4, 1e-3, 2.5e-4)
    settings = Settings(method="sft", learning_rate=rate)
    assert (
        fired("too-few-tokens", train_loss=slow, num_tokens=tokens * SHARE, settings=settings, rate_prior=family)
        is found
    )
    assert not fired(
        "too-few-tokens", train_loss=healthy(), num_tokens=tokens * SHARE, settings=settings, rate_prior=family
    )
