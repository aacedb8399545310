"""Elements of HTML and SVG as text that cannot be broken out of: everything but ``Markup`` is escaped."""

from __future__ import annotations

import html
import re

UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff\ud800-\udfff]")
"""Characters that XML forbids, that steer a terminal, or that turn the direction of writing around."""

VOID = frozenset(("meta", "input", "wbr", "br", "hr", "col", "path", "line", "rect", "circle", "polygon", "use"))


class Markup(str):
    """Text that is already HTML or SVG and goes out as it is."""


Child = Markup | str | float | None


def printable(text: object) -> str:
    """The text with every character that could harm a page or a terminal shown as a blank box."""
    return UNPRINTABLE.sub("\ufffd", str(text))


def escaped(text: object) -> Markup:
    """The text as HTML and SVG need it; ``Markup`` is left as it is."""
    return text if isinstance(text, Markup) else Markup(html.escape(printable(text)))


def joined(*children: Child) -> Markup:
    """The children one after the other, each escaped as needed; None is left out."""
    return Markup("".join(escaped(child) for child in children if child is not None))


def element(name: str, /, *children: Child, **attributes: Child) -> Markup:
    """``<name attribute="…">children</name>``.

    ``class_`` becomes ``class``, ``stroke_width`` becomes ``stroke-width``; an attribute that is None is left out.
    """
    pairs = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    opening = name + "".join(f' {key}="{_attribute(value)}"' for key, value in pairs if value is not None)
    if name in VOID and not children:
        return Markup(f"<{opening}/>")
    return Markup(f"<{opening}>{joined(*children)}</{name}>")


def _attribute(value: Child) -> str:
    return f"{value:.6g}" if isinstance(value, float) else escaped(value)
