"""Values as text: numbers, settings, shares, durations, names."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from diagnostics.model.records import Label

SURROGATES = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """The text with a replacement character for each byte that was not UTF-8, as in the names of some files."""
    return SURROGATES.sub("\ufffd", text)


def number(value: object) -> str:
    """A number the way people write it: ``3e-5``, ``0.183``, ``12,000``; other values as text, None as a dash."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return str(value)
    real, size = float(value), abs(float(value))
    if real and (size < 1e-3 or size >= 1e6):
        return scientific(real)
    if real == int(real) or size >= 1e4:
        return f"{real:,.0f}" if size >= 1e4 else f"{real:.0f}"
    return f"{real:.4g}"


def scientific(value: float) -> str:
    """``3.2e-5`` for 0.000032: as few digits as the number needs, three at most."""
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"


def setting(knob: str, value: object) -> str:
    """The value of a knob to three digits; learning rates as ``1e-3``, so that they compare at a glance."""
    if not isinstance(value, float) or not math.isfinite(value) or value == int(value):
        return number(value)
    small = knob == "learning_rate" and abs(value) < 0.01
    return scientific(value) if small else number(float(f"{value:.3g}"))


def percent(share: float) -> str:
    """A share as a percentage: ``12 %``, and ``99.6 %`` where a whole one would claim all."""
    if not math.isfinite(share):
        return "–"
    return f"{100 * share:.{1 if 0.99 < abs(share) < 1 else 0}f} %"


def plain_name(name: str) -> str:
    """A rule or a measure without its dashes: ``eval loss rises``."""
    return name.replace("-", " ").replace("_", " ")


def ends(name: str, longest: int) -> str:
    """The start and the end of a long name: names that are alike mostly differ at their end."""
    return name if len(name) <= longest else f"{name[:9]}…{name[-(longest - 10) :]}"


def times(factor: float | None) -> str:
    """``×3``, or nothing where there is no factor."""
    return f"×{float(f'{factor:.2g}'):g}" if factor else ""  # two digits, and 120 rather than 1.2e+02


def sentence(text: str) -> str:
    """The text with a capital at its start, a stop at its end and drawn arrows."""
    text = text.strip().replace("->", "→")
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ":")) or not text else ".")


def duration(seconds: float) -> str:
    """``45 s``, ``12 min`` or ``3 h 5 min``."""
    if not math.isfinite(seconds) or seconds < 0:
        return "–"
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


SIGNS: Mapping[Label, str] = {
    Label.BROKEN: "✕",
    Label.UNSTABLE: "≈",
    Label.OVERFIT: "↗",
    Label.UNDERFIT: "→",
    Label.HEALTHY: "✓",
    Label.UNKNOWN: "?",
}
"""A sign for each label, so that color is never the only difference."""
