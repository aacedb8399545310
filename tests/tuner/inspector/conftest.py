from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.tuner.inspector.pages import ENTRY, run
from tuner.inspector import server


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The inspector opened on a folder: ``opened(folder)``, by default the test's own."""

    def start(folder: Path = tmp_path, script: Path = ENTRY, allow_run: bool = False, **query: Any) -> AppTest:
        monkeypatch.setenv(server.FOLDER, str(folder))
        monkeypatch.setenv(server.ALLOW, "1" if allow_run else "")
        page = AppTest.from_file(script, default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        return run(page)

    return start
