"""The charts of a study: the path of the search, how far it came, what mattered, and where the good settings lie."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from diagnostics.chart.markup import Markup
from diagnostics.chart.theme import CHART_SHEET, color_sheet
from tuner.inspector.escape import one_line
from tuner.inspector.study.axes import axes_of
from tuner.inspector.study.charts import (
    OVER,
    against_chart,
    gain_chart,
    importance_chart,
    price_chart,
    progress_chart,
)
from tuner.inspector.study.importance import importance
from tuner.inspector.study.landscape import is_log, landscape, placed
from tuner.inspector.study.landscape_chart import landscape_chart
from tuner.inspector.study.parallel import parallel_coordinates
from tuner.inspector.study.parallel_chart import parallel_coordinates_chart
from tuner.inspector.study.read import against, numeric_knobs, progress
from tuner.inspector.views.context import is_dark
from tuner.inspector.views.controls import LINK
from tuner.messages.en import PRICE, TITLES
from tuner.study.price import prices
from tuner.study.report.path_chart import path_chart
from tuner.study.report.path_gain import MIN_TRIALS_FOR_IMPORTANCE, gain_along_path
from tuner.study.report.rate_chart import rate_chart
from tuner.study.report.tables import price_limit
from tuner.study.report.words import report_phrase
from tuner.study.results import StudyResult

MAX_SLICES = 6
WIDE, NARROW = 1160, 380  # pixels of the path's drawing
MIN_TRIALS_FOR_MORE = 20
"""With fewer trials, charts of every setting show more empty space than trials."""


def path(study: StudyResult) -> None:
    """What the search expects over the rate, and its path: every trial with an arrow from the one it started from."""
    drawn = (("rate", rate_chart), ("path", path_chart))
    for name, chart in drawn:
        _drawn(name, {f"{name}-wide": chart(study, width=WIDE), f"{name}-narrow": chart(study, width=NARROW)})


def _drawn(name: str, drawings: Mapping[str, Markup | None]) -> None:
    """One chart of the report, for wide and for narrow windows; nothing where there is nothing to draw."""
    if any(drawing is None for drawing in drawings.values()):
        return
    st.markdown(f"#### {TITLES[name]}")
    style = f"<style>{color_sheet('svg')}{CHART_SHEET}</style>"
    for key, drawing in drawings.items():
        with st.container(key=key):
            st.image(str(drawing).replace(">", f">{style}", 1), width="stretch")
    st.caption(report_phrase(name))


def charts(study: StudyResult) -> None:
    """The best so far beside what each move gained."""
    left, right = st.columns(2, gap="medium")
    with left:
        _progress(study)
    with right:
        _mattered(study)
    off = len([trial for trial in study.trials if trial.value is not None]) - len(placed(study))
    if off:
        st.caption(f"{off} trials are so far off that they would flatten the others; these charts leave them out.")


def price(study: StudyResult) -> None:
    """What the trials reached against what they forgot for it, where that was watched."""
    shown = {trial.number for trial in placed(study)}
    points = [point for point in prices(study) if point.trial.number in shown]
    if len(points) < 2:
        return
    st.markdown(f"#### {PRICE['title']}")
    st.altair_chart(price_chart(points, study, log=is_log(study), dark=is_dark()), key="price")
    st.caption(f"{PRICE['words']} {price_limit(study)}")


def more_charts(study: StudyResult) -> None:
    """Charts of every setting, folded away, once there are enough trials to fill them."""
    if len(placed(study)) < MIN_TRIALS_FOR_MORE:
        return
    with st.expander("More charts"):
        _slices(study)
        left, right = st.columns(2, gap="medium")
        with left:
            _two(study)
        with right:
            _all(study)


def _progress(study: StudyResult) -> None:
    st.markdown("#### Best so far")
    over = st.segmented_control(
        "Over", list(OVER), default="trials", key="study-over", bind=LINK, required=True, label_visibility="collapsed"
    )
    shown = {trial.number for trial in placed(study)}
    steps = [step for step in progress(study) if step.trial in shown or step.value is None]
    chart = progress_chart(steps, study.metric, over or "trials", log=is_log(study), dark=is_dark())
    st.altair_chart(chart, key="best-so-far")


def _mattered(study: StudyResult) -> None:
    st.markdown("#### What mattered")
    shares = importance(study) if len(placed(study)) >= MIN_TRIALS_FOR_IMPORTANCE else None
    if shares is not None:
        st.altair_chart(importance_chart(shares, dark=is_dark()), key="importance")
        st.caption("Optuna's importance (PED-ANOVA): the settings in which the best trials differ from the rest.")
        return
    steps = gain_along_path(study)
    if not steps:
        st.caption("Known once a trial is better than your file.")
        return
    st.altair_chart(gain_chart(steps, study.metric, log=is_log(study), dark=is_dark()), key="gain")
    st.caption("Each move on the way from your file to the best trial: the metric before and after it, as measured.")


def _slices(study: StudyResult) -> None:
    st.markdown("##### Each setting against the metric")
    names = numeric_knobs(study)[:MAX_SLICES]
    if not names:
        st.caption("No setting has taken two different numbers yet.")
        return
    shown = {trial.number for trial in placed(study)}
    st.caption("Colors and shapes are those of “Best so far”; point at a mark to read it.")
    for start in range(0, len(names), 3):
        for column, name in zip(
            st.columns(2 if len(names) < 3 else 3, gap="medium"), names[start : start + 3], strict=False
        ):
            points = [point for point in against(study, name) if point["trial"] in shown]
            chart = against_chart(points, name, study.metric, log=is_log(study), dark=is_dark(), height=240)
            column.altair_chart(chart, key=f"against-{name}")


def _two(study: StudyResult) -> None:
    st.markdown("##### Two settings")
    names = _moved(study)
    if len(names) < 2:
        st.caption("Shown once two settings have changed.")
        return
    with st.container(horizontal=True):
        across = st.selectbox("Across", names, key="study-across", format_func=one_line, bind=LINK)
        rest = [name for name in names if name != across]
        up = st.selectbox("Up", rest, key="study-up", format_func=one_line, bind=LINK)
    land = landscape(study, across, up)
    if land is None:
        st.caption("No trial has a value of both.")
        return
    st.altair_chart(landscape_chart(land, study.metric, study.best, study.direction, dark=is_dark()), key="two")
    words = "Numbers are trials, and +2 two more with the same settings or nearly; the best has a thick ring. "
    if len(land.cells):
        words += "Between them the color is a straight line from trial to trial, not a measurement."
    st.caption(words)


def _moved(study: StudyResult) -> list[str]:
    """The settings that took at least two values, the learning rate first."""
    moved = [
        axis.name for axis in axes_of(study) if len({repr(trial.settings.get(axis.name)) for trial in study.trials}) > 1
    ]
    return sorted(moved, key=lambda name: name != "learning_rate")


def _all(study: StudyResult) -> None:
    st.markdown("##### All settings at once")
    parallel = parallel_coordinates(study)
    if parallel is None:
        st.caption("Shown once two trials with different settings have a value.")
        return
    chart = parallel_coordinates_chart(parallel, study.best, study.direction, log=is_log(study), dark=is_dark())
    st.altair_chart(chart, key="all")
    st.caption("A line is a trial, the thick one the best. Point at a line to follow it.")
