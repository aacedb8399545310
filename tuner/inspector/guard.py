"""Who may talk to the server: pages of its own, on this machine; and none may show them in a frame."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from tuner.inspector.access import is_here

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEADERS = (
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"content-security-policy", b"frame-ancestors 'self'"),
    (b"referrer-policy", b"no-referrer"),  # the address holds the token
    (b"x-content-type-options", b"nosniff"),
)


class Guard:
    """The application behind a check of each request's Host and Origin."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        is_socket = scope["type"] == "websocket"
        if not is_own(headers.get("host"), headers.get("origin"), is_socket=is_socket):
            await _refuse(is_socket, receive, send)
            return

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *HEADERS]
            await send(message)

        await self.app(scope, receive, send if is_socket else answer)


def is_own(host: str | None, origin: str | None, *, is_socket: bool) -> bool:
    """Whether a request comes from this machine and from a page of this very server, its port included.

    Browsers send the Origin with every websocket. A request for a page has none when it was typed in.
    """
    if not is_here(host):
        return False
    if origin is None:
        return not is_socket
    try:
        return urlsplit(origin).scheme in ("http", "https") and urlsplit(origin).netloc == host
    except ValueError:
        return False


async def _refuse(is_socket: bool, receive: Receive, send: Send) -> None:
    if is_socket:
        await receive()
        await send({"type": "websocket.close", "code": 1008})
        return
    text = b"This server answers only its own pages, on this machine."
    head = [(b"content-type", b"text/plain"), (b"content-length", str(len(text)).encode()), *HEADERS]
    await send({"type": "http.response.start", "status": 403, "headers": head})
    await send({"type": "http.response.body", "body": text})
