"""Where a run under way will end, and how likely its settings are the best: from how the best runs went on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from diagnostics.model.curves import FloatArray
from diagnostics.model.methods import DPO, SFT
from diagnostics.model.training_method import TrainingMethod
from tuner.search.progress import Progress

LEADERS = 4
"""So many of the best whole runs say how much a run still gains: runs that learn little gain in another way."""
PRIOR_RUNS = 4
"""The usual spread of gains counts as much as this many runs of the study."""
USUAL_SPREAD, COMPARING_SPREAD = 0.45, 1.0
"""The deviation of the logarithm of what good runs gain from an equal share of the schedule on, as the most varied of
five tables of LoRA SFT and of three of DPO have it. A loss that compares answers may fall late and then at once."""
LEAST_GAIN = 0.003
"""A gain below 0.3 % is none."""
QUANTILES = np.array([NormalDist().inv_cdf((k + 0.5) / 64) for k in range(64)])


@dataclass(frozen=True)
class Noise:
    """What is known of the method: the spread of late gains (log), and how much the difference between two settings
    that are trained with one seed differs between seeds (height)."""

    spread: float
    seeds: float


def ranks_late(method: TrainingMethod) -> bool:
    """Whether runs of a method cannot be ranked early: their loss may fall late, or is not what they are after."""
    return method.loss_compares_answers or not method.loss_is_objective


def noise_of(method: TrainingMethod, *, is_loss: bool, evaluations: float = 0.0) -> Noise:
    """The noise of a method; ``evaluations`` is the deviation between the evaluations of a run, as a height.

    Seeds of a loss that compares answers differ by more than seeds of any other metric.
    """
    late = ranks_late(method)
    like = DPO if late and (is_loss or not method.loss_is_objective) else SFT
    seeds = method.seed_sd if is_loss and method.seed_sd else like.seed_sd
    return Noise(COMPARING_SPREAD if late else USUAL_SPREAD, max(seeds, math.sqrt(2) * evaluations))


@dataclass(frozen=True)
class Chances:
    """``best``: the probability that a run's settings are better than the best whole run's. ``loss``: how much is lost
    in expectation if the run is not finished, as a height."""

    best: float
    loss: float


def ends(run: Progress, whole: Sequence[Progress], share: float, spread: float) -> FloatArray:
    """Heights at which a run that is at ``share`` ends, each as likely; ``whole`` are finished ones, the best first.

    Its further gain is log-normal about the mean of what the best whole runs gained from that share on.
    """
    middle, deviation = log_gain(whole, share, spread)
    return np.asarray(run.at(share) - np.exp(middle + deviation * QUANTILES))


def chances(run: Progress, whole: Sequence[Progress], share: float, noise: Noise) -> Chances:
    """What finishing a run that is at ``share`` may bring, by its curve alone.

    The difference to the best run's end is that of the settings to within the noise between seeds.
    """
    drop, deviation = whole[0].end - ends(run, whole, share, noise.spread), noise.seeds
    z = drop / deviation
    below = np.array([NormalDist().cdf(value) for value in z])
    improvement = drop * below + deviation * np.exp(-0.5 * z**2) / math.sqrt(2 * math.pi)
    return Chances(float(below.mean()), float(improvement.mean()))


def log_gain(whole: Sequence[Progress], share: float, usual: float) -> tuple[float, float]:
    """Mean and predictive deviation of the logarithm of what a run still gains from a share of its schedule on.

    ``whole`` are finished runs, the best first; ``usual`` is the deviation of a method.
    """
    logs = np.log([max(one.at(share) - one.end, LEAST_GAIN) for one in whole[:LEADERS]])
    spread = math.sqrt(
        (PRIOR_RUNS * usual**2 + float(((logs - logs.mean()) ** 2).sum())) / (PRIOR_RUNS + len(logs) - 1)
    )
    return float(logs.mean()), spread * math.sqrt(1 + 1 / len(logs))
