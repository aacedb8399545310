"""Who may see the pages, and who may start runs: this machine, and whoever knows the token that was printed."""

from __future__ import annotations

import hmac
import os
import secrets
from collections.abc import Mapping, MutableMapping

TOKEN = "TUNER_INSPECT_TOKEN"
PARAMETER = "token"
HOSTS = ("localhost", "127.0.0.1", "[::1]")
"""The names of this machine. A page from elsewhere can point a name of its own here, but not one of these."""


def ensure_token(environment: MutableMapping[str, str] = os.environ) -> str:
    """The token of this server, made at the first call."""
    if not environment.get(TOKEN):
        environment[TOKEN] = secrets.token_urlsafe(32)
    return environment[TOKEN]


def is_token(given: str | None, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether this is the server's token; how long the comparison takes says nothing about it."""
    expected = environment.get(TOKEN, "")
    return bool(expected and given) and hmac.compare_digest(str(given).encode(), expected.encode())


def without_token(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a process that the server starts: a training must not be able to start others."""
    return {name: value for name, value in environment.items() if name != TOKEN}


def is_here(host: str | None) -> bool:
    """Whether a request's Host header names this machine; None, where there is no browser, does."""
    return host is None or host in HOSTS or host.rpartition(":")[0] in HOSTS
