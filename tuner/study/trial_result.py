"""One training run of a study, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from diagnostics.model.records import current_rule_name
from tuner.config.search_space import Value
from tuner.search.proposer import FILE, Proposer
from tuner.study.failure import Failure
from tuner.study.stored_text import Text, known_values, text_from, texts_from

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
        return known_values(cls, {**raw, **parts})
