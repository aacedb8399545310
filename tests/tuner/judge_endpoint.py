"""A stand-in for a judge: a server on this machine that speaks the protocol of an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.tuner.local_server import listening


@contextmanager
def endpoint() -> Iterator[Any]:
    """A server whose judge, status and usage can be set; ``seen`` holds the headers and bodies of the calls."""

    class Handler(BaseHTTPRequestHandler):
        judge = staticmethod(lambda first, second: "A")
        status, usage = 200, None
        seen: list[tuple[dict[str, str], dict[str, Any]]] = []  # noqa: RUF012

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            type(self).seen.append((dict(self.headers), body))
            asked = body["messages"][0]["content"]
            first, second = (re.search(rf"<answer {x}>\n(.*?)\n</answer", asked, re.S).group(1) for x in "AB")  # type: ignore[union-attr]
            made = {"choices": [{"message": {"content": self.judge(first, second)}}]}
            said = json.dumps(
                made | ({"usage": {"total_tokens": self.usage}} if self.usage is not None else {})
            ).encode()
            self.send_response(self.status)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *args: Any) -> None:
            pass

    Handler.seen = []
    with listening(Handler) as address:
        Handler.address = f"{address}/v1"  # type: ignore[attr-defined]
        yield Handler


def longer(first: str, second: str) -> str:
    """A judge that prefers the longer answer."""
    return "A" if len(first) > len(second) else "B"
