"""English: one template for each code; ``tuner.messages.catalog`` says what a field may hold."""

from __future__ import annotations

from collections.abc import Mapping

from tuner.messages.en.checks import CHECK_STATES, CHECKS
from tuner.messages.en.export import CARD, EXPORTS
from tuner.messages.en.report import HEADS, PHRASES, PRICE, RECORD_COUNTS, TITLES
from tuner.messages.en.review import POINTS, REVIEW
from tuner.messages.en.search import EARLIER, ONLY_SEED, PROPOSALS, PRUNED, SOURCES, STOP_REASONS
from tuner.messages.en.study import DOUBTS, FAILURES, GAIN, HEADLINES, LOWERED, MEMORY, NOTICES, STATES
from tuner.messages.en.terminal import END, LIVE

__all__ = [
    "CARD",
    "CHECKS",
    "CHECK_STATES",
    "DOUBTS",
    "EARLIER",
    "END",
    "EXPORTS",
    "FAILURES",
    "GAIN",
    "HEADLINES",
    "HEADS",
    "LIVE",
    "LOWERED",
    "MEMORY",
    "MESSAGES",
    "NOTICES",
    "ONLY_SEED",
    "PHRASES",
    "POINTS",
    "PRICE",
    "PROPOSALS",
    "PRUNED",
    "RECORD_COUNTS",
    "REVIEW",
    "SOURCES",
    "STATES",
    "STOP_REASONS",
    "TITLES",
]

MESSAGES: Mapping[str, str] = {
    **PROPOSALS,
    **EARLIER,
    **PRUNED,
    **STOP_REASONS,
    **NOTICES,
    **DOUBTS,
    **MEMORY,
    **HEADLINES,
    **POINTS,
    **REVIEW,
    **CHECKS,
    **EXPORTS,
}
