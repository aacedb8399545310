"""One trial as the search sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnostics.model.rate_estimate import RateEstimate
from diagnostics.model.records import Advice, Finding
from tuner.search.attributes import (
    CURVE,
    DIAGNOSIS,
    DIVERGED,
    ERROR,
    FORGETTING_LIMIT,
    METHOD,
    METRIC,
    MOVED_BY,
    NOISE,
    PARENT,
    RESEED,
    SHARE,
    START,
    STEPS,
    STOPPED,
    excess_of,
)
from tuner.search.proposer import UNKNOWN_SAMPLER, Proposer

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

USUAL_NAMES: Mapping[str, str] = {"lr": "learning_rate"}
"""Names of parameters in studies of one's own, and what advice calls them."""


@dataclass(frozen=True)
class TrialView:
    """One trial as the search sees it; a lower ``loss`` is better, also where the study maximizes.

    ``loss`` is None while the trial runs, and when it failed without a value. ``seed`` is 0 for the study's own seed
    and n for the n-th repeat of the settings; ``stderr`` is the standard error of a loss that is a mean over seeds.
    ``start`` is the loss before training, ``start_exact`` whether it was evaluated (else it is the first training
    loss); ``stopped_at`` is the share of the schedule after which the pruner stopped the run, None for a whole run;
    ``steps`` are the optimizer steps of its schedule.
    ``rate`` says where the run's learning rate stands, by its curves; ``course`` are its evaluations, as shares of the
    schedule and losses.
    ``excess`` is what the run forgot beyond the study's limit, below 0 within it, None without a limit: a run above it
    counts as one that diverged, because its settings are out of bounds.
    """

    number: int
    settings: Mapping[str, Any]
    loss: float | None
    running: bool = False
    diverged: bool = False
    failed: bool = False
    noise: float = 0.0
    label: str | None = None
    advice: tuple[Advice, ...] = ()
    findings: tuple[Finding, ...] = ()
    proposer: Proposer = UNKNOWN_SAMPLER
    parent: int | None = None
    method: str | None = None
    metric: str | None = None
    seed: int = 0
    stderr: float = 0.0
    start: float | None = None
    start_exact: bool = True
    stopped_at: float | None = None
    steps: float | None = None
    excess: float | None = None
    rate: RateEstimate | None = None
    course: tuple[tuple[float, float], ...] = ()

    @property
    def usable(self) -> bool:
        """Whether the trial's loss says something about its settings."""
        return self.loss is not None and not self.diverged and not self.failed


def sign_of(study: Study) -> float:
    """+1 where the study minimizes and -1 where it maximizes: ``sign * value`` is a loss."""
    return -1.0 if study.direction.name == "MAXIMIZE" else 1.0


def forgetting_limit(study: Study) -> float | None:
    """By how much the loss on general text may rise in the study's best trial; None without a limit."""
    limit = study.user_attrs.get(FORGETTING_LIMIT)
    return None if limit is None else float(limit)


def trial_view(
    trial: FrozenTrial, sign: float, knobs: Mapping[str, str] | None = None, limit: float | None = None
) -> TrialView:
    """The trial as the search sees it; ``sign`` is +1 where the study minimizes and -1 where it maximizes.

    ``knobs`` maps parameter names to the names that advice uses; ``limit`` is what a run may forget.
    """
    names = knobs or {}
    attributes = trial.user_attrs
    verdict = attributes.get(DIAGNOSIS) or {}
    value = trial.value if trial.state.is_finished() else None
    broke = bool(attributes.get(DIVERGED)) or (value is not None and not np.isfinite(value))
    excess = excess_of(attributes, limit)
    return TrialView(
        number=trial.number,
        settings={names.get(name, name): setting for name, setting in trial.params.items()},
        loss=None if value is None or not np.isfinite(value) else sign * value,
        running=not trial.state.is_finished(),
        diverged=broke or (excess or 0.0) > 0.0,
        failed=ERROR in attributes or trial.state.name == "FAIL",
        noise=float(attributes.get(NOISE) or 0.0),
        label=verdict.get("label"),
        # Optional advice is for people: a healthy run gives the search no direction.
        advice=tuple(advice for advice in map(Advice.from_dict, verdict.get("advice") or ()) if not advice.optional),
        findings=tuple(map(Finding.from_dict, verdict.get("findings") or ())),
        proposer=Proposer.from_text(str(attributes.get(MOVED_BY) or "sampler")),
        parent=attributes.get(PARENT),
        method=attributes.get(METHOD),
        metric=attributes.get(METRIC),
        seed=int(attributes.get(RESEED) or 0),
        **_start(attributes, sign),
        stopped_at=_stopped_at(trial),
        steps=attributes.get(STEPS),
        excess=excess,
        course=_course(trial, sign),
        rate=RateEstimate.from_dict(verdict["rate"]) if verdict.get("rate") else None,
    )


def _start(attributes: Mapping[str, Any], sign: float) -> dict[str, Any]:
    """The loss before training; earlier versions kept it as the first point of the curve alone."""
    value, exact = attributes.get(START) or (None, True)
    curve: list[list[float]] = attributes.get(CURVE) or []
    if value is None and curve and curve[0][0] == 0:
        value = curve[0][1]
    if value is None or not np.isfinite(value):
        return {}
    return {"start": sign * value, "start_exact": bool(exact)}


def _course(trial: FrozenTrial, sign: float) -> tuple[tuple[float, float], ...]:
    """The reported evaluations; the last one lies at the recorded share."""
    steps = sorted(trial.intermediate_values)
    whole = (steps[-1] if steps else 0) / float(trial.user_attrs.get(SHARE) or 1.0)
    known = ((step / whole, sign * trial.intermediate_values[step]) for step in steps if whole > 0)
    return tuple((share, loss) for share, loss in known if np.isfinite(loss))


def _stopped_at(trial: FrozenTrial) -> float | None:
    """The share of its schedule after which a run was stopped."""
    if STOPPED not in trial.user_attrs and trial.state.name != "PRUNED":
        return None
    share = trial.user_attrs.get(SHARE)
    return float(share) if share is not None and 0 < share < 1 else None
