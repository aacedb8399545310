"""The values that options take on the command line, each with an error that says what it must be."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence

from diagnostics.errors import BadInput
from diagnostics.model.label import Label

LABELS = tuple(map(str, Label))


def count(text: str) -> int:
    """A whole number of 1 or more."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of 1 or more, not {text!r}")
    return int(text)


def positive(unit: str) -> Callable[[str], float]:
    """The type of an option that takes a number above 0; ``unit`` names what it counts."""

    def number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = 0.0
        if not 0 < value < 1e6:
            raise argparse.ArgumentTypeError(f"must be a number of {unit} above 0, not {text!r}")
        return value

    return number


def curve_tag(text: str) -> tuple[str, str]:
    """A curve and the log's own name for it, from ``CURVE=TAG``."""
    curve, equals, tag = text.partition("=")
    if not (curve and equals and tag):
        raise argparse.ArgumentTypeError(f"must be CURVE=TAG, such as train_loss=my/loss, not {text!r}")
    return curve, tag


def curve_tags(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The log's name of each curve; raises ``BadInput`` for a curve that is named twice."""
    tags: dict[str, str] = {}
    for curve, tag in pairs:
        if curve in tags:
            raise BadInput(f"--tag {curve} is given twice, as {tags[curve]} and {tag}; keep one")
        tags[curve] = tag
    return tags


def labels(text: str) -> tuple[str, ...]:
    """Verdicts from a list with commas, each a known label."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    wrong = [name for name in names if name not in LABELS]
    if wrong or not names:
        raise argparse.ArgumentTypeError(f"must be among {', '.join(LABELS)}, not {', '.join(wrong) or text!r}")
    return names


def key_and_value(text: str) -> tuple[str, str]:
    """A key and its value, from ``KEY=VALUE``; a key may be written as on the command line of sbatch."""
    key, equals, value = text.partition("=")
    if not (key and equals and value):
        raise argparse.ArgumentTypeError(f"must be KEY=VALUE, such as partition=gpu, not {text!r}")
    return key.lstrip("-").replace("-", "_"), value
