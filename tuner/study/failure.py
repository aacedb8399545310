"""Why a training run failed, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_ERROR_LENGTH = 200
"""Characters of an error's class and first line that are kept; the whole traceback lies in the run's folder."""


class FailureKind(StrEnum):
    """What ended a run: its own error, memory that does not suffice for one row on the device, or lost workers."""

    ERROR = "error"
    OUT_OF_MEMORY = "out-of-memory"
    KILLED_FOR_MEMORY = "killed-for-memory"
    WORKERS_KILLED = "workers-killed"
    WORKERS_LOST = "workers-lost"


@dataclass(frozen=True)
class Failure:
    """Why a run failed.

    ``error`` is the class of the exception and ``detail`` the first line of its text, both empty where memory ran out.
    ``settings`` are then those that memory depends on. ``WORKERS_KILLED`` is a guess: a worker of the run was killed
    while hardly any memory was free. ``WORKERS_LOST``: ``losses`` workers were killed in it, and nothing says why.
    """

    kind: FailureKind
    error: str = ""
    detail: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    losses: int = 0

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """The failure that an exception of the training stands for."""
        if isinstance(error, RunGivenUp):
            return error.failure
        name = type(error).__name__
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        return cls(FailureKind.ERROR, name, first[: max(0, MAX_ERROR_LENGTH - len(name) - 2)].rstrip(": "))

    @property
    def for_memory(self) -> bool:
        """Whether less memory would have let the run go through, as far as is known."""
        return self.kind not in (FailureKind.ERROR, FailureKind.WORKERS_LOST)

    @property
    def infeasible(self) -> bool:
        """Whether the settings are known not to fit in memory."""
        return self.kind in (FailureKind.OUT_OF_MEMORY, FailureKind.KILLED_FOR_MEMORY)

    def to_dict(self) -> dict[str, Any]:
        """The failure as plain values."""
        plain = {"kind": str(self.kind), "error": self.error, "detail": self.detail, "settings": dict(self.settings)}
        return {**plain, "losses": self.losses} if self.losses else plain

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any] | str, *, infeasible: bool = False) -> Failure:
        """The failure that ``to_dict`` wrote, or the line that earlier versions kept.

        ``infeasible`` says of such a line that it is about memory. Raises ``KeyError`` where the kind is missing.
        """
        if isinstance(raw, str):
            error, _, detail = raw.partition(": ")
            return cls(FailureKind.OUT_OF_MEMORY, detail=raw) if infeasible else cls(FailureKind.ERROR, error, detail)
        settings = dict(raw.get("settings") or {})
        return cls(
            FailureKind(raw["kind"]),
            str(raw.get("error") or ""),
            str(raw.get("detail") or ""),
            settings,
            int(raw.get("losses") or 0),
        )


class RunGivenUp(Exception):
    """A run that one row on the device is too much for, or that its workers do not survive; ``failure`` says which."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.kind), dict(failure.settings))
        self.failure = failure
