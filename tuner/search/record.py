"""What a trial remembers of its run: the verdict, the noise and who proposed it, as Optuna user attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnostics.messages import finding_message
from diagnostics.model.curves import Curve, FloatArray, Run, canonical_name
from diagnostics.model.methods import method_record
from diagnostics.model.records import Diagnosis, Finding

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial, Trial

DIAGNOSIS = "diagnosis"
DIVERGED = "diverged"
NOISE = "noise"
SHARE = "share"
METHOD = "method"
RESEED = "reseed"
SEED_STRIDE = 100
"""A repeat's seed lies this far from the study's own, so that the seeds right after that are fresh for a proof."""
MOVED_BY = "moved_by"
BECAUSE = "because"
PARENT = "parent"
STOPPED = "stopped"
ERROR = "error"
SECONDS = "seconds"
STEPS = "steps"
METRICS = "metrics"
BEFORE = "before"
CURVE = "curve"
RULE_FOR_DIVERGED = "loss-diverges"
RELATIVE_NOISE_FLOOR = 0.003
"""A difference below 0.3 % is noise until seeds say otherwise."""


def record(
    trial: Trial,
    run: Run | str | Path,
    diagnosis: Diagnosis | None = None,
    *,
    metric: str | None = None,
    share: float | None = None,
    bounds: Mapping[str, tuple[float, float]] | None = None,
) -> Diagnosis:
    """The verdict on the trial's run, now stored in the trial for ``DiagnosisSampler`` and ``DiagnosisPruner``.

    ``run`` is a ``Run``, or the folder or file that the training logs to. Call it once before the objective returns;
    to prune, call it at each evaluation, with ``share``: how much of the schedule is done, 0 to 1. ``metric`` is the
    curve that the study optimizes, by default that of the training method. ``bounds`` are the ranges that advice may
    use, by knob.
    Raises ``UnreadableLog`` when there is no log.
    """
    if not isinstance(run, Run):
        from diagnostics.readers import read

        run = read(Path(run))
    if diagnosis is None:
        from diagnostics.diagnosis.diagnose import diagnose

        diagnosis = diagnose(run, bounds=bounds)
    curve = run.curve(canonical_name(metric or method_record(run.settings.method).metric))
    found: dict[str, Any] = {
        DIAGNOSIS: diagnosis.to_dict(),
        DIVERGED: diverged(run, diagnosis, metric, over=share is None or share >= 1),
        NOISE: noise(curve),
        SHARE: share,
        METHOD: run.settings.method,
    }
    known = trial.user_attrs
    for key, value in found.items():
        if value is not None and known.get(key) != value:
            trial.set_user_attr(key, value)
    return diagnosis


def diverged(run: Run, diagnosis: Diagnosis, metric: str | None = None, *, over: bool = True) -> bool:
    """Whether the run ended in nan or infinity, or its loss left for good; ``over`` when the run has ended.

    Where the loss is not what the method optimizes, only nan and infinity count: it may rise while the run does well.
    """
    method = method_record(run.settings.method)
    names = dict.fromkeys(("train_loss", "eval_loss", method.metric, canonical_name(metric or method.metric)))
    judged = [curve for name in names if (curve := run.curve(name)) is not None]
    if any(c.broken and (not len(c) or c.broken[-1] >= c.steps[-1]) for c in judged):
        return True
    if any(finding.rule == RULE_FOR_DIVERGED for finding in diagnosis.findings):
        return True
    # The training loss decides where there is one: an eval loss alone also rises when a model overfits.
    losses = [c for name in ("train_loss", "eval_loss") if (c := run.curve(name)) is not None and len(c) >= 3]
    return over and method.loss_is_objective and bool(losses) and _ends_higher(losses[0])


def _ends_higher(curve: Curve) -> bool:
    """Whether the last tenth of a loss lies above where it began, by 10 % and by three times its jitter."""
    tail = max(1, len(curve) // 10)
    first, last = float(np.median(curve.values[:tail])), float(np.median(curve.values[-tail:]))
    return last - first > max(0.1 * abs(first), 3 * noise(curve))


def noise(curve: Curve | None) -> float:
    """How far the metric jumps between evaluations late in the run (0 when it moves one way, or has too few).

    From third differences, which a smooth descent hardly has: their deviation is sqrt(20) times that of the noise.
    The smaller of the estimates from the last half and from the last five points, for a steep descent has some.
    """
    if curve is None or len(curve) < 8:
        return 0.0
    half = curve.values[-max(6, len(curve) // 2) :]
    if len(set(np.sign(np.diff(half)))) == 1:
        return 0.0
    return min(_jumps(half), _jumps(half[-5:]))


def _jumps(values: FloatArray) -> float:
    return float(1.4826 * np.median(np.abs(np.diff(values, n=3))) / np.sqrt(20))


@dataclass(frozen=True)
class TrialView:
    """One trial as the search sees it; a lower ``loss`` is better, whatever the study's direction.

    ``loss`` is None while the trial runs, and when it failed without a value. ``seed`` is 0 for the study's own seed
    and n for the n-th repeat of the settings; ``doubt`` is the standard error of a loss that is a mean over seeds.
    """

    number: int
    settings: Mapping[str, Any]
    loss: float | None
    running: bool = False
    diverged: bool = False
    failed: bool = False
    noise: float = 0.0
    label: str | None = None
    advice: tuple[Mapping[str, Any], ...] = ()
    findings: Mapping[str, str] = field(default_factory=dict)
    moved_by: str = ""
    parent: int | None = None
    method: str | None = None
    seed: int = 0
    stderr: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether the trial's loss says something about its settings."""
        return self.loss is not None and not self.diverged and not self.failed


def trial_view(trial: FrozenTrial, sign: float, knobs: Mapping[str, str] | None = None) -> TrialView:
    """The trial as the search sees it; ``sign`` is +1 where the study minimizes and -1 where it maximizes.

    ``knobs`` maps parameter names to the names that advice uses.
    """
    names = knobs or {}
    attributes = trial.user_attrs
    verdict = attributes.get(DIAGNOSIS) or {}
    value = trial.value if trial.state.is_finished() else None
    return TrialView(
        number=trial.number,
        settings={names.get(name, name): setting for name, setting in trial.params.items()},
        loss=None if value is None or not np.isfinite(value) else sign * value,
        running=not trial.state.is_finished(),
        diverged=bool(attributes.get(DIVERGED)) or (value is not None and not np.isfinite(value)),
        failed=ERROR in attributes or trial.state.name == "FAIL",
        noise=float(attributes.get(NOISE) or 0.0),
        label=verdict.get("label"),
        # Optional advice is for people: a run that nothing ails gives the search no direction.
        advice=tuple(one for one in verdict.get("advice") or () if not one.get("optional")),
        findings={found["rule"]: finding_message(Finding.from_dict(found)) for found in verdict.get("findings") or ()},
        moved_by=str(attributes.get(MOVED_BY) or ""),
        parent=attributes.get(PARENT),
        method=attributes.get(METHOD),
        seed=int(attributes.get(RESEED) or 0),
    )


def seed_of(trial: Trial | FrozenTrial, seed: int = 42) -> int:
    """The seed to train a trial with: the study's own, or a fresh one where the trial repeats earlier settings.

    A ``DiagnosisSampler(reseed=True)`` repeats the best settings where a few seeds must decide between them; an
    objective in such a study takes its seed from here.
    """
    repeat = replicate_of(trial)
    return seed + SEED_STRIDE + repeat if repeat else seed


def replicate_of(trial: Trial | FrozenTrial) -> int:
    """0 for a trial with settings of its own, n for the n-th repeat of earlier ones."""
    storage = getattr(trial, "storage", None)
    if storage is None:
        return int(trial.user_attrs.get(RESEED) or 0)
    # Optuna asks the sampler at the first suggestion: it must have spoken, unless somebody else set the parameters.
    # What it wrote is in the storage alone, for a live trial keeps the attributes that it was made with.
    if "fixed_params" not in storage.get_trial_system_attrs(trial._trial_id):
        _ = trial.relative_params  # type: ignore[union-attr]
    return int(storage.get_trial(trial._trial_id).user_attrs.get(RESEED) or 0)


def beyond_noise(better: TrialView, worse: TrialView) -> bool:
    """Whether ``better`` beats ``worse`` by more than 0.3 % and more than twice the noise of a curve or of seeds."""
    if better.loss is None or worse.loss is None:
        return False
    return worse.loss - better.loss > noise_of(better, worse)


def noise_of(*trials: TrialView) -> float:
    """The difference between these trials that means nothing."""
    level = max((abs(t.loss) for t in trials if t.loss is not None), default=0.0)
    return max(RELATIVE_NOISE_FLOOR * level, 2 * max((max(t.noise, t.stderr) for t in trials), default=0.0))
