"""Answers that grow long."""

from __future__ import annotations

import numpy as np
import pytest

from tests.diagnostics.cases import cannot_evaluate, evaluate, fired, noise

SHARE = np.arange(1, 101) / 100


@pytest.mark.parametrize(("times", "found"), [(1.8, True), (1.4, False), (1.0, False), (0.5, False)])
def test_answers_that_grow_long(times: float, found: bool):
    lengths = 180 * (1 + (times - 1) * SHARE) * noise(0.05, 100)
    assert fired("answers-grow-long", completion_length=lengths) is found
    assert fired("answers-grow-long", eval_completion_length=180 * np.linspace(1, times, 6)) is found


def test_answers_that_only_scatter_are_not_growing():
    assert not fired("answers-grow-long", completion_length=180 * noise(0.5, 40, 2))
    with cannot_evaluate("too-few-points", have=11, what="answer lengths"):
        evaluate("answers-grow-long", completion_length=np.arange(11) + 1.0)
    with cannot_evaluate("curve-missing", curves="completion_length"):
        evaluate("answers-grow-long")
