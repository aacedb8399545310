"""Sets of runs that share no source, so that what is chosen on one can be judged on another."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

SPLIT_SEED = 2024


class HasSource(Protocol):
    """Anything that comes from a named source."""

    @property
    def source(self) -> str:
        """The name of the source."""


Item = TypeVar("Item", bound=HasSource)


def sources_of(items: Sequence[Item]) -> list[str]:
    """The names of all sources, sorted."""
    return sorted({item.source for item in items})


def halves(items: Sequence[Item], seed: int = SPLIT_SEED) -> tuple[list[Item], list[Item]]:
    """The items of one half of the sources (calibration), and of the other (test); a source is never split."""
    sources = sources_of(items)
    random.Random(seed).shuffle(sources)
    first = set(sources[: len(sources) // 2])
    return [i for i in items if i.source in first], [i for i in items if i.source not in first]


def each_source_out(items: Sequence[Item]) -> Iterator[tuple[list[Item], list[Item]]]:
    """For every source: the items of all others, and its own."""
    for source in sources_of(items):
        yield [i for i in items if i.source != source], [i for i in items if i.source == source]
