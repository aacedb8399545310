"""A study: its trials with who proposed each and why, what the search learned, and the review across trials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pandas as pd
import streamlit as st

from diagnostics.formatting import duration, number, percent
from diagnostics.readers.file_state import file_state, written
from tuner.inspector.escape import file_name, one_line, plain
from tuner.inspector.runs.folder import Folder, latest, seconds_since
from tuner.inspector.study.read import beginning, find_studies, report, trial_rows
from tuner.inspector.views.context import CHECK_EVERY, PageContext
from tuner.inspector.views.current import REFRESH_EVERY, current_curve, folder_of
from tuner.inspector.views.study_answers import answers
from tuner.inspector.views.study_charts import charts, more_charts, price
from tuner.inspector.views.study_charts import path as path_of_search
from tuner.inspector.views.study_words import learned
from tuner.messages import text
from tuner.study.folder import HTML_REPORT, MARKDOWN_REPORT, RESULT
from tuner.study.results import StudyResult, TrialState
from tuner.study.stored import NoStudy, load_study
from tuner.study.words import direction_words, ending, gain_words

OPEN, CLICKED = "open", "clicked-trial"
MAX_SILENCE = 600.0
"""Seconds: a run that was written more recently, and after the study's result, is being trained."""


DOWNLOADS = {
    "report.html": "HTML report",
    "report.md": "Markdown",
    "config.yaml": "config.yaml",
    "trainer.yaml": "trainer.yaml",
}
"""Files of a trial to save, as far as it has them."""


def page(context: PageContext) -> None:
    """The page of a study."""
    root = context.folder.root
    found, begun = find_studies(root), beginning(root)
    if not found and not begun:
        st.info(
            "No study in this folder: `tuner study FILE` leaves a `study.json` beside its trials.",
            icon=":material/search:",
        )
        _follow(lambda: (len(find_studies(root)), len(beginning(root))))
        return
    name = _chosen([*found, *begun])
    if name in begun:
        st.info("This study has begun; its result comes with the first trial that ends.", icon=":material/hourglass:")
        _at_work(begun[name], 0.0)
        _follow(lambda: _changed(begun[name] / RESULT))
        return
    seen = _changed(found[name])
    try:
        with st.spinner("Reading the study…"):
            study = load_study(found[name])
    except NoStudy as error:
        st.error(plain(error))
        _follow(lambda: _changed(found[name]), seen)
        return
    _summary(study, found[name])
    _at_work(found[name].parent, seen / 1e9)
    path_of_search(study)
    charts(study)
    price(study)
    answers(study, found[name])
    _trials(context, study, found[name])
    more_charts(study)
    learned(context, study, found[name])
    _follow(lambda: _changed(found[name]), seen)


def _chosen(names: list[str]) -> str:
    requested = st.query_params.get("study")
    name: str = st.selectbox(
        "Study", names, index=names.index(requested) if requested in names else 0, format_func=one_line
    )
    if name != requested and (requested is not None or name != names[0]):
        st.query_params["study"] = name
    return name


def _follow(state: Callable[[], object], seen: object = None) -> None:
    """Draw the page again when ``state()`` is no longer what was ``seen`` (default: as now), while Live is on."""
    if not st.session_state.get("live", True):
        return
    before = state() if seen is None else seen

    def look() -> None:
        if state() != before:
            st.rerun()

    st.fragment(look, run_every=CHECK_EVERY)()


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _at_work(folder: Path, result_written: float) -> None:
    """The trial or repeat that is being trained, if one is: the run that was written after the study's result."""
    inner = folder_of(str(folder))

    def look() -> None:
        run_id = latest(inner)
        since = written(file_state(inner.runs()[run_id])) if run_id is not None and run_id in inner.runs() else 0.0
        if run_id is None and not result_written:
            current_curve(inner, None, "at-work")
        elif since > result_written and seconds_since(since) < MAX_SILENCE:
            st.markdown("#### Being trained")
            current_curve(inner, run_id, "at-work")

    st.fragment(look, run_every=REFRESH_EVERY if st.session_state.get("live", True) else None)()


def _summary(study: StudyResult, path: Path) -> None:
    done = sum(trial.state is TrialState.COMPLETE for trial in study.trials)
    start, best = study.baseline, study.winner
    goal = f"{study.method.upper()}, {study.metric} ({direction_words(study.direction)})"
    st.caption(plain(f"{goal}; {done} of {len(study.trials)} trials ran to their end"))
    with st.container(horizontal=True):
        st.metric("Your file", number(start.value if start else None))
        change = _change(study)
        st.metric(
            "Best", number(best.value if best else None), change, delta_color="off" if change is None else "green"
        )
        st.metric("Best trial", number(study.best))
        st.metric("Time", duration(study.seconds) if study.seconds else "–")
    if study.gain is not None:
        show = st.success if study.gain.claimed else st.info
        show(plain(gain_words(study.gain, study.metric, study.direction)))
    for note in study.notes:
        st.caption(plain(text(note)))
    _downloads(path, "", {HTML_REPORT: "HTML report", MARKDOWN_REPORT: "Markdown", RESULT: "JSON"})


def _change(study: StudyResult) -> str | None:
    start, best = study.baseline, study.winner
    if start is None or best is None or start.value is None or best.value is None or not start.value:
        return None
    share = (best.value - start.value) / abs(start.value)
    return percent(share) if share else None


def _downloads(path: Path, folder: str, names: Mapping[str, str]) -> None:
    with st.container(horizontal=True):
        for name, words in names.items():
            content = report(path, folder, name)
            if content is not None:
                label = f"{folder}/{name}" if folder else name
                st.download_button(words, content, file_name(label, ""), key=f"download-{label}", on_click="ignore")


def _trials(context: PageContext, study: StudyResult, path: Path) -> None:
    st.markdown("#### Trials")
    runs = {trial.number: _run_id(context.folder, path, trial.folder) for trial in study.trials}
    rows = [{**row, OPEN: "Open" if runs[row["trial"]] is not None else None} for row in trial_rows(study)]
    config = st.column_config
    event = st.dataframe(
        pd.DataFrame(rows),
        key="trials",
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        placeholder="–",
        height=min(38 + 35 * len(rows), 600),
        column_order=["trial", OPEN, *(name for name in rows[0] if name not in ("trial", OPEN))] if rows else None,
        column_config={
            "trial": config.NumberColumn(width=50, pinned=True),
            OPEN: config.ButtonColumn("run", width=60, type="tertiary", key=CLICKED),
            study.metric: config.NumberColumn(format="%.4g"),
            "cause": config.TextColumn(width=150),
            "moved": config.TextColumn(width=270),
            "why": config.TextColumn(width=360),
            "curve": config.LineChartColumn("over the run", width="small"),
        },
    )
    click = st.session_state.get(CLICKED)
    clicked = runs[rows[click["row"]]["trial"]] if click and click["row"] < len(rows) else None
    if clicked is not None:
        context.go("run", run=clicked)
    if not event.selection.rows or event.selection.rows[0] >= len(rows):
        st.caption("Click Open to see a trial's run. Tick a trial for the reason it was tried, and its reports.")
        return
    trial = study.trial(rows[event.selection.rows[0]]["trial"])
    if trial is None:
        return
    st.markdown(f"Trial {trial.number}: {plain(text(trial.because) or ending(trial) or 'no reason was recorded')}")
    run_id = runs[trial.number]
    if run_id is not None and st.button("Open run", type="primary", key="open-trial"):
        context.go("run", run=run_id)
    _downloads(path, trial.folder, DOWNLOADS)


def _run_id(folder: Folder, path: Path, trial_folder: str) -> str | None:
    """The id of a trial's run, None when the folder holds no such run."""
    if not trial_folder:
        return None
    where = path.parent / trial_folder
    return next((run_id for run_id, found in folder.runs().items() if found == where), None)
