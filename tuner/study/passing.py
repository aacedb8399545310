"""Failures that pass: a full disk, a database or a network that does not answer. They say nothing of the settings."""

from __future__ import annotations

import errno

from tuner.drivers.errors import TrainerKilled
from tuner.training.device_batch import chain, is_out_of_memory

PASSING_ERRNOS = frozenset(
    (
        *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.EROFS),
        *(errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.EPIPE, errno.ENOTCONN),
        *(errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET, errno.EHOSTDOWN, errno.EHOSTUNREACH),
    )
)
PASSING_PHRASES = (
    *("no space left on device", "disk quota exceeded", "input/output error", "database or disk is full"),
    *("(os error 5)", "(os error 28)", "(os error 122)", "pytorchstreamwriter failed writing", "disk i/o error"),
)
"""What libraries that are not written in Python say of a disk: SQLite, safetensors and torch."""
PASSING_TYPES = frozenset(
    (
        *("sqlalchemy.exc.OperationalError", "sqlalchemy.exc.InterfaceError", "httpx.TransportError"),
        *("requests.exceptions.ConnectionError", "requests.exceptions.Timeout"),
        *("requests.exceptions.ChunkedEncodingError", "urllib3.exceptions.TimeoutError"),
        *("urllib3.exceptions.ProtocolError", "aiohttp.client_exceptions.ClientConnectionError"),
    )
)
"""Errors of a database and of the network, by name: those libraries are not imported for the question."""
BUSY_STATUS = frozenset((408, 425, 429, 500, 502, 503, 504))
"""Answers of a server over HTTP that a later request may not get."""


def is_passing(error: BaseException) -> bool:
    """Whether an error, or one that it came from, lies at the machine or the network and not at the run."""
    return not is_out_of_memory(error) and any(map(_passes, chain(error)))


def _passes(error: BaseException) -> bool:
    if isinstance(error, TrainerKilled):
        return True
    if isinstance(error, (ConnectionError, TimeoutError)):
        return type(error).__name__ != "OfflineModeIsEnabled"
    if isinstance(error, OSError) and error.errno in PASSING_ERRNOS:
        return True
    if any(f"{kind.__module__}.{kind.__qualname__}" in PASSING_TYPES for kind in type(error).__mro__):
        return True
    if getattr(getattr(error, "response", None), "status_code", None) in BUSY_STATUS:
        return True
    said = str(error).lower()
    return any(phrase in said for phrase in PASSING_PHRASES)
