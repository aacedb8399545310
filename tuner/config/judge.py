"""The judge of a study file: a model behind an OpenAI-compatible endpoint, off unless a file names one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tuner.config.secret_keys import is_secret
from tuner.config.trl_schema import Unfit, as_type
from tuner.errors import SpecError, brief, brief_name, nearest

LOCAL = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class JudgeBlock:
    """Where the judge is, which model answers, how many questions it sees, and what a run and a study may cost.

    ``max_calls`` are those of a run, ``max_study_calls`` and ``max_study_tokens`` of all runs of a study together. The
    key comes from the environment variable ``key_env`` and is stored nowhere.
    """

    base_url: str
    model: str
    rows: int = 16
    max_calls: int = 64
    max_study_calls: int = 2000
    max_study_tokens: int | None = None
    key_env: str = "OPENAI_API_KEY"
    seconds: float = 60.0

    @property
    def key(self) -> str | None:
        """The key, None where the environment has none."""
        return os.environ.get(self.key_env, "").strip() or None


KINDS: Mapping[str, Any] = {
    "base_url": str,
    "model": str,
    "rows": int,
    "max_calls": int,
    "max_study_calls": int,
    "max_study_tokens": int,
    "key_env": str,
    "seconds": float,
}


MOST: Mapping[str, int] = {
    **dict.fromkeys(("rows", "max_calls", "seconds"), 10_000),
    "max_study_calls": 10**6,
    "max_study_tokens": 10**10,
}


def read_judge(raw: Any, where: str) -> JudgeBlock | None:
    """The judge of a study block; raises ``SpecError`` with one line that names the key at fault."""
    if raw is None:
        return None
    if not isinstance(raw, Mapping):
        raise SpecError(f"{where}: must be a mapping with base_url and model, not {brief(raw)}")
    made = {}
    for name, value in raw.items():
        if name not in KINDS:
            own = "; the key comes from the environment variable key_env" if is_secret(str(name)) else ""
            raise SpecError(f"{where}: unknown key {brief_name(name)}{own or nearest(str(name), KINDS)}")
        try:
            made[name] = as_type(value, KINDS[name])
        except Unfit as error:
            raise SpecError(f"{where}.{name}: {error}") from None
    for name in ("base_url", "model"):
        if not made.get(name):
            raise SpecError(f"{where}: needs {name}, such as base_url: http://localhost:8000/v1")
    for name, most in MOST.items():
        if name in made and not 0 < made[name] <= most:
            raise SpecError(f"{where}.{name}: must be above 0 and at most {most}, not {made[name]}")
    _check_address(made["base_url"], where)
    block = JudgeBlock(**made)
    if not (block.key or "").isprintable() or not (block.key or "").isascii():
        raise SpecError(f"{where}.key_env: {block.key_env} holds a character that no key has; set it anew")
    return block


def _check_address(address: str, where: str) -> None:
    """Raise ``SpecError`` for what is no web address, and for one that a key would travel to in the clear."""
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and address.isascii()
    except ValueError:  # a port that is none, half of an IPv6 address
        is_address = False
    if not is_address or "@" in parts.netloc or parts.query or parts.fragment or not address.isprintable():
        raise SpecError(f"{where}.base_url: must be an address such as https://host/v1, without a user or a key in it")
    if parts.scheme == "http" and parts.hostname not in LOCAL:
        raise SpecError(f"{where}.base_url: must be https: answers and the key would travel in the clear")
