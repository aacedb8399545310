"""What happens in a study, as it happens: the records that a display or a log is fed with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics.model.message import Message
from tuner.config.direction import Direction
from tuner.search.proposer import Proposer
from tuner.study.failure import FailureKind
from tuner.study.results import StudyResult, Text, TrialResult
from tuner.training.device_batch import DeviceBatch


@dataclass(frozen=True)
class Opened:
    """A study begins or continues: ``done`` are its finished trials, ``total`` how many there shall be.

    ``minutes`` and ``steps`` are what they may cost, None without such a budget; ``workers`` the processes of this
    command that share them.
    """

    name: str
    metric: str
    direction: Direction
    total: int
    seeds: int
    done: tuple[TrialResult, ...]
    folder: str
    minutes: float | None = None
    steps: int | None = None
    workers: int = 1


@dataclass(frozen=True)
class Started:
    """A trial begins, or continues where it was cut (``continued``)."""

    number: int
    settings: Mapping[str, Any]
    moved: Mapping[str, tuple[Any, Any]]
    proposer: Proposer
    because: Text
    continued: bool = False


@dataclass(frozen=True)
class Advanced:
    """A running trial or repeat was evaluated: ``share`` of its schedule is done, at ``step``.

    ``values`` are those of the metric so far.
    """

    number: int
    share: float
    value: float | None
    label: str | None
    seed: int | None = None
    step: float = 0.0
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Finished:
    """A trial has ended; ``best`` is the number of the best one now."""

    trial: TrialResult
    best: int | None


@dataclass(frozen=True)
class Repeated:
    """A repeat of a trial on a fresh seed begins (``value`` None, ``over`` False) or has ended."""

    number: int
    seed: int
    done: int
    total: int
    over: bool = False
    value: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Closed:
    """The study is done for now, with this result."""

    result: StudyResult


@dataclass(frozen=True)
class Notice:
    """What the reader should know beside the trials."""

    message: Message


@dataclass(frozen=True)
class RowsLowered:
    """A run ended for want of memory and begins again with fewer rows on the device.

    ``kind`` is how it ended; ``settings`` are those that memory depends on.
    """

    run: str
    kind: FailureKind
    failed: DeviceBatch
    fits: DeviceBatch
    settings: Mapping[str, Any]


Event = Opened | Started | Advanced | Finished | Repeated | Closed | Notice | RowsLowered
Show = Callable[[Event], None]
