"""What a run should be called, by what it was made of and by its true held-out loss; the verdict has no part in it.

The same task is trained over a ladder of learning rates, so its best rate is known by its end. ``reach`` is what that
rate gains over the untrained model; a run's ``regret`` is the share of the reach that it misses, its ``rise`` the share
by which it ends above its own minimum. Runs between the limits are not scored.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.fresh.loop import Truth
from benchmarks.fresh.recipe import Recipe

FAR = 8.0
"""Times from the best rate where a rate is too low or too high; a ladder's rungs are 3.2 times apart."""
NEAR = 3.5
"""Times from the best rate up to which a run can be healthy: one rung."""
MISSES, MISSES_LITTLE = 0.25, 0.08
"""Regrets from which a rate is materially too low or high, and from which it is mildly so."""
WELL = 0.05
"""The regret up to which a run is as good as the best."""
RISES, LEVEL = 0.10, 0.02
"""Rises from which a run overfits, and up to which it does not."""
EARLY = 0.8
"""An overfit run has its minimum in this share of its steps."""
TOO_SHORT = 0.10
"""Where twice the steps gain more than this share of the reach, a healthy run may also be told that it underfits."""
LEAST_REACH = 0.15
"""A task of which the best rate learns less than this share of the first loss says nothing about rates."""


@dataclass(frozen=True)
class Answer:
    """What a run is, the labels that say so, those that are let pass, and which way its rate must move (0: neither)."""

    name: str
    right: frozenset[str]
    acceptable: frozenset[str] = frozenset()
    rate: int | None = None
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def sick(self) -> bool:
        """Whether "healthy" is wrong."""
        return "healthy" not in self.right | self.acceptable

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "name": self.name,
            "right": sorted(self.right),
            "acceptable": sorted(self.acceptable),
            "rate": self.rate,
            "facts": {key: float(f"{value:.4g}") for key, value in self.facts.items()},
        }

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Answer:
        """What ``to_dict`` wrote."""
        return cls(raw["name"], frozenset(raw["right"]), frozenset(raw["acceptable"]), raw["rate"], raw["facts"])


@dataclass(frozen=True)
class Ladder:
    """What the rates of a task led to: the best of them, its end, the loss before training.

    ``longer_end`` is where the best rate ends in twice the steps.
    """

    best_rate: float
    best_end: float
    start: float
    longer_end: float

    @property
    def reach(self) -> float:
        """What the best rate gains."""
        return self.start - self.best_end


def answer(recipe: Recipe, truth: Truth, ladder: Ladder) -> Answer | None:
    """The label of a run; None where its truth lies between the limits."""
    regret = (truth.end - ladder.best_end) / ladder.reach
    rise = (truth.end - truth.lowest) / ladder.reach
    facts = {
        "times_best_rate": recipe.rate / ladder.best_rate,
        "regret": regret,
        "rise": rise,
        **{f"truth_{name}": value for name, value in asdict(truth).items()},
        **{f"ladder_{name}": value for name, value in asdict(ladder).items()},
    }
    found = _of_fault(recipe.fault, regret, rise, truth) if recipe.fault else _of_rate(facts, truth, ladder)
    return None if found is None else Answer(found.name, found.right, found.acceptable, found.rate, facts)


def _called(name: str, right: str, acceptable: str = "", rate: int | None = None) -> Answer:
    return Answer(name, frozenset(right.split()), frozenset(acceptable.split()), rate)


def _of_fault(fault: str, regret: float, rise: float, truth: Truth) -> Answer | None:
    """The label of a run with something wrong, if that did show."""
    if fault in ("nan", "zeros"):
        return None if math.isfinite(truth.end) else _called("broken log", "broken", "unstable")
    if fault == "few-rows":
        overfits = rise >= RISES and truth.lowest_at <= EARLY and truth.end >= 1.05 * truth.lowest
        return _called("overfit", "overfit") if overfits else None
    if regret < 0.5:
        return None
    if fault == "shuffled":  # learning the wrong labels by heart is overfitting, of which the rise tells
        return _called(
            "never learns", "underfit broken overfit" if rise >= LEVEL else "underfit broken", "unstable overfit"
        )
    return _called("never learns", "underfit broken", "unstable")


def _of_rate(facts: Mapping[str, float], truth: Truth, ladder: Ladder) -> Answer | None:
    times, regret, rise = facts["times_best_rate"], facts["regret"], facts["rise"]
    rises = rise >= RISES and truth.lowest_at <= EARLY and truth.end >= 1.05 * truth.lowest
    if not math.isfinite(truth.end):
        return _called("rate too high", "unstable", "broken", -1)
    if times >= FAR:
        if regret < MISSES:
            return None
        return _called("rate too high", "unstable", "broken overfit" if rises else "broken", -1)
    if times <= 1 / FAR:
        if regret >= MISSES:
            return _called("rate too low", "underfit", "", 1)
        return _called("rate a little too low", "underfit", "healthy", 1) if regret >= MISSES_LITTLE else None
    if rises:
        return _called("overfit", "overfit", "unstable" if times > NEAR else "")
    if 1 / NEAR <= times <= NEAR and regret <= WELL and rise <= LEVEL:
        short = (ladder.best_end - ladder.longer_end) / ladder.reach > TOO_SHORT
        return _called("healthy", "healthy", "underfit" if short else "", 0)
    return None
