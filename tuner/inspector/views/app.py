"""The app: the pages, and the way between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import streamlit as st

from tuner.config.sources import at_home
from tuner.inspector.access import PARAMETER, TOKEN, ensure_token, is_here, is_token
from tuner.inspector.escape import chip
from tuner.inspector.runs.folder import Folder
from tuner.inspector.views.context import PageContext
from tuner.inspector.views.stylesheet import STYLE

TITLES = {"runs": "Runs", "run": "Run", "compare": "Compare", "study": "Study", "started": "Started", "rule": "Rule"}
IN_THE_MENU = ("runs", "run", "compare", "study", "started")
OWN_PARAMETERS: Mapping[str, frozenset[str]] = {
    "runs": frozenset(("filter", "regex", "settings", "verdicts", "studies", "order")),
    "run": frozenset(("run",)),
    "compare": frozenset(("run",)),
    "study": frozenset(("study",)),
    "started": frozenset(("job",)),
    "rule": frozenset(("rule",)),
}
"""What the address of each page says. A page that is opened without any of it shows what it showed last."""
SHOWN_LAST, ADDRESSES = "page-shown-last", "addresses"


def show(path: Path, may_run: bool = False) -> None:
    """Draw the inspector for the runs at or below ``path``; ``may_run`` lets the pages start some there."""
    from tuner.inspector.views import compare, rule, run, runs, started, study

    st.set_page_config(page_title="tuner", page_icon="📉", layout="wide")
    may_run = may_run and is_here(st.context.headers.get("Host"))
    has_token = _has_token()
    folder = _folder(str(at_home(path).absolute()))
    views = (runs.page, run.page, compare.page, study.page, started.page, rule.page)
    pages: dict[str, Any] = {}
    context = PageContext(
        folder,
        lambda page, **query: _go(pages[page], query),
        lambda page, label, **query: st.page_link(pages[page], label=label, query_params=query),
        may_run=may_run and has_token,
        with_token=may_run,
    )
    for (name, title), view in zip(TITLES.items(), views, strict=True):
        pages[name] = st.Page(
            _page(name, view, context, pages),
            title=title,
            url_path="" if name == "runs" else name,
            default=name == "runs",
            visibility="visible" if name in IN_THE_MENU else "hidden",
        )
    st.html(STYLE)
    chosen = st.navigation([*pages.values(), *_typed(pages)], position="top")
    with st.container(horizontal=True, vertical_alignment="center", key="top"):
        st.caption(f"Folder {chip(folder.path, 400)}")
        st.toggle("Live", value=True, key="live", help="Check every few seconds and redraw when a log has grown.")
    chosen.run()
    if context.may_run and not is_token(st.query_params.get(PARAMETER)):
        st.query_params[PARAMETER] = ensure_token()  # so that the page can be loaded again


def _has_token() -> bool:
    """Whether the visitor has opened the address with the token."""
    if is_token(st.query_params.get(PARAMETER)):
        st.session_state[TOKEN] = True
    return bool(st.session_state.get(TOKEN))


def _typed(pages: Mapping[str, Any]) -> list[Any]:
    """Other spellings of the pages' addresses: that of the first page is the bare one, which nobody would guess."""
    spellings = {"runs": "runs", **{title: name for name, title in TITLES.items()}}
    return [
        st.Page(_forward(pages[name]), title=TITLES[name], url_path=path, visibility="hidden")
        for path, name in spellings.items()
    ]


def _forward(page: Any) -> Callable[[], None]:
    def forward() -> None:
        _go(page, _query())

    return forward


def _page(
    name: str, view: Callable[[PageContext], None], context: PageContext, pages: Mapping[str, Any]
) -> Callable[[], None]:
    """The view as a function without parameters, which is what Streamlit's pages are."""

    def page() -> None:
        arrived = st.session_state.get(SHOWN_LAST) != name
        st.session_state[SHOWN_LAST] = name
        kept = st.session_state.setdefault(ADDRESSES, {})
        if arrived and kept.get(name) and not OWN_PARAMETERS[name] & set(st.query_params):
            _go(pages[name], kept[name])
        if name == "runs":
            _say_when_unknown(pages)
        view(replace(context, has_arrived=arrived))
        kept[name] = {key: values for key, values in _query().items() if values}

    return page


def _say_when_unknown(pages: Mapping[str, Any]) -> None:
    """Streamlit shows the first page for every address that it does not know."""
    path = urlparse(st.context.url or "").path.strip("/")
    if path and path not in ("runs", *pages):
        st.warning(f"There is no page called {chip(path)}. These are the runs.", icon=":material/link_off:")


def _go(page: Any, query: dict[str, Any]) -> None:
    st.switch_page(page, query_params=query)


def _query() -> dict[str, Any]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _open_folder(path: str) -> Folder:
    return Folder(Path(path), on_disk=True)


_folder = st.cache_resource(_open_folder, show_spinner="Opening the folder…")
