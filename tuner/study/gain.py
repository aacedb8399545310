"""How much better the winner is than the user's own file, on fresh seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from tuner.study.stored_text import Text, known_values, texts_from


@dataclass(frozen=True)
class Pair:
    """The metric of the user's own file and of the winner, trained with the same seed."""

    seed: int
    baseline: float
    winner: float


@dataclass(frozen=True)
class Gain:
    """How much better the winner is than trial 0 on fresh seeds; ``mean`` above 0 is better, in the metric's unit.

    ``doubts`` say why the gain is not claimed.
    """

    pairs: tuple[Pair, ...]
    mean: float
    stderr: float
    doubts: tuple[Text, ...] = ()

    @property
    def claimed(self) -> bool:
        """Whether the repeats prove the gain."""
        return not self.doubts

    @property
    def means(self) -> tuple[float, float]:
        """The mean metric of the user's own file and of the winner, over the pairs; nan without any."""
        count = len(self.pairs) or math.nan
        return sum(pair.baseline for pair in self.pairs) / count, sum(pair.winner for pair in self.pairs) / count

    def to_dict(self) -> dict[str, Any]:
        """The gain as plain values, without words."""
        return {**asdict(self), "claimed": self.claimed}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Gain:
        """The gain that ``to_dict`` wrote; of an earlier version's doubts only the words are known."""
        doubts = raw["doubts"] if "doubts" in raw else [] if raw["claimed"] else [raw["message"]]
        pairs = tuple(known_values(Pair, pair) for pair in raw.get("pairs") or ())
        return known_values(cls, {**raw, "pairs": pairs, "doubts": texts_from(doubts)})
