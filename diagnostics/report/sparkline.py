"""A curve in a few characters, and the few numbers that it needs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from diagnostics.model.curves import Curve

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII_BLOCKS = "_.,-=+*#"
LOG_SPAN = 30.0
"""Positive values that span more than this are drawn on a logarithmic scale."""


def block_means(curve: Curve | None, points: int) -> tuple[float, ...]:
    """At most ``points`` block means of a curve, to four digits; the first point is kept."""
    if curve is None or not len(curve):
        return ()
    if len(curve) <= points:
        return tuple(_short(value) for value in curve.values)
    blocks = np.array_split(curve.values, points - 1)
    return (_short(curve.values[0]), *(_short(block.mean()) for block in blocks))


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def sparkline(values: Sequence[float], width: int = 12, *, ascii_only: bool = False) -> str:
    """The values as ``width`` characters, the lowest and the highest at the ends of the scale; empty without values."""
    shown = np.asarray([value for value in values if np.isfinite(value)], dtype=np.float64)
    if not shown.size:
        return ""
    if shown.min() > 0 and np.log(shown.max()) - np.log(shown.min()) > np.log(LOG_SPAN):
        shown = np.log(shown)
    shown = shown / max(1.0, float(np.abs(shown).max()))  # the span of the largest numbers is beyond all numbers
    spread = np.interp(np.linspace(0, shown.size - 1, width), np.arange(shown.size), shown)
    low, span = float(shown.min()), float(shown.max() - shown.min())
    heights = np.round((len(BLOCKS) - 1) * ((spread - low) / span)) if span > 0 else np.zeros(width)
    blocks = ASCII_BLOCKS if ascii_only else BLOCKS
    return "".join(blocks[int(height)] for height in heights)
