"""Several runs on one axis, and what was different about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import streamlit as st

from diagnostics.chart.model import is_eval
from diagnostics.chart.smoothing import default_weight
from diagnostics.messages import filled
from tuner.inspector.chart.comparison import MAX_RUNS, differences, shared_axes, shared_curves, verdict_rows
from tuner.inspector.chart.export import as_long_csv, as_page
from tuner.inspector.chart.legend import legend_names
from tuner.inspector.chart.overlay import averaged, difference, overlay, reach
from tuner.inspector.chart.panels import points_caption
from tuner.inspector.chart.seed_groups import BANDS, groups
from tuner.inspector.chart.series import View
from tuner.inspector.escape import chip, one_line, plain
from tuner.inspector.runs.folder import Folder, Opened, Unreadable
from tuner.inspector.views.context import PageContext, follow, look, nothing_here
from tuner.inspector.views.controls import LINK, part, view_controls
from tuner.inspector.views.overlaid import overlaid
from tuner.inspector.views.run_table import CHOSEN

RUNS, MEANS, DIFFERENCE = "Each run", "Mean and band", "Difference"
SHOWN = (RUNS, MEANS, DIFFERENCE)


def page(context: PageContext) -> None:
    """The page that lays runs over each other."""
    runs = context.folder.runs()
    if not runs:
        nothing_here(context.folder)
        return
    chosen = _chosen(context.folder, runs)
    seen = look(context.folder, chosen)
    with st.spinner(f"Reading {len(chosen)} runs…"):
        opened = _opened(context.folder, chosen, runs)
    if len(opened) < 2:
        st.info("Choose two runs or more, here or by ticking them on the Runs page.")
    else:
        _comparison(opened)
    follow(context.folder, seen)


def _chosen(folder: Folder, runs: Mapping[str, Path]) -> list[str]:
    requested = st.query_params.get_all("run")
    gone = [run_id for run_id in requested if run_id not in runs]
    if gone:
        st.warning(f"Not in this folder: {', '.join(chip(run_id) for run_id in gone[:MAX_RUNS])}")
    ticked = requested or st.session_state.get(CHOSEN, ())
    start = [run_id for run_id in dict.fromkeys(ticked) if run_id in runs][:MAX_RUNS]
    chosen: list[str] = st.multiselect(
        "Runs",
        list(runs),
        default=start,
        format_func=lambda run_id: one_line(folder.name(run_id)),
        max_selections=MAX_RUNS,
        placeholder=f"Choose up to {MAX_RUNS} runs",
    )
    if chosen != requested:
        st.query_params["run"] = chosen
    return chosen


def _opened(folder: Folder, chosen: Sequence[str], runs: Mapping[str, Path]) -> list[Opened]:
    """The runs that can be read; the others are named with the reason."""
    found = []
    for run_id in chosen:
        opened = folder.open(run_id, runs)
        if isinstance(opened, Opened):
            found.append(opened)
        elif isinstance(opened, Unreadable):
            st.warning(f"{chip(opened.name)} could not be read: {plain(opened.why)}")
    return found


def _comparison(opened: Sequence[Opened]) -> None:
    names = shared_curves(opened)
    if not names:
        st.info("None of these logs holds a curve with a finite value.")
        _settings(opened)
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        curve = st.selectbox("Curve", names, key="compare-curve", format_func=one_line, width=320, bind=LINK)
        shown = st.segmented_control("Show", SHOWN, default=RUNS, key="compare-show", bind=LINK, required=True)
        band = BANDS[0]
        if shown == MEANS:
            band = st.selectbox("Band", BANDS, key="compare-band", width=200, bind=LINK)
        baseline = _baseline(opened)
        smoothing = 0.0 if is_eval(curve) else max(default_weight(one.run) for one in opened)
        with st.popover("View", key="compare-view"):
            view = view_controls(shared_axes(opened), smoothing, "compare")
            if view.x != "clock":
                view = replace(view, between=part(reach(opened, curve, view.x), view.x, "compare"))
    if shown == MEANS:
        _means(opened, curve, view, band)
    elif shown == DIFFERENCE:
        _difference(opened, curve, view, baseline)
    else:
        _overlay(opened, curve, view)
    _standing(opened, curve, baseline)
    _settings(opened)
    _take_away(opened)


def _baseline(opened: Sequence[Opened]) -> int:
    """The place of the run that the others are measured against: the one of the address, else the first."""
    requested = st.query_params.get("baseline")
    ids = [one.id for one in opened]
    legend = legend_names(opened)
    place = st.selectbox(
        "Baseline",
        range(len(ids)),
        index=ids.index(requested) if requested in ids else 0,
        format_func=lambda place: legend[place],
        key="baseline",
        width=280,
        help="Differences are those to this run.",
    )
    if ids[place] != requested and (place or requested is not None):
        st.query_params["baseline"] = ids[place]
    return int(place)


def _overlay(opened: Sequence[Opened], name: str, view: View) -> None:
    missing = [one_line(o.name, 60) for o in opened if name not in o.run.curves]
    without = f"Without this curve: {', '.join(missing)}." if missing else ""
    overlaid(
        opened,
        name,
        view,
        lambda seen: overlay(opened, name, seen),
        lambda data: " ".join(filter(None, (points_caption(data.chart, view), without))),
    )


def _means(opened: Sequence[Opened], name: str, view: View, band: str) -> None:
    found = groups(opened)
    many = sum(len(group.places) > 1 for group in found)
    counted = filled("{count:plural:group|groups}", {"count": len(found)})
    words = f"{len(opened)} runs in {counted}, {many} of them with more than one run. "
    words += "The runs of a group differ only in the seed. "
    words += f"The line is the mean, the band {_band_words(band)}, as far as all runs of a group reach."
    overlaid(opened, name, view, lambda seen: averaged(opened, name, seen, band), lambda _: words, kind=f"mean, {band}")


def _band_words(band: str) -> str:
    return "goes from the lowest to the highest" if band == BANDS[0] else "is one standard deviation wide each way"


def _difference(opened: Sequence[Opened], name: str, view: View, baseline: int) -> None:
    legend = legend_names(opened)[baseline]
    words = f"{name} minus that of {legend} at the same place, as far as both reach. Below 0 is lower."
    overlaid(
        opened,
        name,
        replace(view, log_y=False),  # a difference can be negative
        lambda seen: difference(opened, baseline, name, seen),
        lambda _: words,
        kind=f"to {opened[baseline].id}",
        zero=True,
    )


def _standing(opened: Sequence[Opened], curve: str, baseline: int) -> None:
    st.markdown("#### Verdicts and differences")
    config = st.column_config
    widths = {"run": config.TextColumn(pinned=True), "cause": config.TextColumn(width=165)}
    st.dataframe(pd.DataFrame(verdict_rows(opened, curve, baseline)), hide_index=True, column_config=widths)


def _settings(opened: Sequence[Opened]) -> None:
    st.markdown("#### Settings that differ")
    found = differences(opened)
    if found:
        columns = legend_names(opened)
        cells = {column: [d.texts()[place] for d in found] for place, column in enumerate(columns)}
        table = pd.DataFrame({"setting": [d.name for d in found], **cells})
        st.dataframe(table, hide_index=True, column_config={"setting": st.column_config.TextColumn(pinned=True)})
    else:
        st.caption("None: as far as their logs show, these runs have the same settings.")


def _take_away(opened: Sequence[Opened]) -> None:
    with st.container(horizontal=True):
        st.download_button(
            "CSV", lambda: as_long_csv(opened), "comparison.csv", "text/csv", key="compare-csv", on_click="ignore"
        )
        st.download_button(
            "HTML report",
            lambda: as_page(opened),
            "comparison.html",
            "text/html",
            key="compare-html",
            on_click="ignore",
        )
