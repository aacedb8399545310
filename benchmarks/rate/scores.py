"""How good estimates are: coverage of their intervals, and whether they tell on which side the rate lies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from diagnostics.model.rate_estimate import RateEstimate, RateSide

PLACES = {"100x low": (-9.0, -1.6), "10x low": (-1.6, -0.75), "3x low": (-0.75, -0.25), "near": (-0.25, 0.25)}
PLACES |= {"3x high": (0.25, 0.75), "10x high": (0.75, 9.0)}


@dataclass(frozen=True)
class Scored:
    """An estimate and the truth."""

    offset: float
    estimate: RateEstimate

    def within(self, share: float) -> bool:
        """Whether the truth lies in the interval of that share."""
        low, high = self.estimate.interval(share)
        return low <= self.offset <= high

    @property
    def side(self) -> int:
        """-1 where the rate is told to be too low, 1 too high, 0 where neither is told."""
        return self.estimate.tells(RateSide.TOO_HIGH) - self.estimate.tells(RateSide.TOO_LOW)


def line(title: str, scored: Sequence[Scored]) -> str:
    """Coverage of the 50 and 90 % intervals, and by place: told low / told high, and the median's error."""
    covered = [np.mean([one.within(share) for one in scored]) for share in (0.5, 0.9)]
    cells = []
    for low, high in PLACES.values():
        there = [one for one in scored if low <= one.offset < high]
        if not there:
            cells.append(f"{'-':>17}")
            continue
        sides = [one.side for one in there]
        error = float(np.mean([one.estimate.median - one.offset for one in there]))
        cells.append(f"{np.mean(np.equal(sides, -1)):5.0%}/{np.mean(np.equal(sides, 1)):4.0%} {error:+5.2f}  ")
    return f"{title[:32]:<32}{len(scored):>5}{covered[0]:>6.0%}{covered[1]:>6.0%}  " + " ".join(cells)


def header(title: str = "left out: told low/high, error") -> str:
    """The heads of the columns of ``line``."""
    return f"{title:<32}{'runs':>5}{'50%':>6}{'90%':>6}  " + " ".join(f"{n:>17}" for n in PLACES)
