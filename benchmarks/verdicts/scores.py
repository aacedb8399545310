"""How often a verdict is right, with the interval that the choice of sources leaves."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.verdicts.cases import Case

LABELS = ("healthy", "underfit", "overfit", "unstable")
NO_FAULT = ("healthy", "unknown", "not")
RESAMPLES = 2000
SEED = 2024

Pair = tuple[str, str]
"""The label of a run and what was said of it."""


def pairs_of(cases: Iterable[Case]) -> list[Pair]:
    """The labels with what was said."""
    return [(case.label, case.said) for case in cases]


def f1(pairs: Sequence[Pair], label: str) -> float:
    """The harmonic mean of precision and recall of one label; 0 where it was never right."""
    right = sum(true == said == label for true, said in pairs)
    wrong = sum((true == label) != (said == label) for true, said in pairs)
    return 2 * right / (2 * right + wrong) if right else 0.0


def score(pairs: Sequence[Pair]) -> Mapping[str, float]:
    """Runs, accuracy, macro-F1 over the labels that occur, and the share of healthy runs that were called sick.

    Works for any labels; of runs labeled ``not`` (overfit), a false alarm is any other answer.
    """
    present = sorted({true for true, _ in pairs})
    well = [said for true, said in pairs if true in NO_FAULT]
    return {
        "runs": len(pairs),
        "accuracy": sum(true == said for true, said in pairs) / max(1, len(pairs)),
        "macro_f1": sum(f1(pairs, label) for label in present) / max(1, len(present)),
        "false_alarms": sum(said not in NO_FAULT for said in well) / max(1, len(well)),
    }


def intervals(cases: Sequence[Case], resamples: int = RESAMPLES) -> Mapping[str, tuple[float, float]]:
    """The 95 % interval of each score when the sources are drawn anew, with replacement, as often as there are."""
    by_source: dict[str, list[Pair]] = {}
    for case in cases:
        by_source.setdefault(case.source, []).append((case.label, case.said))
    sources, rng = sorted(by_source), random.Random(SEED)
    drawn: dict[str, list[float]] = {}
    for _ in range(resamples):
        sample = [pair for name in rng.choices(sources, k=len(sources)) for pair in by_source[name]]
        for key, value in score(sample).items():
            drawn.setdefault(key, []).append(value)
    return {key: _middle(sorted(values)) for key, values in drawn.items()}


def _middle(ordered: Sequence[float]) -> tuple[float, float]:
    """The bounds of the middle 95 % of sorted values."""
    return ordered[int(0.025 * len(ordered))], ordered[min(len(ordered) - 1, int(0.975 * len(ordered)))]


def confusion(pairs: Sequence[Pair]) -> Mapping[Pair, int]:
    """How often each label was called what."""
    return Counter(pairs)
