"""What every page shares: the opened folder, the way to other pages, and being drawn again when files change."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import streamlit as st

from diagnostics.readers.file_state import FileStates
from tuner.inspector.escape import chip
from tuner.inspector.runs.folder import Folder
from tuner.inspector.study.read import find_studies

CHECK_EVERY = 3.0  # seconds
FILL_EVERY = 1.0  # seconds, while verdicts come in
MAX_CHECKING_SHARE = 0.05  # of the time, which a large folder may take to check


@dataclass(frozen=True)
class PageContext:
    """What a page gets: the folder, the ways to other pages, and whether it may start runs.

    ``go(page, **parameters)`` opens another page, ``link(page, label, **parameters)`` draws a link to it.
    ``has_arrived`` is whether the reader comes from another page.
    ``with_token`` says that the server starts runs, for whoever has its token.
    """

    folder: Folder
    go: Callable[..., None]
    link: Callable[..., Any]
    may_run: bool = False
    has_arrived: bool = False
    with_token: bool = False

    @property
    def how_to_run(self) -> str:
        """How the reader gets pages that start runs."""
        if self.with_token:
            return "open the address with `?token=` that the terminal shows, where the inspector was started."
        return "open the inspector with `tuner inspect PATH --allow-run`."


@dataclass(frozen=True)
class Snapshot:
    """What a page was drawn from: the state of these runs' files (None: of all runs), and how long the check took."""

    run_ids: Collection[str] | None
    files: FileStates
    seconds: float


def look(folder: Folder, run_ids: Collection[str] | None = None) -> Snapshot:
    """The state of the runs' files now; to be taken before they are read."""
    started = time.perf_counter()
    files = folder.file_states(run_ids)
    return Snapshot(run_ids, files, time.perf_counter() - started)


def follow(folder: Folder, seen: Snapshot, cost: float = 0.0) -> None:
    """Check every few seconds while Live is on, and draw the page again when the files have changed.

    A folder that takes long to check, or a page that took ``cost`` seconds, is checked less often. Verdicts that are
    still to come are shown as they come, Live or not.
    """
    waiting = folder.waiting() if seen.run_ids is None else 0
    live = st.session_state.get("live", True)
    if not live and not waiting:
        return
    first = True

    def again() -> None:
        nonlocal first
        news = waiting and folder.waiting() != waiting
        if not first and (news or (live and folder.file_states(seen.run_ids) != seen.files)):
            st.rerun()
        first = False

    interval = max(CHECK_EVERY, (seen.seconds + cost) / MAX_CHECKING_SHARE)
    st.fragment(again, run_every=FILL_EVERY if waiting else interval)()


def nothing_here(folder: Folder) -> None:
    """The page for a folder without a run: what the inspector reads, and how to get a run."""
    if not folder.path.exists():
        st.warning(f"{chip(folder.path, 400)} no longer exists.", icon=":material/folder_open:")
    else:
        st.info("No training log at or below this folder yet.", icon=":material/folder_open:")
    st.markdown(
        "The inspector reads what the Hugging Face `Trainer` and TRL write (`trainer_state.json`, TensorBoard "
        "event files) and tables (CSV, JSON lines). To get a first run:"
    )
    st.code("tuner init sft\ntuner study sft.yaml\ntuner inspect runs", language="bash")
    if find_studies(folder.root):
        st.markdown("There is a study here, though: see the Study page.")


def is_dark() -> bool:
    """Whether the reader's page is dark, as far as the browser has said."""
    return bool(st.context.theme.type == "dark")
