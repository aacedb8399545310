"""What surrounds every page: the opened folder, the way between the pages, and looking again when files change."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from tuner.inspector.folder import Folder
from tuner.inspector.server import is_here
from tuner.inspector.stamps import Stamps
from tuner.inspector.trials import find_studies
from tuner.inspector.words import chip

LAST = "last-when-narrow"
LESS_SPACE = (
    "<style>.stMainBlockContainer {padding-top: 4rem; padding-bottom: 3rem}"
    "#vg-tooltip-element {white-space: pre-line}"
    # Where columns stand below each other, the file of the next run comes after the advice that it is made of.
    f"@media (max-width: 640px) {{.stHorizontalBlock:has(> .stColumn .st-key-{LAST}) > .stColumn,"
    f".stHorizontalBlock:has(> .stColumn .st-key-{LAST}) > .stColumn > .stVerticalBlock {{display: contents}}"
    f"[data-testid=stLayoutWrapper]:has(> .st-key-{LAST}) {{order: 1}}}}</style>"
)
LOOK_EVERY = 3.0  # seconds
FILL_EVERY = 1.0  # seconds, while verdicts come in
MOST_EFFORT = 0.05  # the share of the time that may go into looking at a large folder


@dataclass(frozen=True)
class Shell:
    """What a page gets: the folder, ``go(page, parameters)`` to another page, and whether it may start runs."""

    folder: Folder
    go: Callable[..., None]
    may_run: bool = False


def show(path: Path, may_run: bool = False) -> None:
    """Draw the inspector for the runs at or below ``path``; ``may_run`` lets the pages start some there."""
    from tuner.inspector.views import compare, run, runs, started, study

    st.set_page_config(page_title="tuner", page_icon="📉", layout="wide")
    may_run = may_run and is_here(st.context.headers.get("Host"))
    shell = Shell(_folder(str(path.expanduser().absolute())), lambda page, **query: _go(pages[page], query), may_run)
    pages = {
        name: st.Page(_page(view, shell), title=title, url_path="" if name == "runs" else name, default=name == "runs")
        for name, title, view in (
            ("runs", "Runs", runs.page),
            ("run", "Run", run.page),
            ("compare", "Compare", compare.page),
            ("study", "Study", study.page),
            ("started", "Started", started.page),
        )
    }
    # The first page's own address is the bare one, which nobody would guess from those of the others.
    typed = st.Page(lambda: _go(pages["runs"], _query()), title="Runs", url_path="runs", visibility="hidden")
    st.html(LESS_SPACE)
    chosen = st.navigation([*pages.values(), typed], position="top")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"Folder {chip(shell.folder.path, 400)}")
        st.toggle("Live", value=True, key="live", help="Look again every few seconds and redraw when a log has grown.")
    chosen.run()


def _page(view: Callable[[Shell], None], shell: Shell) -> Callable[[], None]:
    """The view as a function without parameters, which is what Streamlit's pages are."""

    def page() -> None:
        view(shell)

    return page


def _go(page: Any, query: dict[str, Any]) -> None:
    st.switch_page(page, query_params=query)


def _query() -> dict[str, Any]:
    return {name: st.query_params.get_all(name) for name in st.query_params}


def _open_folder(path: str) -> Folder:
    return Folder(Path(path), on_disk=True)


_folder = st.cache_resource(_open_folder, show_spinner=False)


@dataclass(frozen=True)
class Seen:
    """What a page was drawn from: the state of these runs' files (None: of all runs), and how long the look took."""

    run_ids: Collection[str] | None
    stamps: Stamps
    seconds: float


def look(folder: Folder, run_ids: Collection[str] | None = None) -> Seen:
    """The state of the runs' files now; to be taken before they are read."""
    started = time.perf_counter()
    stamps = folder.stamps(run_ids)
    return Seen(run_ids, stamps, time.perf_counter() - started)


def follow(folder: Folder, seen: Seen, cost: float = 0.0) -> None:
    """Look again every few seconds while Live is on, and draw the page again when the files have changed.

    A folder that takes long to look at, or a page that took ``cost`` seconds, is looked at less often. Verdicts that
    are still being found are shown as they come, Live or not.
    """
    waiting = folder.waiting() if seen.run_ids is None else 0
    live = st.session_state.get("live", True)
    if not live and not waiting:
        return
    first = True

    def again() -> None:
        nonlocal first
        news = waiting and folder.waiting() != waiting
        if not first and (news or (live and folder.stamps(seen.run_ids) != seen.stamps)):
            st.rerun()
        first = False

    calm = max(LOOK_EVERY, (seen.seconds + cost) / MOST_EFFORT)
    st.fragment(again, run_every=FILL_EVERY if waiting else calm)()


def nothing_here(folder: Folder) -> None:
    """The page for a folder without a run: what was looked for, and how to get one."""
    if not folder.path.exists():
        st.warning(f"{chip(folder.path, 400)} does not exist any more.", icon=":material/folder_open:")
    else:
        st.info("No training log at or below this folder yet.", icon=":material/folder_open:")
    st.markdown(
        "The inspector reads what the Hugging Face `Trainer` and TRL leave behind (`trainer_state.json`, TensorBoard "
        "event files) and tables (CSV, JSON lines). To get a first run:"
    )
    st.code("tuner init sft\ntuner study sft.yaml\ntuner inspect runs", language="bash")
    if find_studies(folder.root):
        st.markdown("There is a study here, though: see the Study page.")


def is_dark() -> bool:
    """Whether the reader's page is dark, as far as the browser has said."""
    return bool(st.context.theme.type == "dark")
