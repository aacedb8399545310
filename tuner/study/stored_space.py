"""The search space out of a ``study.json``: data, or the words that earlier versions wrote."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from tuner.config.search_space import Choice, Range, Span, Value, span_from_dict

WORDED_RANGE = re.compile(r"(\S+) to (\S+?)(, log)?")


def stored_space(raw: Mapping[str, Any]) -> dict[str, Span]:
    """The ranges and choices by name; what is neither is left out."""
    read = {name: _span(span) for name, span in raw.items()}
    return {name: span for name, span in read.items() if span is not None}


def _span(raw: Any) -> Span | None:
    try:
        return from_words(raw) if isinstance(raw, str) else span_from_dict(raw) if isinstance(raw, Mapping) else None
    except ValueError:
        return None


def from_words(text: str) -> Span | None:
    """The span that version 0.1.0 wrote as ``1e-6 to 0.01, log`` or ``4, 8, 16``; None for other words.

    The words do not hold everything: a step is lost, and a choice that contains a comma comes back as two.
    """
    found = WORDED_RANGE.fullmatch(text.strip())
    if found:
        low, high = float(found[1]), float(found[2])
        fits = math.isfinite(low) and math.isfinite(high) and low < high and (low > 0 or not found[3])
        return Range(low, high, bool(found[3])) if fits else None
    words = [word.strip() for word in text.split(",")]
    return Choice(tuple(map(_value, words))) if all(words) else None


def _value(word: str) -> Value:
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return {"True": True, "False": False, "None": None}.get(word, word)
