from __future__ import annotations

import pytest
import torch

from tuner.training import threads


@pytest.mark.parametrize(("small", "variable", "expected"), [(1, None, 2), (10**9, None, 1), (10**9, "2", 2)])
def test_only_a_small_model_with_nothing_set_gets_one_thread(
    small: int, variable: str | None, expected: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(threads, "SMALL", small)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if variable:
        monkeypatch.setenv("OMP_NUM_THREADS", variable)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threads.threads_for(torch.nn.Linear(4, 4)):
            assert torch.get_num_threads() == expected
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
