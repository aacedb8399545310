"""What happens in a study, as it happens: the records that a display or a log is fed with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tuner.study.results import Gain, TrialResult


@dataclass(frozen=True)
class Opened:
    """A study begins or goes on: ``done`` are its finished trials, ``total`` how many there shall be.

    ``budget`` is what they may cost, in words.
    """

    name: str
    metric: str
    direction: str
    total: int
    seeds: int
    done: tuple[TrialResult, ...]
    folder: str
    budget: str = ""


@dataclass(frozen=True)
class Started:
    """A trial begins, or goes on where it was cut (``continued``)."""

    number: int
    settings: Mapping[str, Any]
    moved: Mapping[str, tuple[Any, Any]]
    moved_by: str
    because: str
    continued: bool = False


@dataclass(frozen=True)
class Advanced:
    """A running trial or repeat was evaluated: ``share`` of its schedule is done."""

    number: int
    share: float
    value: float | None
    label: str | None
    seed: int | None = None


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
    """The study is done for now; ``gain`` is what the repeats proved."""

    best: int | None
    gain: Gain | None


@dataclass(frozen=True)
class Notice:
    """A line for the reader that belongs to no trial."""

    text: str


Event = Opened | Started | Advanced | Finished | Repeated | Closed | Notice
Show = Callable[[Event], None]
