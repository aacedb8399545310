"""The badge of a run for a model card: ``curve: healthy 0.96``."""

from __future__ import annotations

from diagnostics.chart.markup import Markup, element
from diagnostics.chart.theme import LABEL_COLORS
from diagnostics.messages import phrase
from diagnostics.model.records import Diagnosis, Label

LETTER = 6.6  # pixels that a letter takes
PADDING = 14.0
GRAY = "#4c525d"
FONT = "Verdana, 'DejaVu Sans', Geneva, sans-serif"


def as_badge(diagnosis: Diagnosis) -> str:
    """The label of a diagnosis and how sure it is, as SVG."""
    known = diagnosis.label is not Label.UNKNOWN
    name, words = phrase("badge"), f"{diagnosis.label} {diagnosis.confidence:.2f}" if known else phrase("no-verdict")
    left, right = (len(part) * LETTER + PADDING for part in (name, words))
    box = {"viewBox": f"0 0 {left + right:g} 20", "aria-label": f"{name}: {words}"}
    return element(
        "svg",
        element("title", f"{name}: {words}"),
        element("rect", width=left + right, height=20, rx=4, fill=LABEL_COLORS[diagnosis.label][0]),
        element("path", d=f"M4,0H{left:g}V20H4A4,4 0 0 1 0,16V4A4,4 0 0 1 4,0Z", fill=GRAY),
        _centered(name, left / 2, left - PADDING),
        _centered(words, left + right / 2, right - PADDING),
        xmlns="http://www.w3.org/2000/svg",
        width=left + right,
        height=20,
        role="img",
        font_family=FONT,
        **box,
    )


def _centered(words: str, x: float, length: float) -> Markup:
    """Text that is as long as its place in whichever font."""
    fit = {"textLength": length}
    return element("text", words, x=x, y=14, fill="#fff", font_size=11, text_anchor="middle", **fit)
