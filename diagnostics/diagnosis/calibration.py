"""How sure a verdict is: of the verdicts given at 0.8, about 80 % should be right.

A rule's own confidence and the strength of its evidence make a first estimate; one monotone map turns it into the share
of such verdicts that were right on labeled runs. The numbers below are fitted by ``python -m benchmarks.diagnosis``,
which also scores them on sources that had no part in the fit; those of rewards by ``python -m
benchmarks.verdicts.policies``, on simulated policies whose true reward is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import exp, log

PIVOT = 0.3
"""A rule whose evidence is known to be weak has this confidence; the map leaves it there."""
MAX_CONFIDENCE = 0.98
"""No curve makes a verdict surer than this: people disagree even about clear ones."""
MAX_CONFIDENCE_HEALTHY = 0.96
"""A loss that settled too high looks like one that settled: no curve alone makes "healthy" surer than this."""
MAX_WITH_SOME_CONTEXT = 0.92
"""Nor surer than this where either held-out losses or the settings are not known."""
MAX_WITHOUT_CONTEXT = 0.64
"""Nor surer than this where neither is: that is less than "quite sure"."""
LOOKED_BEFORE = (0.0, 0.5, -1.5, -0.4, 0.2, 0.4, 0.5)
"""The weights of ``LookedHealth.features`` that are held before a run is seen."""
REWARDS_BEFORE = (0.0, 0.5, -1.5, 0.4)
"""The weights that are held before a run that learns from rewards is seen."""
SO_FAR = (1.0,)
"""The weight of ``SoFarHealth.features``: the chances that a run under way ends well hold as they are."""
OTHER_SIGN_SHARE = 0.3
"""The share of its confidence with which a second, different sign of the same fault removes doubt."""


@dataclass(frozen=True)
class Health:
    """What speaks for a run in which no rule found a fault.

    ``kinds``: how many of unstable, overfit and underfit could be checked. ``points``: the logarithm (base 2) of the
    number of evaluations, or of groups of logs; None without any. ``held_out``: held-out losses to judge by.
    ``settings``: method and learning rate are known. ``nearly``: a rule was nearly found. ``shown``: how clearly the
    loss came down, the logarithm of nats. ``bends``: nats for a loss that nears a floor over one that only follows the
    rate spent. ``rate``: the log odds that the learning rate lies near the best one.
    """

    kinds: int = 3
    points: float | None = 5.0
    held_out: bool = True
    settings: bool = True
    nearly: bool = False
    shown: float = 4.6
    bends: float = 4.0
    rate: float = 2.0

    @property
    def features(self) -> tuple[float, ...]:
        """The numbers that ``ConfidenceMap.healthy`` weighs, after a constant 1."""
        return (
            1.0,
            self.points or 0.0,
            float(self.held_out),
            float(self.settings),
            float(self.nearly),
            3.0 - self.kinds,
            self.shown,
            self.bends,
            self.rate,
        )


@dataclass(frozen=True)
class LookedHealth(Health):
    """What speaks for a run whose whole look was judged: ``look`` is the log odds that runs which look so went well.

    The look holds the number of points, the settings and the form of the fall already.
    """

    look: float = 2.0

    @property
    def features(self) -> tuple[float, ...]:
        """The numbers that ``ConfidenceMap.looked`` weighs, after a constant 1."""
        context = (float(self.held_out), float(self.nearly), 3.0 - self.kinds)
        return (1.0, *context, self.shown, self.rate, self.look)


@dataclass(frozen=True)
class SoFarHealth(Health):
    """What speaks for a run under way: ``look`` is the log odds that runs which look so end well."""

    look: float = 0.0

    @property
    def features(self) -> tuple[float, ...]:
        """The log odds, which ``SO_FAR`` leaves as they are."""
        return (self.look,)


LEAST_GAIN, MOST_GAIN = 0.01, 0.5
"""Shares of the rewards' width: a smaller gain speaks for nothing, a larger one for no more."""


@dataclass(frozen=True)
class RewardHealth(Health):
    """What speaks for a run that learns from rewards: ``gained`` is the rise of the reward as a share of its width.

    How clearly a rise shows beyond its noise tells little more than whether it does, which the rules have asked.
    ``nearly``: what was noted denies that the rise is one of what is meant.
    """

    gained: float = MOST_GAIN

    @property
    def features(self) -> tuple[float, ...]:
        """The numbers that ``ConfidenceMap.rewards`` weighs, after a constant 1."""
        gained = min(max(self.gained, LEAST_GAIN), MOST_GAIN)
        return (1.0, float(self.held_out), float(self.nearly), log(gained / LEAST_GAIN))


@dataclass(frozen=True)
class ConfidenceMap:
    """From a first estimate to a share of right verdicts.

    ``stretch`` pulls the log odds of a fault away from the pivot's; ``healthy`` are the weights of ``Health.features``
    in the log odds that a run without a fault is well, ``rewards`` and ``looked`` those of the other kinds of health.
    """

    stretch: float
    healthy: tuple[float, ...]
    rewards: tuple[float, ...] = REWARDS_BEFORE
    looked: tuple[float, ...] = LOOKED_BEFORE

    def fault(self, estimate: float) -> float:
        """How sure a fault is, from the rule's confidence times the strength of its evidence."""
        if estimate <= 0.0:
            return 0.0
        odds = _log_odds(PIVOT) + self.stretch * (_log_odds(min(estimate, 0.999)) - _log_odds(PIVOT))
        return MAX_CONFIDENCE / (1.0 + exp(-odds))

    def estimate(self, sure: float) -> float:
        """The first estimate that ``fault`` turned into this confidence."""
        odds = _log_odds(PIVOT) + (_log_odds(min(sure / MAX_CONFIDENCE, 0.999999)) - _log_odds(PIVOT)) / self.stretch
        return 1.0 / (1.0 + exp(-odds))

    def no_fault(self, health: Health) -> float:
        """How sure "healthy" is; 0 where nothing was logged or checked."""
        if not health.kinds or health.points is None:
            return 0.0
        kinds = {RewardHealth: self.rewards, LookedHealth: self.looked, SoFarHealth: SO_FAR}
        weights = kinds.get(type(health), self.healthy)
        odds = sum(weight * value for weight, value in zip(weights, health.features, strict=True))
        most = (MAX_WITHOUT_CONTEXT, MAX_WITH_SOME_CONTEXT, MAX_CONFIDENCE_HEALTHY)[health.held_out + health.settings]
        return min(most, 1.0 / (1.0 + exp(-odds)))


HEALTHY_BEFORE = (0.0, 0.1, 0.5, 0.2, -1.5, -0.4, 0.2, 0.15, 0.4)
"""The weights that are held before a run is seen: more points, more context, a clear fall and a likely rate help."""
DEFAULT = ConfidenceMap(
    2.15,
    (-0.115, 0.026, 0.062, 0.149, -1.224, -0.115, 0.187, 0.233, 0.649),
    (0.011, 0.627, -1.73, 0.577),
    (-0.115, 0.3, -1.326, -0.231, 0.318, 0.039, 0.66),
)


def combine(own: float, others: Iterable[float]) -> float:
    """The estimate of a fault that shows in its own sign and in others, each of which removes some of the doubt."""
    doubt = 1.0 - own
    for other in others:
        doubt *= 1.0 - OTHER_SIGN_SHARE * other
    return 1.0 - doubt


def _log_odds(share: float) -> float:
    return log(share / (1.0 - share))
