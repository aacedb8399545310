from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def healthy(tmp_path: Path) -> Path:
    return _log(tmp_path / "healthy.csv", [2.0 * 0.97**k + 0.5 + 0.01 * (-1) ** k for k in range(100)])


@pytest.fixture
def broken_by_nan(tmp_path: Path) -> Path:
    return _log(tmp_path / "nan.csv", [2.0 - 0.01 * k for k in range(60)] + [float("nan")] * 5)


def _log(path: Path, losses: list[float]) -> Path:
    rows = [f"{step},{loss}" for step, loss in enumerate(losses, 1)]
    path.write_text("\n".join(["step,train_loss", *rows]) + "\n")
    return path
