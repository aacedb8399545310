"""What counts as a secret in a config: the one owner of that rule. Secrets are used, and stored nowhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from tuner.config.trust import from_json

SECRET_WORD = re.compile(
    r"(secret|password|passwd|passphrase|pwd|credential)s?$|(token|creds)$|^(api|access|private|ssh|auth)?keys?$"
    r"|^(db|pg|my|user)?pass$|^(auth|pat)$"
)
NOT_SECRET = re.compile(r"(^|_)(pad|eos|bos|unk|mask|sep|cls|image|video|audio)_token$")
"""Names of special tokens of a vocabulary."""
WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
ADDRESS_PASSWORD = re.compile(r"(\w://[^\s:/?#]*):[^\s]*@")
ADDRESS_TOKEN = re.compile(r"(\bhttps?://)[^\s:/?#@]+@")
QUERY = re.compile(r"([?&][\w.-]*(?:token|key|secret|passw|signature|sig|credential)[\w.-]*=)[^&\s#]+", re.IGNORECASE)
HIDDEN = "***"


def is_secret(name: str) -> bool:
    """Whether a key or variable of this name holds a secret, as ``hub_token``, ``DB_PASS`` and ``openaiApiKey`` do."""
    if NOT_SECRET.search(name.lower()):
        return False
    return any(SECRET_WORD.search(word.lower()) for word in WORDS.findall(name))


def masked(text: str) -> str:
    """The text without the passwords and tokens in its addresses."""
    text = ADDRESS_TOKEN.sub(rf"\1{HIDDEN}@", ADDRESS_PASSWORD.sub(rf"\1:{HIDDEN}@", text))
    return QUERY.sub(rf"\1{HIDDEN}", text)


def without_secrets(value: Any) -> Any:
    """The config as it may be stored: secrets left out at any depth, addresses without their passwords.

    A variable of the environment whose address holds a password is left out whole: a masked one would be used.
    """
    read = from_json(value)
    if isinstance(read, Mapping):
        kept = {key: without_secrets(item) for key, item in read.items() if not _holds_secret(str(key), item)}
        if isinstance(kept.get("env"), Mapping):
            kept["env"] = {name: item for name, item in kept["env"].items() if HIDDEN not in str(item)}
        if kept == read:
            return value
        return json.dumps(kept) if isinstance(value, str) else kept
    if isinstance(value, (list, tuple)):
        return [without_secrets(item) for item in value]
    return masked(value) if isinstance(value, str) else value


def _holds_secret(name: str, value: Any) -> bool:
    """Whether an entry is a secret; a switch or nothing at all is none."""
    return is_secret(name) and value is not None and not isinstance(value, bool)
