"""The inspector as a person meets it: the real server, a real browser."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.inspector.material import HOSTILE, write_fine_run, write_overfit_run, write_study

CHROMIUM = Path("/usr/bin/chromium")
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three runs and a study."""
    folder = tmp_path / "runs"
    write_overfit_run(folder / "overfit.csv")
    write_fine_run(folder / HOSTILE[0])
    write_study(folder / "demo")
    return folder


@pytest.fixture
def address(folder: Path, tmp_path: Path) -> Iterator[str]:
    """The address of ``tuner inspect`` on the folder."""
    port = free_port()
    code = f"from tuner.inspector import launch; raise SystemExit(launch({str(folder)!r}, port={port}, browser=False))"
    with (tmp_path / "server.log").open("w") as log:
        server = subprocess.Popen([sys.executable, "-c", code], stdout=log, stderr=log, cwd=tmp_path)
        try:
            wait_for(f"http://localhost:{port}/_stcore/health", server)
            yield f"http://localhost:{port}"
        finally:
            server.terminate()
            server.wait(20)


def wait_for(address: str, server: subprocess.Popen[bytes], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"the server did not come up within {seconds} s (status {server.poll()})")


@pytest.fixture
def page() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        tab = browser.new_page(viewport={"width": 1280, "height": 1000})
        tab.set_default_timeout(60_000)
        yield tab
        browser.close()


def picture(page: Any, name: str) -> None:
    """A screenshot, where the environment asks for them."""
    if folder := os.environ.get("TUNER_SCREENSHOTS"):
        page.wait_for_timeout(1500)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_run_is_ticked_opened_and_followed(address: str, folder: Path, page: Any) -> None:
    alerts: list[str] = []

    def refuse(dialog: Any) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.goto(address)
    page.get_by_text("3 of 3 runs").wait_for()
    page.get_by_label("Filter").fill("overfit.csv")
    page.get_by_label("Filter").press("Enter")
    page.get_by_text("1 of 3 runs").wait_for()
    # The table of before the filter stays on the page until the new one is drawn.
    page.wait_for_function("document.querySelectorAll('[data-testid=stDataFrame]').length === 1")
    table = page.get_by_test_id("stDataFrame")
    picture(page, "runs")
    table.click(position={"x": 18, "y": 55})
    page.get_by_role("button", name="Open run").click()
    page.get_by_role("heading", name="The model overfits").wait_for()
    page.get_by_test_id("stVegaLiteChart").locator("svg, canvas").first.wait_for()
    picture(page, "run")
    assert "run=overfit.csv" in page.url
    with (folder / "overfit.csv").open("a") as log:
        log.write("".join(f"{step},1.0,\n" for step in range(121, 201)))
    page.get_by_text("212 of 212 points in view").wait_for()
    page.goto(f"{address}/run?run=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E")
    page.get_by_role("heading").first.wait_for()
    assert page.locator("img[src='x']").count() == 0
    assert alerts == []


def test_the_study_page_and_a_narrow_screen(address: str, page: Any) -> None:
    page.goto(f"{address}/study")
    page.get_by_text("better by 0.5 in 2 of 2 seeds").wait_for()
    picture(page, "study")
    page.set_viewport_size({"width": 480, "height": 900})
    page.goto(f"{address}/run?run=overfit.csv")
    page.get_by_role("heading", name="The model overfits").wait_for()
    page.get_by_test_id("stVegaLiteChart").wait_for()
    picture(page, "run-narrow")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 480


def test_only_this_machine_is_served(address: str) -> None:
    port = int(address.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: this asks which address of ours leads outside
        outside = probe.getsockname()[0]
    if outside.startswith("127."):
        pytest.skip("this machine has no address but its own")
    with socket.socket() as caller:
        caller.settimeout(2)
        assert caller.connect_ex((outside, port)) != 0
