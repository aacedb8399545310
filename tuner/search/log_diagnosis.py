"""``tuner.record``: the diagnosis of a trial's run, stored in the trial for the sampler and the pruner."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from diagnostics.model.curves import Curve, Run, canonical_name
from diagnostics.model.methods import method_record
from diagnostics.model.records import Diagnosis
from tuner.search.attributes import DIAGNOSIS, DIVERGED, METHOD, METRIC, NOISE, SHARE, START, STEPS
from tuner.search.divergence import diverged
from tuner.search.noise import evaluation_noise

if TYPE_CHECKING:
    from optuna.trial import Trial


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
    use, by setting.
    Raises ``UnreadableLog`` when there is no log.
    """
    if not isinstance(run, Run):
        from diagnostics.readers import read

        run = read(Path(run))
    if diagnosis is None:
        from diagnostics.diagnosis.diagnose import diagnose

        diagnosis = diagnose(run, bounds=bounds)
    name = canonical_name(metric or method_record(run.settings.method).metric)
    curve = run.curve(name) or run.curve(name.removeprefix("eval_"))  # the rewards of a run without held-out prompts
    found: dict[str, Any] = {
        DIAGNOSIS: diagnosis.to_dict(),
        DIVERGED: diverged(run, diagnosis, metric, over=share is None or share >= 1),
        NOISE: evaluation_noise(curve),
        SHARE: share,
        METHOD: run.settings.method,
        METRIC: name,
        START: _before_training(run, curve),
        STEPS: run.last_step / share if share else run.last_step,
    }
    known = trial.user_attrs
    for key, value in found.items():
        if value is not None and known.get(key) != value:
            trial.set_user_attr(key, value)
    return diagnosis


def _before_training(run: Run, curve: Curve | None) -> list[float | bool] | None:
    """The metric before training where it was evaluated, else the first training loss where the metric is a loss."""
    if curve is not None and len(curve) and curve.steps[0] == 0:
        return [float(curve.values[0]), True]
    train = run.curve("train_loss")
    is_loss = curve is not None and curve is run.curve("eval_loss")
    return [float(train.values[0]), False] if is_loss and train is not None and len(train) else None
