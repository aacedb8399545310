"""Simulated policies over ladders of learning rates: which rises are slow, and what a higher rate brings.

    python -m benchmarks.verdicts.ladders [--seeds 60] [--first 0]

trains each task of ``benchmarks.verdicts.policies`` at rates half a decade apart. A run is slow that lies below the
best rate of its task and misses a quarter of what that one gains, hot the same above it; it went well where it misses a
tenth at most. Printed: what was said of each, in how many of them ``reward-still-rises`` is noted, and how often the
next higher rate ends better. 2 minutes of one core.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.verdicts.policies import KINDS, drawn
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.model.records import Diagnosis

RATES = tuple(10.0 ** (0.5 * power) for power in range(-9, 2))
SLOW = "reward-still-rises"
WELL, MISSES = 0.1, 0.25
LEAST_REACH = 0.05
"""A task of which no rate learns more says nothing about rates."""
MATTERS = 0.03
"""The share of the reach from which on one end is better than another."""
SPENT = 0.4
"""The rule's limit of the entropy that is left."""


@dataclass(frozen=True)
class Rung:
    """A run of a ladder: what it misses of its task's reach, the side of the best rate, and what was said.

    ``next_gain``: by how much of the reach the next higher rate ends better; None at the highest. ``kept``: the share
    of the first entropy that is left.
    """

    regret: float
    side: int
    said: Diagnosis
    next_gain: float | None
    kept: float

    @property
    def truth(self) -> str:
        """Slow, hot, well, or between these."""
        if self.regret >= MISSES:
            return "hot" if self.side > 0 else "slow"
        return "well" if self.regret <= WELL else "between"

    @property
    def noted(self) -> bool:
        """Whether the rise was found unfinished."""
        return any(finding.rule == SLOW for finding in self.said.findings)


def ladder(kind: str, seed: int) -> Iterator[Rung]:
    """The runs of one task, of the lowest rate first; none where no rate learns enough."""
    made = [drawn(kind, seed, rate=rate).run() for rate in RATES]
    ends = [float(truth[-3:].mean()) for _, truth in made]
    best, start = int(np.argmax(ends)), float(made[0][1][0])
    reach = ends[best] - start
    if reach < LEAST_REACH:
        return
    for place, ((run, _), end) in enumerate(zip(made, ends, strict=True)):
        gain = (ends[place + 1] - end) / reach if place + 1 < len(ends) else None
        entropy = run.curves["entropy"].values
        yield Rung(
            (ends[best] - end) / reach, place - best, diagnose(run), gain, float(entropy[-3:].mean() / entropy[0])
        )


def report(rungs: Sequence[Rung]) -> Iterator[str]:
    """The lines that are printed."""
    for truth in ("well", "between", "slow", "hot"):
        mine = [rung for rung in rungs if rung.truth == truth]
        said = Counter(str(rung.said.label) for rung in mine)
        noted = sum(rung.noted for rung in mine)
        words = ", ".join(f"{count} {label}" for label, count in said.most_common())
        yield f"{truth:<8}{len(mine):>5}, noted {noted} ({noted / max(1, len(mine)):.1%}): {words}"
    found = [rung for rung in rungs if rung.noted]
    slow = sum(rung.truth == "slow" for rung in found)
    yield f"noted: {len(found)}, {slow / max(1, len(found)):.1%} of them slow"
    healthy = [rung for rung in rungs if str(rung.said.label) == "healthy"]
    groups: Mapping[str, list[Rung]] = {
        "noted": found,
        "healthy, not noted, entropy left": [one for one in healthy if not one.noted and one.kept >= SPENT],
        "healthy, entropy used up": [one for one in healthy if one.kept < SPENT],
    }
    for name, some in groups.items():
        gains = np.array([one.next_gain for one in some if one.next_gain is not None])
        better, worse = np.mean(gains > MATTERS), np.mean(gains < -MATTERS)
        yield f"the next rate after {gains.size} runs ({name}): better {better:.0%}, worse {worse:.0%}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="what is said of rises that are slow, and what a higher rate brings")
    parser.add_argument("--seeds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.seeds)
    print(*report([rung for kind in KINDS for seed in seeds for rung in ladder(kind, seed)]), sep="\n")
