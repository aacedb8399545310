"""The page of very many runs: a table of them all, whose lines lead to a page for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diagnostics.chart.markup import Markup, element
from diagnostics.messages import phrase
from diagnostics.report.html import footer
from diagnostics.report.html_overview import Entry, overview
from diagnostics.report.html_page import page
from diagnostics.report.page_script import INDEX_SCRIPT


def as_index(entries: Sequence[Entry], errors: Mapping[str, str]) -> str:
    """The page of these runs in the order given, and of the paths that could not be read, with why.

    Each line links to the page of its run. A script lets the reader look for a name and sort by a column.
    """
    title = phrase("page-of-many", count=len(entries))
    hints = {"placeholder": phrase("find-runs"), "aria_label": phrase("find-runs")}
    find = element("input", type="search", id="find", hidden="", data_none=phrase("none-found"), **hints)
    shown = element("output", Markup(""), id="found", class_="soft small")
    head = element("header", element("h1", title), find, shown, overview(entries, errors))
    return page(phrase("page", title=title), head, footer(), script=INDEX_SCRIPT)
