"""A small sample of the hostile runs, given to every command and shown in a browser: nothing of them comes alive."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.hostile.__main__ import Found, browser, command_line
from benchmarks.hostile.runs import hostile_runs
from tests.tuner.inspector.serving import NEEDS_CHROMIUM


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("mark", [pytest.param(None, marks=NEEDS_CHROMIUM)])
def test_nothing_of_a_hostile_run_comes_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: None) -> None:
    made, found = hostile_runs(tmp_path), Found()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    command_line(made, tmp_path / "out", found, quick=True)
    browser(made, tmp_path / "out", found, quick=True)
    assert found.commands > 5 and found.pages > 10
    assert not any(found.failures().values()), found.failures()
    assert list(made.markers.iterdir()) == []
