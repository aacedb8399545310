"""A study: its trials with who proposed each and why, what the search learned, and the review across trials."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from diagnostics.wording import duration, number, percent, plain_name
from tuner.inspector.folder import Folder
from tuner.inspector.trial_drawing import against_chart, progress_chart
from tuner.inspector.trials import (
    NoStudy,
    against,
    find_studies,
    load_study,
    numeric_knobs,
    progress,
    report,
    trial_rows,
)
from tuner.inspector.views.shell import LOOK_EVERY, Shell, is_dark
from tuner.inspector.words import chip, file_name, one_line, plain
from tuner.study.results import StudyResult, describe


def page(shell: Shell) -> None:
    """The page of a study."""
    found = find_studies(shell.folder.root)
    if not found:
        st.info(
            "No study in this folder: `tuner study FILE` leaves a `study.json` beside its trials.",
            icon=":material/search:",
        )
        return
    asked = st.query_params.get("study")
    names = list(found)
    name = st.selectbox("Study", names, index=names.index(asked) if asked in found else 0, format_func=one_line)
    try:
        study = load_study(found[name])
    except NoStudy as error:
        st.error(plain(error))
        return
    _summary(study, found[name])
    _charts(study)
    _trials(shell, study, found[name])
    _learned(study)
    _follow(shell.folder, found[name])


def _follow(folder: Folder, path: Path) -> None:
    """Draw the study again when its file has changed, while Live is on."""
    if not st.session_state.get("live", True):
        return
    seen = _changed(path)

    def look() -> None:
        if _changed(path) != seen:
            st.rerun()

    st.fragment(look, run_every=LOOK_EVERY)()


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _summary(study: StudyResult, path: Path) -> None:
    done = sum(trial.state == "complete" for trial in study.trials)
    start, best = study.baseline, study.winner
    st.caption(
        plain(f"{study.method}, {study.metric} to {study.direction}; {done} of {len(study.trials)} trials complete")
    )
    with st.container(horizontal=True):
        st.metric("Your file", number(start.value if start else None))
        change = _change(study)
        st.metric(
            "Best", number(best.value if best else None), change, delta_color="off" if change is None else "green"
        )
        st.metric("Best trial", number(study.best))
        st.metric("Time", duration(study.seconds) if study.seconds else "–")
    if study.gain is not None:
        say = st.success if study.gain.claimed else st.info
        say(plain(study.gain.message))
    for note in study.notes:
        st.caption(plain(note))
    _downloads(path, "", ("study.html", "study.md", "study.json"))


def _change(study: StudyResult) -> str | None:
    start, best = study.baseline, study.winner
    if start is None or best is None or start.value is None or best.value is None or not start.value:
        return None
    share = (best.value - start.value) / abs(start.value)
    return percent(share) if share else None


def _downloads(path: Path, folder: str, names: tuple[str, ...]) -> None:
    with st.container(horizontal=True):
        for name in names:
            content = report(path, folder, name)
            if content is not None:
                label = f"{folder}/{name}" if folder else name
                st.download_button(
                    plain(name), content, file_name(label, ""), key=f"download-{label}", on_click="ignore"
                )


def _charts(study: StudyResult) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("#### Best so far")
        st.altair_chart(progress_chart(progress(study), study.metric, dark=is_dark()), key="best-so-far")
    with right:
        st.markdown("#### A setting against the metric")
        knobs = numeric_knobs(study)
        if not knobs:
            st.caption("No setting has taken two different numbers yet.")
            return
        knob = st.selectbox("Setting", knobs, format_func=one_line, label_visibility="collapsed")
        st.altair_chart(against_chart(against(study, knob), knob, study.metric, dark=is_dark()), key="against")


def _trials(shell: Shell, study: StudyResult, path: Path) -> None:
    st.markdown("#### Trials")
    rows = trial_rows(study)
    config = st.column_config
    event = st.dataframe(
        pd.DataFrame(rows),
        key="trials",
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        placeholder="–",
        column_config={
            "trial": config.NumberColumn(width="small", pinned=True),
            study.metric: config.NumberColumn(format="%.4g"),
            "curve": config.LineChartColumn("over the run", width="small"),
        },
    )
    if not event.selection.rows or event.selection.rows[0] >= len(rows):
        st.caption("Tick a trial for its reports.")
        return
    trial = study.trial(rows[event.selection.rows[0]]["trial"])
    if trial is None:
        return
    st.markdown(f"Trial {trial.number}: {plain(trial.because or 'nobody said why')}")
    run_id = _run_id(shell.folder, path, trial.folder)
    if run_id is not None and st.button("Open run", type="primary", key="open-trial"):
        shell.go("run", run=run_id)
    _downloads(path, trial.folder, ("report.html", "report.md", "config.yaml"))


def _run_id(folder: Folder, path: Path, trial_folder: str) -> str | None:
    """The id of a trial's run, None when the folder holds no such run."""
    if not trial_folder:
        return None
    where = path.parent / trial_folder
    return next((run_id for run_id, found in folder.runs().items() if found == where), None)


def _learned(study: StudyResult) -> None:
    if study.records:
        st.markdown("#### How the advice did")
        st.dataframe(
            {
                "rule": [plain_name(record.rule) for record in study.records],
                "advised": [record.advised for record in study.records],
                "helped": [record.helped for record in study.records],
                "hurt": [record.hurt for record in study.records],
                "within noise": [record.even for record in study.records],
            },
            hide_index=True,
        )
    if study.review:
        st.markdown("#### Review")
    for paragraph in study.review:
        st.markdown(f"**{plain(paragraph.title)}**")
        st.markdown(plain(paragraph.text, 4000))
        if paragraph.yaml:
            st.code(paragraph.yaml, language="yaml")
    with st.expander("What was searched"):
        for knob, span in study.space.items():
            st.markdown(f"- {chip(knob)} {plain(describe(span))}")
