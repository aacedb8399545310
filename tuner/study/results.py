"""The records that a study leaves: its trials, the proof of a gain, how each rule did, and the review.

They hold codes and numbers. ``study.json`` keeps the words beside them, for people and for programs of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tuner.config.direction import Direction
from tuner.config.search_space import Space, Value
from tuner.search.attributes import BEFORE, METRICS, forgotten
from tuner.search.credit import RuleRecord
from tuner.search.run_model.picture import RateCurve
from tuner.study.gain import Gain, Pair
from tuner.study.patch_lines import patch_of
from tuner.study.stored_space import stored_space
from tuner.study.stored_text import Text, known_values, text_from, texts_from
from tuner.study.trial_result import STOPPED_LINE, TrialResult, TrialState

__all__ = [
    "STOPPED_LINE",
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
        return known_values(cls, {**raw, "point": text_from(point), "sentences": texts_from(sentences), "patch": patch})


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

    def forgets_too_much(self, trial: TrialResult) -> bool:
        """Whether a trial lies beyond the study's limit of forgetting: it cannot be the best."""
        return self.forgetting_limit is not None and (self.forgotten(trial) or 0.0) > self.forgetting_limit

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
        return known_values(cls, {**raw, **parts})
