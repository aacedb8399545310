"""Whether a run diverged: what that means depends on what the method's loss means."""

from __future__ import annotations

import numpy as np

from diagnostics.model.curves import Curve, Run, canonical_name
from diagnostics.model.methods import method_record
from diagnostics.model.records import Diagnosis
from tuner.search.noise import evaluation_noise

RULES_FOR_DIVERGED = frozenset({"loss-diverges", "reward-stays-dead", "reward-collapses"})
MIN_LOSSES = 3
MIN_RELATIVE_RISE = 0.1
MIN_RISE_OVER_NOISE = 3.0


def diverged(run: Run, diagnosis: Diagnosis, metric: str | None = None, *, over: bool = True) -> bool:
    """Whether the run ended in nan or infinity, or its loss left for good; ``over`` says that the run has ended.

    Where the loss is not the method's objective it may rise while the run does well: there nan and infinity count, and
    a reward that was there and is gone for good.
    """
    method = method_record(run.settings.method)
    own = (method.metric, method.metric.removeprefix("eval_"))
    names = dict.fromkeys(("train_loss", "eval_loss", *own, canonical_name(metric or method.metric)))
    judged = [curve for name in names if (curve := run.curve(name)) is not None]
    if any(c.broken and (not len(c) or c.broken[-1] >= c.steps[-1]) for c in judged):
        return True
    if any(finding.rule in RULES_FOR_DIVERGED for finding in diagnosis.findings):
        return True
    # The training loss decides where there is one: an eval loss alone also rises when a model overfits.
    losses = [c for name in ("train_loss", "eval_loss") if (c := run.curve(name)) is not None and len(c) >= MIN_LOSSES]
    return over and method.loss_is_objective and bool(losses) and _ends_higher(losses[0])


def _ends_higher(curve: Curve) -> bool:
    """Whether the last tenth of a loss lies above where it began, by 10 % and by three times its noise."""
    tail = max(1, len(curve) // 10)
    first, last = float(np.median(curve.values[:tail])), float(np.median(curve.values[-tail:]))
    return last - first > max(MIN_RELATIVE_RISE * abs(first), MIN_RISE_OVER_NOISE * evaluation_noise(curve))
