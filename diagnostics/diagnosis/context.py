"""The run as the rules see it: finite curves, completed settings, the prior on the learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from diagnostics.detectors.sanity import is_sigmoid
from diagnostics.diagnosis.averages import without_average
from diagnostics.diagnosis.resume_offsets import remove_offsets
from diagnostics.model.curves import Curve, NotEnoughPoints, Run, reward_parts
from diagnostics.model.evidence import Evidence
from diagnostics.model.message import Message, message
from diagnostics.model.methods import method_record
from diagnostics.model.outlook import Outlook
from diagnostics.model.rate_estimate import RateEstimate
from diagnostics.model.rate_prior import Bounds, LearningRatePrior, rate_prior_of
from diagnostics.model.records import Label
from diagnostics.model.settings import Settings
from diagnostics.outlook.fitted import Fitted, outlook_of
from diagnostics.rate.agreement import with_look
from diagnostics.rate.estimate import estimate_rate, is_late, is_over, share_done
from diagnostics.rules import Rule

MAX_VALUE = 1e60
"""Larger values are clipped to this, so that products of them stay finite."""

LOGS_PER_EVALUATION = 10.0
"""This many single logs count as much as one evaluation, where there are none."""


@dataclass(frozen=True)
class DiagnosisContext:
    """What the rules are evaluated on: finite curves by name, the settings, and the prior on the learning rate.

    ``logged`` are the curves with their jumps where the run was resumed; what is wrong with a log shows in them.
    ``notes`` say what is not judged as it was logged: jumps that were removed, an average that was undone.
    ``outlook`` is the look of a whole run. Of one under way it is None, and ``so_far`` the chance that it ends well.
    """

    curves: Mapping[str, Curve]
    settings: Settings
    rate_prior: LearningRatePrior
    logged: Mapping[str, Curve]
    rate: RateEstimate | None = None
    outlook: Outlook | None = None
    so_far: float | None = None
    notes: tuple[Message, ...] = ()

    @cached_property
    def inputs(self) -> Mapping[str, Any]:
        """What a check may take by name, but for ``reward_parts``."""
        return {**self.curves, **self._known}

    @cached_property
    def inputs_as_logged(self) -> Mapping[str, Any]:
        """The same with the curves as they were logged."""
        return {**self.logged, **self._known}

    @property
    def _known(self) -> Mapping[str, Any]:
        known = {"settings": self.settings, "rate_prior": self.rate_prior}
        return {**known, "rate_estimate": self.rate, "outlook": self.outlook}

    @cached_property
    def reward_parts(self) -> Mapping[str, Curve]:
        """The mean reward of each reward function."""
        return reward_parts(self.curves)

    @cached_property
    def agreed_rate(self) -> RateEstimate | None:
        """The estimate of the rate with what the whole run looks like, for all that follows the findings."""
        if self.rate is None or self.outlook is None or is_late(self.curves):
            return self.rate
        return with_look(self.rate, self.outlook)


def prepare(run: Run, bounds: Bounds | None, look: Fitted | None = None) -> DiagnosisContext:
    """The run as the rules see it, with the method taken from the curves where the settings do not give it.

    ``look`` says what a whole run looks like; the model in use where it is None.
    """
    curves = {name: _clipped(curve) for name, curve in run.curves.items() if len(curve) or curve.broken}
    settings = run.settings
    if settings.method in (None, "dpo") and settings.loss_type is None and settings.beta is None:
        settings = replace(settings, method=_method(curves, settings.method))
    curves, averaged = without_average(method_record(settings.method).named(curves))
    level, jumps = remove_offsets(curves, run.discontinuities) if run.discontinuities else (curves, [])
    prior = rate_prior_of(settings, bounds)
    seen = DiagnosisContext(level, settings, prior, curves, notes=(*averaged, *jumps))
    if jumps:  # a level that was moved has no descent
        return seen
    seen = replace(seen, rate=estimate_rate(level, settings))
    if is_over(level, settings):
        return replace(seen, outlook=outlook_of(level, settings, seen.rate, look))
    return replace(seen, so_far=_so_far(level, settings, look))


def _so_far(curves: Mapping[str, Curve], settings: Settings, look: Fitted | None) -> float | None:
    """The chance that a run under way ends well: that of its look were it over, as sure as it is near its end."""
    over = replace(settings, max_steps=None)
    seen = outlook_of(curves, over, estimate_rate(curves, over), look)
    return seen.ends_well(share_done(curves, settings)) if seen else None


def _method(curves: Mapping[str, Curve], named: str | None) -> str | None:
    """The method that fits the first loss and margin: ORPO and others log rewards too, but start elsewhere."""
    loss, margins = curves.get("train_loss"), curves.get("rewards_margins")
    if loss is None or margins is None or not len(loss) or not len(margins):
        return named
    return "dpo" if is_sigmoid(float(loss.values[0]), float(margins.values[0]), factor=1.5) else None


def _clipped(curve: Curve) -> Curve:
    """The curve with values that can be multiplied without overflow."""
    if not len(curve) or np.abs(curve.values).max() < MAX_VALUE:
        return curve
    return Curve(curve.steps, np.clip(curve.values, -MAX_VALUE, MAX_VALUE), curve.broken)


def evaluate(rule: Rule, context: DiagnosisContext) -> Evidence | Message | None:
    """Evidence, nothing, or why the rule could not be evaluated."""
    curves = context.logged if rule.label is Label.BROKEN else context.curves
    missing = [name for name in rule.needs if name not in curves]
    if missing:
        return message("curve-missing", curves=", ".join(missing))
    inputs = context.inputs_as_logged if rule.label is Label.BROKEN else context.inputs
    try:
        return rule.evaluate(
            {**inputs, "reward_parts": context.reward_parts} if "reward_parts" in rule.takes else inputs
        )
    except NotEnoughPoints as why:
        return why.reason


def best_step(context: DiagnosisContext) -> float | None:
    """The step of the best evaluation by what the method optimizes on held-out rows, None without one."""
    method = method_record(context.settings.method)
    held = context.curves.get(method.metric)
    if held is None or not len(held):
        return None
    best = np.argmin(held.values) if method.direction == "minimize" else np.argmax(held.values)
    return float(held.steps[int(best)])


def on_course(context: DiagnosisContext) -> bool:
    """Whether an unfinished run has enough points to be called healthy so far."""
    loss, last = context.curves.get("train_loss"), context.settings.max_steps
    return loss is not None and last is not None and len(loss) >= 20 and loss.steps[-1] < last


def evaluation_count(context: DiagnosisContext) -> int:
    """The number of evaluations, or of groups of logs where there are fewer of those or none."""
    held, train = context.curves.get("eval_loss"), context.curves.get("train_loss")
    logs = int(len(train) / LOGS_PER_EVALUATION) if train is not None else 0
    return max(len(held) if held is not None else 0, logs)
