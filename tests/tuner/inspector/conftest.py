from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.tuner.inspector.pages import ENTRY, run
from tests.tuner.inspector.serving import KEY, MAX_QUOTED, PAGE_TIMEOUT, chromium, served, shown_on
from tuner.inspector import access, server


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The inspector opened on a folder: ``opened(folder)``, by default the test's own."""

    def start(folder: Path = tmp_path, allow_run: bool = False, **query: Any) -> AppTest:
        monkeypatch.setenv(server.FOLDER, str(folder))
        monkeypatch.setenv(server.ALLOW, "1" if allow_run else "")
        monkeypatch.setenv(access.TOKEN, KEY)
        page = AppTest.from_file(ENTRY, default_timeout=60)
        for key, value in ({"token": KEY} | query if allow_run else query).items():
            page.query_params[key] = value
        return run(page)

    return start


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import expect

    expect.set_options(timeout=PAGE_TIMEOUT)
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def log(folder: Path) -> Path:
    """The file that the server of a module's ``folder`` writes its output to."""
    return folder.parent / "server.log"


@pytest.fixture(scope="module")
def address(folder: Path, log: Path) -> Iterator[str]:
    """The address of the inspector on a module's ``folder``."""
    with served(folder, log) as address:
        yield address


@pytest.fixture
def page(browser: Any, log: Path) -> Iterator[Any]:
    """A page of its own cookies and storage, on which no script may fail and no dialog may open."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(PAGE_TIMEOUT)
    alerts: list[str] = []

    def refuse(dialog: Any) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("pageerror", lambda error: alerts.append(str(error)))
    yield page
    context.close()
    assert alerts == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a browser test that failed quotes its page and the last lines of the server."""
    report = yield
    given = getattr(item, "funcargs", {})
    if report.when == "call" and report.failed and "page" in given:
        report.sections.append(("the page", shown_on(given["page"])))
        report.sections.append(("the server", given["log"].read_text()[-MAX_QUOTED:]))
    return report
