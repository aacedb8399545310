"""The frame of a report: one file with its own style, light and dark, for screen, phone and paper."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.chart.theme import CHART_SHEET, HOVER_SCRIPT, color_sheet
from diagnostics.formatting import SIGNS
from diagnostics.messages import LANGUAGE, phrase
from diagnostics.model.records import Label
from diagnostics.report.page_script import PAGE_SCRIPT
from diagnostics.report.stylesheet import SHEET

WORD_BREAK = element("wbr")


def page(title: str, *content: Child, description: str = "", image: str = "", script: str = "") -> str:
    """A whole HTML document that needs nothing from outside.

    ``description`` and ``image``, the address of a picture, are what a link to the page shows where links are shared.
    ``script`` runs after the page's own.
    """
    style = Markup(color_sheet(":root") + CHART_SHEET + SHEET)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        *_shared(title, description, image),
        element("style", style),
    )
    body = element(
        "body", element("main", *content, id="top"), element("script", Markup(HOVER_SCRIPT + PAGE_SCRIPT + script))
    )
    return f"<!doctype html>\n{element('html', head, body, lang=LANGUAGE)}\n"


def _shared(title: str, description: str, image: str) -> Iterable[Markup]:
    """What other sites show of a link to the page."""
    yield element("meta", property="og:title", content=title)
    if description:
        yield element("meta", name="description", content=description)
        yield element("meta", property="og:description", content=description)
    if image:
        yield element("meta", property="og:image", content=image)
        yield element("meta", name="twitter:card", content="summary_large_image")


def unbroken(words: str) -> str:
    """The words with percentages and arrows that stay on one line with their numbers."""
    return words.replace(" %", "\N{NO-BREAK SPACE}%").replace(" → ", "\N{NO-BREAK SPACE}→ ")


def breakable(name: str) -> Markup:
    """A long name that may go on in the next line after each of its parts."""
    return joined(*(part for piece in re.split(r"(?<=[_/.-])", name) for part in (piece, WORD_BREAK)))


def copyable(text: str) -> Markup:
    """A text to copy, with a button for it where the page may run its script."""
    button = element("button", phrase("copy"), type="button", hidden="", data_done=phrase("copied"))
    return element("div", button, element("pre", element("code", text.rstrip())), class_="copyable")


def to_top() -> Markup:
    """A link back to the top that stays in view."""
    return element("a", phrase("to-top"), href="#top", class_="to-top")


def to_index(address: str) -> Markup:
    """A link that stays in view, back to the page of all runs."""
    return element("a", phrase("to-index"), href=address, class_="to-top")


def chip(label: Label | str | None) -> Markup:
    """A verdict as a small badge with its sign."""
    known = Label(label) if label in set(Label) else Label.UNKNOWN
    words = str(label) if label else phrase("no-verdict")
    return element("span", element("span", SIGNS[known], aria_hidden="true"), words, class_="chip", style=tone(known))


def tone(label: Label) -> str:
    """The color of a label, for whatever takes ``--tone``."""
    return f"--tone:var(--{label})"


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[Child]],
    *,
    numbers: Sequence[str] = (),
    chosen: Collection[int] = (),
    verdicts: Sequence[str] = (),
    stacks: bool = True,
) -> Markup:
    """A table that turns into stacked cards on a phone, unless it is narrow enough to stay (``stacks=False``).

    Columns in ``numbers`` are set to the right; the rows at the places in ``chosen`` are tinted. ``verdicts``, one for
    each row, are what a filter knows the rows by.
    """
    sides = [("number" if head in numbers else None) for head in heads]
    top = element("tr", *(element("th", head, class_=side) for head, side in zip(heads, sides, strict=True)))
    body = [
        _row(
            heads, sides, row, class_="chosen" if k in chosen else None, data_verdict=verdicts[k] if verdicts else None
        )
        for k, row in enumerate(rows)
    ]
    inner = element("table", element("thead", top), element("tbody", *body), class_="stacks" if stacks else None)
    return element("div", inner, class_="table")


def _row(heads: Sequence[str], sides: Sequence[str | None], row: Sequence[Child], **attributes: Child) -> Markup:
    cells = zip(heads, sides, row, strict=True)
    return element(
        "tr",
        *(
            element("td", element("div", cell) if cell else None, class_=side, data_label=head)
            for head, side, cell in cells
        ),
        **attributes,
    )


def facts(pairs: Iterable[tuple[str, Child]], kind: str = "facts") -> Markup:
    """Names and values side by side (``facts``: a few large ones, ``pairs``: many small ones)."""
    rows = (element("div", element("dt", name), element("dd", value)) for name, value in pairs)
    return element("dl", *rows, class_=kind)


def details(summary: str, *content: Child) -> Markup:
    """Content that is folded away until it is asked for."""
    return element("details", element("summary", summary), *content)


def bullets(items: Iterable[Child]) -> Markup:
    """A plain list."""
    return element("ul", *(element("li", item) for item in items))


def change(old: Child, new: Child) -> Markup:
    """``old → new``, the new value in bold."""
    arrow = joined(old, " → ") if old is not None else None
    return element("span", arrow, element("span", new, class_="new"), class_="change")


def figure(drawings: tuple[Child, Child], caption: Child) -> Markup:
    """A drawing in a wide and a narrow version, of which the reader's screen shows the one that fits."""
    wide, narrow = drawings
    return element(
        "figure",
        element("div", wide, class_="drawing wide"),
        element("div", narrow, class_="drawing narrow"),
        element("figcaption", caption) if caption else None,
        class_="card",
    )
