"""Whether an exported model still answers as the run's own did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tuner.training.generation import Sample, exact_match

LEAST_ALIKE = 0.5
"""The least share of answers that begin alike. Of greedy tokens even 2-bit weights change about a quarter (the "same
top p" of llama.cpp's perplexity tool); below half it is the tokenizer or the template that differs, not the rounding.
"""


@dataclass(frozen=True)
class Agreement:
    """Greedy answers of the run's own model and of the exported one to the same held-out questions.

    ``same`` are equal, ``alike`` begin with the same word; ``before`` and ``after`` are the shares that are the
    reference, 0 to 1. ``apart`` questions are other tokens to the exported tokenizer.
    """

    asked: int
    same: int
    alike: int
    before: float
    after: float
    apart: int = 0

    def holds(self, rounded: bool) -> bool:
        """Whether what differs can be rounding, of weights that were ``rounded`` to few bits or are as they were.

        Where the tokens differ, whole answers say nothing of the weights.
        """
        exact = rounded or self.apart > 0 or self.same >= LEAST_ALIKE * self.asked
        return exact and self.alike >= LEAST_ALIKE * self.asked


def agreement(before: Sequence[Sample], after: Sequence[Sample], apart: int = 0) -> Agreement:
    """How the answers of the exported model agree with those before."""
    pairs = list(zip((one.answer for one in before), (one.answer for one in after), strict=True))
    same = sum(one.strip() == other.strip() for one, other in pairs)
    alike = sum(one.split()[:1] == other.split()[:1] for one, other in pairs)
    return Agreement(len(pairs), same, alike, exact_match(before), exact_match(after), apart)
