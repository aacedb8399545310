"""The app: the pages, and the way between them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from tuner.inspector.escape import chip
from tuner.inspector.runs.folder import Folder
from tuner.inspector.server import is_here
from tuner.inspector.views.context import LAST, PageContext

LESS_SPACE = (
    "<style>.stMainBlockContainer {padding-top: 4rem; padding-bottom: 3rem}"
    "#vg-tooltip-element {white-space: pre-line}"
    # Where columns are stacked, the file of the next run comes after the advice that it is made of.
    f"@media (max-width: 640px) {{.stHorizontalBlock:has(> .stColumn .st-key-{LAST}) > .stColumn,"
    f".stHorizontalBlock:has(> .stColumn .st-key-{LAST}) > .stColumn > .stVerticalBlock {{display: contents}}"
    f"[data-testid=stLayoutWrapper]:has(> .st-key-{LAST}) {{order: 1}}}}</style>"
)


def show(path: Path, may_run: bool = False) -> None:
    """Draw the inspector for the runs at or below ``path``; ``may_run`` lets the pages start some there."""
    from tuner.inspector.views import compare, run, runs, started, study

    st.set_page_config(page_title="tuner", page_icon="📉", layout="wide")
    may_run = may_run and is_here(st.context.headers.get("Host"))
    context = PageContext(
        _folder(str(path.expanduser().absolute())), lambda page, **query: _go(pages[page], query), may_run
    )
    pages = {
        name: st.Page(
            _page(view, context), title=title, url_path="" if name == "runs" else name, default=name == "runs"
        )
        for name, title, view in (
            ("runs", "Runs", runs.page),
            ("run", "Run", run.page),
            ("compare", "Compare", compare.page),
            ("study", "Study", study.page),
            ("started", "Started", started.page),
        )
    }
    # The first page's own address is the bare one, which nobody would guess from those of the other pages.
    typed = st.Page(lambda: _go(pages["runs"], _query()), title="Runs", url_path="runs", visibility="hidden")
    st.html(LESS_SPACE)
    chosen = st.navigation([*pages.values(), typed], position="top")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Folder {chip(context.folder.path, 400)}")
        st.toggle("Live", value=True, key="live", help="Check every few seconds and redraw when a log has grown.")
    chosen.run()


def _page(view: Callable[[PageContext], None], context: PageContext) -> Callable[[], None]:
    """The view as a function without parameters, which is what Streamlit's pages are."""

    def page() -> None:
        view(context)

    return page


def _go(page: Any, query: dict[str, Any]) -> None:
    st.switch_page(page, query_params=query)


def _query() -> dict[str, Any]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _open_folder(path: str) -> Folder:
    return Folder(Path(path), on_disk=True)


_folder = st.cache_resource(_open_folder, show_spinner=False)
