"""Where the learning rate stands, drawn: a scale of decades with the interval, its middle half and the median."""

from __future__ import annotations

from diagnostics.chart.markup import Markup, element, joined
from diagnostics.messages import phrase
from diagnostics.model.rate_estimate import OFF, SHARE_SUGGESTED, RateEstimate

ENDS = (-3.0, 2.0)
"""The decades that are drawn; what lies beyond stands at the ends."""
WIDTH, HEIGHT, EDGE = 460, 58, 22
TOP, BAR = 18, 14
INK = "var(--ink,currentColor)"
RATE_COLOR = "var(--learning-rate,#1b8a7f)"
TICKS = {-3.0: "÷1000", -2.0: "÷100", -1.0: "÷10", 0.0: "", 1.0: "×10", 2.0: "×100"}
CELLS = 41


def rate_gauge(estimate: RateEstimate) -> Markup:
    """The scale as SVG, in the colors of the page where it gives them, else in that of its text."""
    low, high = estimate.interval()
    inner = estimate.interval(SHARE_SUGGESTED)
    shapes = [
        _bar(*ENDS, "var(--soft,currentColor)", 0.15),
        _bar(-OFF, OFF, "var(--healthy,#23744a)", 0.35),
        _bar(low, high, RATE_COLOR, 0.35),
        _bar(*inner, RATE_COLOR, 0.9),
        element(
            "path",
            d=f"M{_x(estimate.median):.1f},{TOP - 4}v{BAR + 8}",
            stroke="var(--ink,currentColor)",
            stroke_width=2,
        ),
        *(_text(_x(at), TOP + BAR + 18, words, "middle") for at, words in TICKS.items() if words),
        _text(_x(0.0), TOP + BAR + 18, phrase("rate-best"), "middle"),
        _text(EDGE, 12, phrase("rate-low-end"), "start"),
        _text(WIDTH - EDGE, 12, phrase("rate-high-end"), "end"),
    ]
    box = f"0 0 {WIDTH} {HEIGHT}"
    return element("svg", *shapes, viewBox=box, class_="gauge", role="img", aria_label=phrase("rate-gauge"))


def gauge_line(estimate: RateEstimate) -> str:
    """The scale as a line of characters for a terminal."""
    low, high = estimate.interval()
    inner = estimate.interval(SHARE_SUGGESTED)
    cells = []
    for k in range(CELLS):
        at = ENDS[0] + (ENDS[1] - ENDS[0]) * k / (CELLS - 1)
        cells.append("█" if _holds(inner, at) else "▒" if _holds((low, high), at) else "┼" if abs(at) < 0.01 else "─")
    return joined(phrase("rate-low-end"), " ", "".join(cells), " ", phrase("rate-high-end"))


def _holds(interval: tuple[float, float], at: float) -> bool:
    """Whether an interval, cut at the ends of the scale, holds a place of it."""
    reach = 0.5 * (ENDS[1] - ENDS[0]) / (CELLS - 1)
    low, high = (min(max(end, ENDS[0]), ENDS[1]) for end in interval)
    return low - reach <= at <= high + reach


def _x(offset: float) -> float:
    share = (min(max(offset, ENDS[0]), ENDS[1]) - ENDS[0]) / (ENDS[1] - ENDS[0])
    return EDGE + share * (WIDTH - 2 * EDGE)


def _bar(low: float, high: float, color: str, opacity: float) -> Markup:
    x, end = _x(low), _x(high)
    return element(
        "rect",
        x=round(x, 1),
        y=TOP,
        width=max(2.0, round(end - x, 1)),
        height=BAR,
        rx=4,
        fill=color,
        fill_opacity=opacity,
    )


def _text(x: float, y: float, words: str, anchor: str) -> Markup:
    return element("text", words, x=round(x, 1), y=y, text_anchor=anchor, font_size=12, fill="var(--soft,currentColor)")
