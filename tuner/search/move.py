"""A move from one trial to the next: its settings, who proposed it and why, and the trial to start from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from optuna.distributions import FloatDistribution, IntDistribution

from diagnostics.wording import plain_name
from tuner.search.distributions import Distributions, snapped, tried_before
from tuner.search.record import Tried, beyond_noise

RATE = "learning_rate"
LONE = "sampler:trust-region"


@dataclass(frozen=True)
class Move:
    """Settings for the next trial, who proposed them and why; ``parent`` is the trial that they start from."""

    settings: Mapping[str, Any]
    moved_by: str
    because: str
    parent: int


def incumbent(trials: Sequence[Tried]) -> Tried | None:
    """The best trial so far; among near ties an unstable one gives way.

    Where seeds were compared, a loss counts with its doubt: settings that ran once must be that much better. Of
    settings that were repeated it is the first trial.
    """
    usable = [trial for trial in trials if trial.usable and not trial.seed]
    if not usable:
        return None
    best = min(usable, key=_doubted)
    ties = [trial for trial in usable if not beyond_noise(best, trial)]
    calm = [trial for trial in ties if trial.label not in ("unstable", "broken")]
    return min(calm or [best], key=_doubted)


def _doubted(trial: Tried) -> float:
    return loss_of(trial) + trial.doubt


def loss_of(trial: Tried) -> float:
    """The trial's loss; infinite where it has none."""
    return math.inf if trial.loss is None else trial.loss


def made(
    best: Tried,
    knob: str,
    value: Any,
    why: str,
    advice: Mapping[str, Any] | None,
    trials: Sequence[Tried],
    space: Distributions,
) -> Move | None:
    """The move, or None when the space does not hold it or it was tried before."""
    fitting = snapped(_round(value, space[knob]), space[knob])
    settings = {**{name: best.settings[name] for name in space if name in best.settings}, knob: fitting}
    if fitting is None or tried_before(settings, [t.settings for t in trials], space):
        return None
    by = f"advice:{advice['because']}" if advice else LONE
    return Move(settings, by, why, best.number)


def _round(value: Any, span: object) -> Any:
    """A rate to two digits, as a person would write it; other values as they are."""
    if isinstance(span, (FloatDistribution, IntDistribution)) and isinstance(value, float) and value:
        return float(f"{value:.1e}") if isinstance(span, FloatDistribution) and span.log else value
    return value


def wanted(advice: Mapping[str, Any], best: Tried) -> Any:
    """The value that the advice asks for, from its new value or its factor; None when it is in words only."""
    now = best.settings.get(str(advice.get("knob")))
    new, factor = advice.get("new"), advice.get("factor")
    if isinstance(factor, (int, float)) and isinstance(now, (int, float)) and not isinstance(now, bool) and now:
        return float(now) * float(factor)
    return float(new) if isinstance(new, (int, float)) and not isinstance(new, bool) else new


def reason(advice: Mapping[str, Any], best: Tried) -> str:
    """Why the advice was given: the rule, the trial where it fired, and what was measured there."""
    rule = str(advice.get("because"))
    found = best.findings.get(rule)
    return f"{plain_name(rule)} in trial {best.number}" + (f": {found}" if found else "")
