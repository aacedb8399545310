"""One run: its curves with the findings on them, the diagnosis beside, and the next run made of the advice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import streamlit as st

from diagnostics.verdict import Advice
from diagnostics.wording import duration, setting, times
from tuner.inspector.comparison import shared_curves
from tuner.inspector.drawing import curve_chart
from tuner.inspector.export import as_csv, as_page
from tuner.inspector.figure import LOSSES, axes, extent, figure, usual_smoothing
from tuner.inspector.folder import Folder, Opened, Unreadable, seconds_since
from tuner.inspector.recipe import as_yaml, from_old, next_config, numeric, own_config, study_block
from tuner.inspector.views.controls import counted, view_controls, zoom
from tuner.inspector.views.runs import CHOSEN
from tuner.inspector.views.shell import Shell, follow, is_dark, look, nothing_here
from tuner.inspector.views.verdict import details, headline
from tuner.inspector.words import chip, file_name, one_line, plain


def page(shell: Shell) -> None:
    """The page of one run."""
    runs = shell.folder.runs()
    if not runs:
        nothing_here(shell.folder)
        return
    run_id = _chosen(shell.folder, runs)
    seen = look(shell.folder, [run_id] if run_id is not None else [])
    opened = shell.folder.open(run_id, runs) if run_id is not None else None
    if opened is None:
        st.info("Choose a run above.")
    elif isinstance(opened, Unreadable):
        _unreadable(opened)
    else:
        _run(opened)
    follow(shell.folder, seen)


def _chosen(folder: Folder, runs: Mapping[str, Path]) -> str | None:
    """The run of the address, else the one that was ticked last, else the first; the reader can take another."""
    ids = list(runs)
    asked = st.query_params.get("run")
    if asked is not None and asked not in runs:
        st.warning(f"There is no run called {chip(asked)} in this folder. It may have been moved or deleted.")
    ticked = next((run_id for run_id in st.session_state.get(CHOSEN, ()) if run_id in runs), None)
    start = asked if asked in runs else None if asked is not None else ticked or ids[0]
    chosen: str | None = st.selectbox(
        "Run",
        ids,
        index=ids.index(start) if start is not None else None,
        format_func=lambda run_id: one_line(folder.name(run_id)),
        placeholder="Choose a run",
    )
    if chosen is not None and chosen != asked:
        st.query_params["run"] = chosen
    return chosen


def _unreadable(opened: Unreadable) -> None:
    st.error(f"{chip(opened.name)} could not be read.", icon=":material/error:")
    st.markdown(plain(opened.why))
    st.markdown(
        "The file may still be being written, cut off, or of another kind. The other runs are not touched by it."
    )


def _run(opened: Opened) -> None:
    headline(opened.diagnosis)
    left, right = st.columns([0.62, 0.38], gap="medium")
    with left:
        _curves(opened)
        _next_run(opened)
    with right:
        details(opened.diagnosis)
        _facts(opened)


def _curves(opened: Opened) -> None:
    names = shared_curves([opened])
    if not names:
        st.info("This log holds no curve with a finite value.")
        return
    usual = [name for name in LOSSES if name in names] or names[:1]
    shown = st.multiselect("Curves", names, default=usual, key=f"curves-{opened.id}") or usual
    view = view_controls(axes(opened.run), usual_smoothing(opened.run), "run")
    view = replace(view, between=zoom(extent(opened.run, view.x, shown), view.x, f"part-{opened.id}"))
    picture = figure(opened.run, opened.chart, shown, view)
    if picture.shown:
        st.altair_chart(curve_chart(picture, view, dark=is_dark()), key="curve-chart")
    else:
        st.info("No point lies in this part of the axis. A log axis shows only values above 0.")
    st.caption(plain(counted(picture)))
    with st.container(horizontal=True):
        st.download_button(
            "CSV", lambda: as_csv(opened.run), file_name(opened.id, ".csv"), "text/csv", key="csv", on_click="ignore"
        )
        st.download_button(
            "HTML report",
            lambda: as_page([opened]),
            file_name(opened.id, ".html"),
            "text/html",
            key="html",
            on_click="ignore",
        )


def _facts(opened: Opened) -> None:
    st.caption(f"Last written {duration(seconds_since(opened.written))} ago.")
    for note in opened.run.notes:
        st.caption(plain(note))
    known = opened.run.settings.known()
    with st.expander(f"Settings in the log: {len(known)}"):
        st.dataframe(
            {"setting": list(known), "value": [one_line(setting(knob, value)) for knob, value in known.items()]},
            hide_index=True,
        )


def _next_run(opened: Opened) -> None:
    """The file of the next run, with the advice that the reader leaves ticked."""
    offered = numeric(opened.diagnosis.advice)
    if not offered:
        return
    st.markdown("#### The next run")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        taken = st.multiselect(
            "Changes to make",
            [change.knob for change in offered],
            default=[offered[0].knob],
            key=f"changes-{opened.id}",
            help="One change at a time tells you which one helped.",
        )
        search = st.toggle("As a study", key="as-study", help="Add a `study:` block that searches around the advice.")
    changes = [told for change in offered if change.knob in taken and (told := _told(change, opened.id))]
    config = next_config(opened.run.settings, changes, own_config(opened.path))
    study = study_block(changes, trials=12) if search else None
    text = as_yaml(opened.name, config, changes, study)
    st.code(text, language="yaml")
    st.download_button(
        "Save as YAML", text, file_name(opened.id, ".next.yaml"), "text/yaml", key="yaml", on_click="ignore"
    )
    st.caption(f"Run it with `tuner {'study' if search else 'train'}` and the name of the file.")


def _told(change: Advice, run_id: str) -> Advice | None:
    """The advice with its new value; the reader is asked for the old one where the log does not say."""
    if change.new is not None:
        return change
    old = st.number_input(
        f"{change.knob} of this run, which the log does not tell",
        value=None,
        min_value=0.0,
        format="%g",
        placeholder=f"the advice is {times(change.factor)}",
        key=f"old-{change.knob}-{run_id}",
    )
    return from_old(change, float(old)) if old else None
