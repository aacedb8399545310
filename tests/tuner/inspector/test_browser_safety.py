"""What no name, no address and no other page may do: the real server, a real browser."""

from __future__ import annotations

import socket
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.inspector.charts import chart, says_at
from tests.tuner.inspector.material import HOSTILE, falling, write_csv, write_fine_run
from tests.tuner.inspector.serving import NEEDS_CHROMIUM, settled

pytestmark = NEEDS_CHROMIUM

SECRET = "41.75"
NASTY = ("<img src=x onerror=alert(1)>", '\\"+alert(1)+"', "{{signal: alert(1)}}", "image")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs with nasty names and broken logs, in a folder beside a file that is none of its business."""
    folder = tmp_path_factory.mktemp("inspected") / "runs"
    write_fine_run(folder / HOSTILE[0])
    write_csv(folder / "tags.csv", {"train_loss": falling(60)} | {tag: [(1, 1), (60, 2)] for tag in NASTY})
    nan = [(k, 3.0 - k / 50 if k < 40 else float("nan")) for k in range(1, 60)]
    write_csv(folder / "nan.csv", {"train_loss": nan})
    (folder / "cut").mkdir()
    (folder / "cut" / "trainer_state.json").write_text('{"log_history": [{"st')
    write_csv(folder.parent / "secret.csv", {"train_loss": [(1, float(SECRET)), (2, 41.5)]})
    return folder


def test_names_from_logs_are_only_ever_text(address: str, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{address}/run?run=tags.csv")
    chart(page)
    page.get_by_role("button", name="Curves (").click()
    for tag in NASTY:
        box = page.get_by_role("combobox", name="Curves")
        box.click()
        box.fill(tag[:9])
        expect(page.get_by_role("option")).to_have_text([tag])
        box.press("Enter")
        page.get_by_test_id("stMultiSelect").get_by_text(tag).wait_for()
        settled(page)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelectorAll('[data-testid=stVegaLiteChart]').length === 1")
    says_at(page, 200, *NASTY)
    assert page.locator("img[src='x'], img[src^='1']").count() == 0
    page.goto(f"{address}/run?run=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E")
    chart(page)
    assert page.locator("img[src='x']").count() == 0


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("nan.csv", "nan"),
        ("cut", "could not be read"),
        ("gone.csv", "has no run called"),
        ("../secret.csv", "has no run called"),
        ("%2e%2e%2fsecret.csv", "has no run called"),
        ("/etc/passwd", "has no run called"),
    ],
)
def test_a_run_that_is_broken_gone_or_elsewhere_has_a_helpful_page(
    address: str, page: Any, run: str, words: str
) -> None:
    page.goto(f"{address}/run?run={run}")
    page.get_by_text(words).first.wait_for()
    settled(page)
    said = page.inner_text("body")
    assert SECRET not in said and "root:" not in said
    assert "Traceback" not in said and "Error:" not in said


@pytest.mark.parametrize(
    "path",
    ["/../secret.csv", "/%2e%2e/secret.csv", "/app/static/../../secret.csv", "/media/../secret.csv", "//etc/passwd"],
)
def test_the_server_hands_out_no_file(address: str, path: str) -> None:
    with socket.create_connection(("localhost", int(address.rpartition(":")[2])), timeout=20) as caller:
        caller.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())  # no client tidies the path up
        said = b"".join(iter(lambda: caller.recv(65536), b"")).decode(errors="replace")
    assert said.startswith("HTTP/1")
    assert SECRET not in said
    assert "root:" not in said


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


@pytest.mark.parametrize(
    ("origin", "host", "answer"),
    [
        ("http://localhost:{port}", "localhost:{port}", b"101"),
        ("http://evil.example", "localhost:{port}", b"403"),
        ("http://localhost:1", "localhost:{port}", b"403"),  # another server on this machine
        ("http://127.0.0.1:{port}", "localhost:{port}", b"403"),
        ("null", "localhost:{port}", b"403"),
        (None, "localhost:{port}", b"403"),
        ("http://evil.example:{port}", "evil.example:{port}", b"403"),  # a name that was pointed at this machine
    ],
)
def test_no_page_from_elsewhere_can_talk_to_the_inspector(
    address: str, origin: str | None, host: str, answer: bytes
) -> None:
    port = address.rpartition(":")[2]
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host.format(port=port)}",
        *([f"Origin: {origin.format(port=port)}"] if origin else []),
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with socket.create_connection(("localhost", int(port)), timeout=20) as caller:
        caller.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        assert caller.recv(64).split()[1] == answer


@pytest.mark.parametrize("path", ["", "run?run=nan.csv", "_stcore/health", "static/index.html", "no/such/page"])
def test_no_answer_may_be_framed_or_tells_where_it_was_linked_from(address: str, path: str) -> None:
    request = urllib.request.Request(f"{address}/{path}")
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert answer.headers["Content-Security-Policy"] == "frame-ancestors 'self'"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


class Framing(BaseHTTPRequestHandler):
    """A page of another server on this machine that shows the inspector in a frame."""

    inspector = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<h1>other</h1><iframe src='{self.inspector}/' width=900 height=700></iframe>".encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def test_a_page_of_another_server_here_shows_no_inspector_in_a_frame(address: str, page: Any) -> None:
    class Here(Framing):
        inspector = address

    with HTTPServer(("localhost", 0), Here) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.goto(f"http://localhost:{server.server_port}/")
        page.get_by_text("other").wait_for()
        page.wait_for_timeout(5000)
        shown = [frame.locator("[data-testid=stApp]").count() for frame in page.frames]
        server.shutdown()
    assert len(shown) == 2 and shown[1] == 0
    page.goto(address)
    page.get_by_test_id("stApp").wait_for()  # so it would have been there
