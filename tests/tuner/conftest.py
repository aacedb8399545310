import os
from pathlib import Path

import pytest

from tests.tuner import smallest


@pytest.fixture(scope="session")
def small_model(tmp_path_factory):
    return smallest.model_folder(tmp_path_factory.mktemp("model") / "small")


@pytest.fixture(scope="session")
def small_rows(tmp_path_factory):
    return smallest.rows_folder(tmp_path_factory.mktemp("rows"))


@pytest.fixture
def make(tmp_path, small_model, small_rows):
    """A spec of three steps on a two-layer model: ``make("dpo", beta=0.2)``."""

    def made(method="sft", **keys):
        keys = {"model_name_or_path": str(small_model), **keys}
        return smallest.study(tmp_path, small_model, small_rows, method, **keys)

    return made


@pytest.fixture
def cannot_open(monkeypatch):
    """``cannot_open(folder)``: from now on not even the owner of the machine may open it."""
    real = os.scandir

    def closed(folder):
        def scandir(path="."):
            if not isinstance(path, int) and Path(path) == folder:
                raise PermissionError(13, "Permission denied")
            return real(path)

        monkeypatch.setattr(os, "scandir", scandir)

    return closed
