"""A drawing as PNG, where the library for it is installed."""

from __future__ import annotations


def as_png(svg: str) -> bytes | None:
    """The picture that the SVG draws; None without ``resvg_py`` (``pip install 'curvetuner[card]'``)."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError:
        return None
    return bytes(svg_to_bytes(svg_string=svg, font_family="DejaVu Sans", monospace_family="DejaVu Sans Mono"))
