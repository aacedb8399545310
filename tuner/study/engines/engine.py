"""What an engine is: it starts workers somewhere, says how they ended, and stops them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

KEPT_VARIABLES = ("PYTHONPATH", "HF_HOME", "HF_HUB_OFFLINE", "PGPASSFILE", "OMP_NUM_THREADS", "TMPDIR")
"""Variables of the command that its workers get as well. None holds a secret: clusters show what they are given."""


@dataclass(frozen=True)
class Order:
    """A worker that is to be started: ``words`` of ``tuner study``, without the GPUs, which it learns where it runs.

    ``folder`` is where the command was given, ``log`` the file that the worker writes; ``environment`` comes on top of
    what it finds.
    """

    name: str
    words: tuple[str, ...]
    folder: Path
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def stop_file(self) -> Path:
        """A file that asks the worker to stop, for engines that have no other way to reach it."""
        return self.log.with_suffix(".stop")


@dataclass(frozen=True)
class Ended:
    """How a worker ended: the status of its command (negative for a signal, None where it vanished), its last line."""

    status: int | None
    line: str = ""


class Engine(Protocol):
    """A cluster that workers are started on. A handle is the engine's own record of a worker."""

    name: str
    hosts: int
    """Machines that take part, this one included; more than one need a database that all reach."""
    places: int | None
    """Workers that run at once, None where that is not known."""

    def is_there(self) -> bool:
        """Whether the cluster answers."""

    def left(self) -> list[Any]:
        """The workers of an earlier command for this study that still run or wait."""

    def start(self, order: Order) -> Any:
        """A worker that begins as soon as there is a place for it."""

    def has_begun(self, handle: Any) -> bool:
        """Whether the worker has got its place."""

    def ended(self, handle: Any) -> Ended | None:
        """How the worker ended; None while it runs or waits."""

    def stop(self, handle: Any) -> None:
        """Ask the worker to end its step, save it and stop; one that has not begun never will."""

    def kill(self, handle: Any) -> None:
        """End the worker at once."""
