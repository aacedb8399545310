"""The real server on a folder and a real browser, for tests and for pictures."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tuner.inspector.access import TOKEN

APP = Path(__file__).parents[3] / "app.py"
CHROMIUM = Path("/usr/bin/chromium")
NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"needs Chromium at {CHROMIUM}"),
]
KEY = "token-of-the-tests"
"""With ``?token=`` and this the pages of a served folder start runs."""
PAGE_TIMEOUT = 60_000
"""Milliseconds that a page gets on a busy machine to show what a test waits for."""
MAX_QUOTED = 3000
"""Characters of a page and of a server's log that the report of a failed test quotes."""
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")  # fmt: skip


@contextmanager
def served(folder: Path, log: Path, *, allow_run: bool = False, by_script: bool = False) -> Iterator[str]:
    """The address of ``tuner inspect`` on the folder, or of ``streamlit run app.py``; it writes to the file ``log``."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    if by_script:
        command = ["streamlit", "run", str(APP), f"--server.port={port}", "--server.headless=true", "--", str(folder)]
    else:
        command = ["tuner", "inspect", str(folder), "--port", str(port), "--no-browser"]
    command = [sys.executable, "-m", *command, *(["--allow-run"] if allow_run else [])]
    with log.open("w") as said:
        server = subprocess.Popen(command, stdout=said, stderr=said, cwd=log.parent, env={**os.environ, TOKEN: KEY})
        try:
            _wait_for(f"http://localhost:{port}/_stcore/health", server, log)
            yield f"http://localhost:{port}"
        finally:
            server.terminate()
            server.wait(60)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not come up within {seconds} s (status {server.poll()}): {log.read_text()}")


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=list(QUIET))
        yield browser
        browser.close()


def settled(page: Any) -> None:
    """Wait until Streamlit has stopped drawing and stays so: its script is done and nothing is stale."""
    page.evaluate("window.calmSince = null")
    page.wait_for_function(
        "() => { const app = document.querySelector('[data-testid=stApp]');"
        " const calm = app && app.dataset.testScriptState === 'notRunning'"
        " && !document.querySelector('[data-stale=true], [data-testid=stSkeleton]');"
        " window.calmSince = calm ? window.calmSince ?? Date.now() : null;"
        " return calm && Date.now() - window.calmSince > 400; }"  # charts draw a moment after their data have come
    )


def shown_on(page: Any) -> str:
    """The address of a page and the text that stands on it, for the report of a test that failed."""
    from playwright.sync_api import Error

    try:
        text = page.inner_text("body", timeout=10_000)
    except Error as error:
        text = f"The page does not answer: {error}"
    return f"{page.url}\n" + re.sub(r"\s*\n\s*", "\n", text)[:MAX_QUOTED]
