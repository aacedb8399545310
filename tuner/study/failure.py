"""Why a training run failed, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_ERROR_LENGTH = 200
"""Characters of an error's class and first line that are kept; the whole traceback lies in the run's folder."""


class FailureKind(StrEnum):
    """What ended a run: its own error, or memory that does not suffice for one row on the device."""

    ERROR = "error"
    OUT_OF_MEMORY = "out-of-memory"
    KILLED_FOR_MEMORY = "killed-for-memory"
    WORKERS_KILLED = "workers-killed"


@dataclass(frozen=True)
class Failure:
    """Why a run failed.

    ``error`` is the class of the exception and ``detail`` the first line of its text, both empty where memory ran out.
    ``settings`` are then those that memory depends on. ``WORKERS_KILLED`` is a guess: the workers of the run were
    killed without an error, which a crash below Python does as well.
    """

    kind: FailureKind
    error: str = ""
    detail: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, error: Exception) -> Failure:
        """The failure that an exception of the training stands for."""
        if isinstance(error, DoesNotFit):
            return error.failure
        name = type(error).__name__
        first = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        return cls(FailureKind.ERROR, name, first[: max(0, MAX_ERROR_LENGTH - len(name) - 2)].rstrip(": "))

    @property
    def for_memory(self) -> bool:
        """Whether less memory would have let the run go through, as far as is known."""
        return self.kind is not FailureKind.ERROR

    @property
    def infeasible(self) -> bool:
        """Whether the settings are known not to fit in memory."""
        return self.kind in (FailureKind.OUT_OF_MEMORY, FailureKind.KILLED_FOR_MEMORY)

    def to_dict(self) -> dict[str, Any]:
        """The failure as plain values."""
        return {"kind": str(self.kind), "error": self.error, "detail": self.detail, "settings": dict(self.settings)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any] | str, *, infeasible: bool = False) -> Failure:
        """The failure that ``to_dict`` wrote, or the line that earlier versions kept.

        ``infeasible`` says of such a line that it is about memory. Raises ``KeyError`` where the kind is missing.
        """
        if isinstance(raw, str):
            error, _, detail = raw.partition(": ")
            return cls(FailureKind.OUT_OF_MEMORY, detail=raw) if infeasible else cls(FailureKind.ERROR, error, detail)
        settings = dict(raw.get("settings") or {})
        return cls(FailureKind(raw["kind"]), str(raw.get("error") or ""), str(raw.get("detail") or ""), settings)


class DoesNotFit(Exception):
    """A run that one row on the device is too much for; ``failure`` says what is known of it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(str(failure.kind), dict(failure.settings))
        self.failure = failure
