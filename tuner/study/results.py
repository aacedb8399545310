"""The records that a study leaves: its trials, the proof of a gain, how each rule did, and the review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tuner.config.search_space import Space, Value
from tuner.search.credit import RuleRecord
from tuner.search.proposer import Proposer, ProposerKind

__all__ = [
    "AGAIN",
    "ANOTHER_SEED",
    "ONLY_SEED",
    "Gain",
    "Pair",
    "Paragraph",
    "RuleRecord",
    "StudyResult",
    "TrialResult",
    "Value",
]

AGAIN = str(Proposer(ProposerKind.ANOTHER_SEED))
"""Who proposed a trial that repeats an earlier one: the search, where one run each could not tell which is better."""
ANOTHER_SEED, ONLY_SEED = "another seed", "only the seed"
"""What people read of such a trial: who proposed it, and what moved."""


@dataclass(frozen=True)
class TrialResult:
    """One finished (or still running) training run of a study.

    ``settings`` holds the knobs of the space, ``value`` the metric (None when there is none), ``moved_by`` who
    proposed the settings: ``file`` (trial 0), ``advice:<rule>``, ``sampler:<name>`` or ``AGAIN``; ``moved`` maps each
    knob that changed to (old, new). ``curve`` is the metric over steps. ``folder`` is relative to the study's folder;
    where ``host`` is given it is the path on that machine. ``memory`` says how a device batch was lowered to fit, and
    ``lost`` counts the steps of attempts that came to nothing, which ``steps`` leaves out.
    """

    number: int
    settings: Mapping[str, Value]
    value: float | None
    state: str  # complete | pruned | failed | infeasible | running
    label: str | None = None
    cause: str | None = None
    diagnosis: Mapping[str, Any] | None = None
    moved_by: str = "file"
    moved: Mapping[str, tuple[Value, Value]] = field(default_factory=dict)
    because: str = ""
    steps: float = 0.0
    seconds: float = 0.0
    error: str | None = None
    folder: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[tuple[float, float], ...] = ()
    host: str = ""
    memory: str = ""
    lost: float = 0.0

    @property
    def proposer(self) -> Proposer:
        """Who proposed the settings, read from ``moved_by``."""
        return Proposer.from_text(self.moved_by)

    def to_dict(self) -> dict[str, Any]:
        """The trial as plain values."""
        return asdict(self)


@dataclass(frozen=True)
class Pair:
    """The metric of the user's own file and of the winner, trained with the same seed."""

    seed: int
    baseline: float
    winner: float


@dataclass(frozen=True)
class Gain:
    """How much better the winner is than trial 0 on fresh seeds; ``mean`` above 0 is better, in the metric's unit."""

    pairs: tuple[Pair, ...]
    mean: float
    stderr: float
    claimed: bool
    message: str


@dataclass(frozen=True)
class Paragraph:
    """One point of the review across trials, with the lines to put into the study file, if any."""

    title: str
    text: str
    yaml: str | None = None


@dataclass(frozen=True)
class StudyResult:
    """Everything that is known at the end of a study (or so far).

    ``before`` and ``after`` are metrics of the untouched base model and of the best trial; ``best`` is a trial number.
    ``steps`` counts those of all runs, in steps of trial 0. ``noise`` holds differences of the metric that mean
    nothing: ``counts_from`` (what the search asks of a better trial), ``evaluations``, ``seeds``.
    """

    name: str
    path: str
    method: str
    metric: str
    direction: str  # minimize | maximize
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
    notes: tuple[str, ...] = ()

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
        """The study as plain values."""
        records = [{**asdict(one), "followed": one.followed} for one in self.records]
        return {
            **asdict(self),
            "space": {knob: span.to_dict() for knob, span in self.space.items()},
            "records": records,
        }
