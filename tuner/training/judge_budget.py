"""What a judge may still cost: calls and tokens, taken before a call is made and corrected by what it came to."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from tuner.config.judge import JudgeBlock

BYTES_A_TOKEN = 3
"""English has some four, Chinese three: what a text is taken for until the endpoint says what it counted."""
OVERHEAD = 24
"""Tokens of the chat format and of the reply."""
UNBOUNDED = 2**62


class Cost(NamedTuple):
    """Calls to the endpoint and tokens, those of the replies included."""

    calls: int = 0
    tokens: int = 0

    def plus(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(self.calls + other.calls, self.tokens + other.tokens)

    def less(self, other: Cost) -> Cost:
        """What it is without the other."""
        return Cost(self.calls - other.calls, self.tokens - other.tokens)

    def beyond(self, limit: Cost) -> bool:
        """Whether it exceeds a limit."""
        return self.calls > limit.calls or self.tokens > limit.tokens


class Ledger(Protocol):
    """Where the runs of a study share what their judge may cost."""

    def take(self, cost: Cost) -> bool:
        """Whether so much is left; from then on it counts as spent."""

    def correct(self, taken: Cost, spent: Cost) -> None:
        """What was taken came to something else."""


class OwnLedger:
    """That of a run without a study."""

    def __init__(self, block: JudgeBlock) -> None:
        self.limit, self.spent = limit_of(block), Cost()

    def take(self, cost: Cost) -> bool:
        """Whether so much is left; from then on it counts as spent."""
        if self.spent.plus(cost).beyond(self.limit):
            return False
        self.spent = self.spent.plus(cost)
        return True

    def correct(self, taken: Cost, spent: Cost) -> None:
        """What was taken came to something else."""
        self.spent = self.spent.less(taken).plus(spent)


LEDGER: ContextVar[Ledger | None] = ContextVar("ledger", default=None)
"""That of the study whose run is trained; a run of its own has none."""


def limit_of(block: JudgeBlock) -> Cost:
    """What all runs of a study together may cost."""
    return Cost(block.max_study_calls, UNBOUNDED if block.max_study_tokens is None else block.max_study_tokens)


def cost_of(text: str) -> Cost:
    """What a call with this text is expected to cost."""
    return Cost(1, len(text.encode()) // BYTES_A_TOKEN + OVERHEAD)


def total(costs: Iterable[Cost]) -> Cost:
    """All of them together."""
    made = Cost()
    for cost in costs:
        made = made.plus(cost)
    return made
