"""Rules on the entropy of the predictions."""

from __future__ import annotations

import numpy as np
import pytest

from diagnostics.model.settings import Settings
from tests.diagnostics.cases import cannot_evaluate, curve, evaluate, fired, noise

SFT, DPO = Settings(method="sft"), Settings(method="dpo")
SHARE = np.arange(1, 101) / 100


@pytest.mark.parametrize(("left", "found"), [(0.42, True), (0.52, False), (1.0, False)])
def test_an_entropy_that_collapses_without_the_loss(left: float, found: bool):
    entropy = 1.6 * (1 - (1 - left) * (1 - np.exp(-8 * SHARE))) * noise(0.02, 100)
    loss = curve(np.full(100, 1.7) * noise(0.02, 100, 1))
    assert fired("entropy-collapses", entropy=entropy, settings=SFT, train_loss=loss) is found


def test_an_entropy_that_falls_with_the_loss_is_no_collapse():
    loss = 6.0 * np.exp(-7 * SHARE) + 0.01
    assert not fired("entropy-collapses", entropy=0.9 * loss, settings=SFT, train_loss=loss)
    wrong_at_first = np.interp(SHARE, [0, 0.3, 1], [0.85, 1.2, 0.03])  # a base model that is surely wrong
    assert not fired("entropy-collapses", entropy=wrong_at_first, settings=SFT, train_loss=loss)


def test_an_entropy_of_pairs_is_judged_by_itself():
    fallen = curve(1.6 * (1 - 0.6 * SHARE) * noise(0.02, 100))
    loss = curve(0.69 - 0.2 * SHARE)
    assert fired("entropy-collapses", entropy=fallen, settings=DPO, train_loss=loss)
    assert fired("entropy-collapses", entropy=fallen, settings=DPO, train_loss=loss, eval_entropy=[1.6, 1.1])
    assert not fired("entropy-collapses", entropy=fallen, settings=DPO, train_loss=loss, eval_entropy=[1.6, 1.5])
    with cannot_evaluate("too-few-points", have=11, what="entropies"):
        evaluate("entropy-collapses", entropy=[1.0] * 11, settings=DPO)
    with cannot_evaluate("entropy-without-losses"):
        evaluate("entropy-collapses", entropy=fallen, settings=SFT, train_loss=[1.0] * 5)


@pytest.mark.parametrize(("end", "found"), [(0.5, True), (0.62, False)])
def test_a_model_that_is_overconfident(end: float, found: bool):
    entropy, loss = np.append(np.linspace(1.3, end * 1.4, 9), end * 1.4), np.full(10, 1.4)
    assert fired("overconfident", eval_entropy=entropy, eval_loss=loss) is found
    assert not fired("overconfident", eval_entropy=np.full(10, 0.6), eval_loss=np.full(10, 1.4))  # sure from the start
    with cannot_evaluate("too-few-points"):
        evaluate("overconfident", eval_entropy=[1.0] * 3, eval_loss=[1.0] * 10)
