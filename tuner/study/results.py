"""The records that a study leaves: its trials, the proof of a gain, how each rule did, and the review.

They hold codes and numbers. ``study.json`` keeps the words beside them, for people and for programs of others.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, TypeVar

from diagnostics.model.message import Message
from diagnostics.model.records import current_rule_name
from tuner.config.direction import Direction
from tuner.config.search_space import Space, Value
from tuner.search.attributes import BEFORE, METRICS, forgotten
from tuner.search.credit import RuleRecord
from tuner.search.proposer import FILE, Proposer
from tuner.search.run_model.picture import RateCurve
from tuner.study.failure import Failure
from tuner.study.patch_lines import patch_of
from tuner.study.stored_space import stored_space

__all__ = [
    "Gain",
    "Pair",
    "Paragraph",
    "RuleRecord",
    "StudyResult",
    "Text",
    "TrialResult",
    "TrialState",
    "Value",
    "text_from",
    "texts_from",
]

Text = Message | str
"""A sentence as data; text is what an earlier version wrote, or somebody else."""
Record = TypeVar("Record")
STOPPED_LINE = "stopped: "
"""What stands in ``error`` of study.json before the reason of a trial that was pruned."""


class TrialState(StrEnum):
    """How far a trial is, or how it ended; ``INFEASIBLE`` is one that does not fit in memory."""

    COMPLETE = "complete"
    PRUNED = "pruned"
    FAILED = "failed"
    INFEASIBLE = "infeasible"
    RUNNING = "running"

    @property
    def by_failure(self) -> bool:
        """Whether the trial ended without teaching anything but that its training fails."""
        return self in (TrialState.FAILED, TrialState.INFEASIBLE)


@dataclass(frozen=True)
class TrialResult:
    """One finished (or still running) training run of a study.

    ``settings`` holds the knobs of the space, ``value`` the metric (None when there is none), ``proposer`` who proposed
    the settings (``moved_by`` in study.json) and ``because`` why;
    ``moved`` maps each knob that changed to (old, new). ``stopped`` says why the trial was pruned, ``spared`` why it
    would have been (it went on as a check of the pruner), ``failure`` why it failed. ``curve`` is the metric over
    steps. ``folder`` is relative to the study's folder; where ``host`` is given it is the path on that machine.
    ``memory`` says how a device batch was lowered to fit, and ``lost`` counts the steps of attempts that came to
    nothing, which ``steps`` leaves out.
    """

    number: int
    settings: Mapping[str, Value]
    value: float | None
    state: TrialState
    label: str | None = None
    cause: str | None = None
    diagnosis: Mapping[str, Any] | None = None
    proposer: Proposer = FILE
    moved: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    because: Text = ""
    steps: float = 0.0
    seconds: float = 0.0
    failure: Failure | None = None
    stopped: Text | None = None
    folder: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[tuple[float, float], ...] = ()
    host: str = ""
    memory: tuple[Text, ...] = ()
    lost: float = 0.0
    spared: Text | None = None

    @property
    def is_running(self) -> bool:
        """Whether the trial has not ended."""
        return self.state is TrialState.RUNNING

    def to_dict(self) -> dict[str, Any]:
        """The trial as plain values, without words."""
        plain = asdict(self)
        del plain["proposer"]
        named = {"reason": plain.pop("because"), "lowered": plain.pop("memory")}
        return {**plain, **named, "moved_by": str(self.proposer)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> TrialResult:
        """The trial that ``to_dict`` wrote, with or without words, in this version or an earlier one."""
        state, value, failure, stopped = (
            TrialState(raw["state"]),
            raw.get("value"),
            raw.get("failure"),
            raw.get("stopped"),
        )
        line = raw.get("error")
        if line and not failure and not stopped:  # an earlier version kept one line for all that can end a trial
            stopped = line.removeprefix(STOPPED_LINE) if line.startswith(STOPPED_LINE) else None
            failure = None if stopped else line
        parts = {
            "number": int(raw["number"]),
            "state": state,
            "value": None if value is None else float(value),
            "proposer": Proposer.from_text(str(raw.get("moved_by", FILE))),
            "moved": {knob: (old, new) for knob, (old, new) in (raw.get("moved") or {}).items()},
            "curve": tuple((float(step), float(value)) for step, value in raw.get("curve") or ()),
            "because": text_from(raw.get("reason") or raw.get("because")) or "",
            "failure": Failure.from_dict(failure, infeasible=state is TrialState.INFEASIBLE) if failure else None,
            "stopped": text_from(stopped),
            "spared": text_from(raw.get("spared")),
            "cause": current_rule_name(raw["cause"]) if raw.get("cause") else None,
            "memory": texts_from(raw.get("lowered", raw.get("memory"))),
        }
        return _known(cls, {**raw, **parts})


@dataclass(frozen=True)
class Pair:
    """The metric of the user's own file and of the winner, trained with the same seed."""

    seed: int
    baseline: float
    winner: float


@dataclass(frozen=True)
class Gain:
    """How much better the winner is than trial 0 on fresh seeds; ``mean`` above 0 is better, in the metric's unit.

    ``doubts`` say why the gain is not claimed.
    """

    pairs: tuple[Pair, ...]
    mean: float
    stderr: float
    doubts: tuple[Text, ...] = ()

    @property
    def claimed(self) -> bool:
        """Whether the repeats prove the gain."""
        return not self.doubts

    @property
    def means(self) -> tuple[float, float]:
        """The mean metric of the user's own file and of the winner, over the pairs; nan without any."""
        count = len(self.pairs) or math.nan
        return sum(pair.baseline for pair in self.pairs) / count, sum(pair.winner for pair in self.pairs) / count

    def to_dict(self) -> dict[str, Any]:
        """The gain as plain values, without words."""
        return {**asdict(self), "claimed": self.claimed}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Gain:
        """The gain that ``to_dict`` wrote; of an earlier version's doubts only the words are known."""
        doubts = raw["doubts"] if "doubts" in raw else [] if raw["claimed"] else [raw["message"]]
        pairs = tuple(_known(Pair, pair) for pair in raw.get("pairs") or ())
        return _known(cls, {**raw, "pairs": pairs, "doubts": texts_from(doubts)})


@dataclass(frozen=True)
class Paragraph:
    """One point of the review across trials: a title, sentences, and the keys of the study file to set, if any."""

    point: Text
    sentences: tuple[Text, ...]
    patch: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Paragraph:
        """The paragraph that ``asdict`` makes; of an earlier version only the words are known."""
        point, sentences = raw.get("point") or raw["title"], raw.get("sentences") or [raw["text"]]
        patch = raw["patch"] if isinstance(raw.get("patch"), Mapping) else patch_of(raw.get("yaml"))
        return _known(cls, {**raw, "point": text_from(point), "sentences": texts_from(sentences), "patch": patch})


@dataclass(frozen=True)
class StudyResult:
    """Everything that is known at the end of a study (or so far).

    ``before`` and ``after`` are metrics of the untouched base model and of the best trial; ``best`` is a trial number.
    ``steps`` counts those of all runs, in steps of trial 0. ``noise`` holds differences of the metric that mean
    nothing: ``counts_from`` (the least by which the search takes a trial for better), ``evaluations``, ``seeds``.
    ``trainer`` is the other trainer that trained, empty where it was ours. ``notes`` say what is missing;
    ``rate_curves`` are what the search expects over the learning rate, ``forgetting_limit`` is the most that the best
    trial may forget.
    """

    name: str
    path: str
    method: str
    metric: str
    direction: Direction
    space: Space
    trials: tuple[TrialResult, ...]
    best: int | None = None
    gain: Gain | None = None
    records: tuple[RuleRecord, ...] = ()
    review: tuple[Paragraph, ...] = ()
    seconds: float = 0.0
    steps: float = 0.0
    noise: Mapping[str, float] = field(default_factory=dict)
    before: Mapping[str, float] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Text, ...] = ()
    trainer: str = ""
    rate_curves: tuple[RateCurve, ...] = ()
    forgetting_limit: float | None = None

    def forgotten(self, trial: TrialResult | None) -> float | None:
        """By how much the loss on general text rose in a trial, in nats a token; None where it is not known."""
        return None if trial is None else forgotten({BEFORE: self.before, METRICS: trial.metrics})

    def trial(self, number: int | None) -> TrialResult | None:
        """The trial of that number, or None."""
        return next((trial for trial in self.trials if trial.number == number), None)

    @property
    def baseline(self) -> TrialResult | None:
        """Trial 0: the user's own file."""
        return self.trial(0)

    @property
    def winner(self) -> TrialResult | None:
        """The best trial, or None while no trial has finished."""
        return self.trial(self.best)

    def to_dict(self) -> dict[str, Any]:
        """The study as plain values, without words."""
        plain = asdict(self)
        return {
            **plain,
            "space": {knob: span.to_dict() for knob, span in self.space.items()},
            "trials": [trial.to_dict() for trial in self.trials],
            "gain": self.gain.to_dict() if self.gain else None,
            "records": [{**asdict(one), "followed": one.followed} for one in self.records],
            "notices": plain.pop("notes"),
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> StudyResult:
        """The study that ``to_dict`` wrote, with or without words, in this version or an earlier one.

        What a later version added is left out. Raises ``KeyError``, ``TypeError``, ``ValueError`` or ``AttributeError``
        for anything else.
        """
        parts = {
            "direction": Direction(raw["direction"]),
            "space": stored_space(raw["space"]),
            "trials": tuple(TrialResult.from_dict(trial) for trial in raw["trials"]),
            "gain": Gain.from_dict(raw["gain"]) if raw.get("gain") else None,
            "records": tuple(map(RuleRecord.from_dict, raw.get("records") or ())),
            "review": tuple(Paragraph.from_dict(one) for one in raw.get("review") or ()),
            "notes": texts_from(raw.get("notices") or raw.get("notes") or ()),
            "rate_curves": tuple(map(RateCurve.from_dict, raw.get("rate_curves") or ())),
        }
        return _known(cls, {**raw, **parts})


def _known(kind: type[Record], raw: Mapping[str, Any]) -> Record:
    """The record of those values that it knows: a file of a later version may hold more."""
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{key: value for key, value in raw.items() if key in names})


def text_from(raw: Any) -> Text | None:
    """A stored sentence: ``Message.to_dict`` of this version, text of an earlier one; None for nothing."""
    if not raw:
        return None
    return Message.from_dict(raw) if isinstance(raw, Mapping) else str(raw)


def texts_from(raw: Iterable[Any] | None) -> tuple[Text, ...]:
    """Stored sentences, those that say nothing left out; a text of an earlier version is one."""
    stored = [raw] if isinstance(raw, (str, Mapping)) else raw or ()
    return tuple(one for one in map(text_from, stored) if one is not None)
