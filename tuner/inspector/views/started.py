"""What was started from the page: its state, its live curve, its last lines, and the way to stop it."""

from __future__ import annotations

import streamlit as st

from diagnostics.errors import BadInput
from diagnostics.formatting import duration, number
from tuner.inspector.escape import chip, one_line, plain
from tuner.inspector.jobs.record import Job, State, job, jobs, kill, last_lines, stop
from tuner.inspector.jobs.start import resume
from tuner.inspector.runs.folder import HERE, latest, seconds_since
from tuner.inspector.views.context import PageContext
from tuner.inspector.views.current import REFRESH_EVERY, current_curve, folder_of
from tuner.study.folder import RESULT
from tuner.study.stored import NoStudy, load_study

STATES = {
    State.RUNNING: ":blue-badge[▶ running]",
    State.STOPPING: ":orange-badge[◼ stopping]",
    State.FINISHED: ":green-badge[✓ finished]",
    State.STOPPED: ":gray-badge[◼ stopped]",
    State.FAILED: ":red-badge[✕ failed]",
}
HOW_TO_START = (
    "Runs are started from an advice on the **Run** page or from a review on the **Study** page, once the inspector is "
    "opened with:"
)


def page(context: PageContext) -> None:
    """The page of the runs that were started from here."""
    root = context.folder.root
    found = {one.name: one for one in jobs(root)}
    if not context.may_run:
        st.info(f"Starting and stopping runs is off: to turn it on, {context.how_to_run}", icon=":material/lock:")
    if not found:
        st.markdown("Nothing was started from here yet. " + HOW_TO_START)
        st.code("tuner inspect PATH --allow-run", language="bash")
        return
    requested = st.query_params.get("job")
    if requested is not None and requested not in found:
        st.warning(f"Nothing called {chip(requested)} was started in this folder.")
    names = list(found)
    chosen = st.selectbox(
        "Started run", names, index=names.index(requested) if requested in found else 0, format_func=one_line
    )
    if chosen != requested:
        st.query_params["job"] = chosen
    before = found[chosen]
    live = before.is_on and st.session_state.get("live", True)
    st.fragment(lambda: _job(context, before), run_every=REFRESH_EVERY if live else None)()


def _job(context: PageContext, before: Job) -> None:
    """The state of the run; the page is drawn again when it has changed."""
    known = job(context.folder.root, before.folder)
    if known is None or known.state is not before.state:
        st.rerun()
        return
    st.markdown(f"{STATES[known.state]} `tuner {known.kind}` {chip(known.file.name)} :gray[{plain(_since(known))}]")
    left, right = st.columns([0.62, 0.38], gap="medium")
    folder = folder_of(str(known.folder))
    with left:
        run_id = latest(folder)
        current_curve(folder, run_id, "live-curve")
    with right:
        _actions(context, known, run_id)
        _words(known)


def _since(known: Job) -> str:
    """For how long it runs, or ran."""
    if known.is_on or known.ended is None:
        return f"began {duration(seconds_since(known.began))} ago"
    return f"after {duration(max(0.0, known.ended - known.began))}, {duration(seconds_since(known.ended))} ago"


def _actions(context: PageContext, known: Job, run_id: str | None) -> None:
    with st.container(horizontal=True):
        if context.may_run:
            _switch(context, known)
        if run_id is not None and st.button("Open run", key="open-started"):
            context.go("run", run=known.name if run_id == HERE else f"{known.name}/{run_id}")
        if known.kind == "study" and (known.folder / RESULT).exists() and st.button("Open study", key="open-study"):
            context.go("study", study=known.name)


def _switch(context: PageContext, known: Job) -> None:
    """Stop a run that is on; resume one that was stopped or has failed."""
    if known.state is State.RUNNING and st.button("Stop", icon=":material/stop:", key="stop", help=STOPPING):
        stop(known)
        st.rerun()
    if known.state is State.STOPPING and st.button("Kill", icon=":material/close:", key="kill"):
        kill(known)
        st.rerun()
    if known.state in (State.STOPPED, State.FAILED) and st.button("Resume", icon=":material/play_arrow:", key="resume"):
        try:
            resume(context.folder.root, known)
        except (BadInput, OSError) as error:
            st.error(plain(error))
        else:
            st.rerun()


STOPPING = (
    "It saves a checkpoint after its step and ends; half a minute later it is killed. It can be resumed afterwards."
)


def _words(known: Job) -> None:
    """What a study has found so far, and the last lines that were printed."""
    if known.kind == "study" and (known.folder / RESULT).exists():
        try:
            study = load_study(known.folder / RESULT)
        except NoStudy:  # it is being written
            study = None
        if study is not None and study.winner is not None:
            best = f"best {study.metric} {number(study.winner.value)} in trial {study.best}"
            st.markdown(plain(f"{len(study.trials)} trials so far, {best}"))
    lines = last_lines(known)
    if lines:
        st.code(lines, language=None, wrap_lines=True, height=320 if lines.count("\n") > 10 else "content")
    else:
        st.caption("No output yet.")
    end = "Continues when this page or the inspector is closed. " if known.is_on else ""
    if known.state is State.FAILED and known.status is None:
        end = "It ended without a message: it was killed, or the machine was restarted. "
    st.caption(f"{end}Its log is {chip(known.log.relative_to(known.folder.parent), 200)}.")
