"""The charts of a study: how far it came, which settings mattered, and where the good ones lie."""

from __future__ import annotations

import streamlit as st

from tuner.inspector.escape import one_line
from tuner.inspector.study.axes import axes_of
from tuner.inspector.study.charts import OVER, against_chart, importance_chart, progress_chart
from tuner.inspector.study.importance import MIN_TRIALS, importance
from tuner.inspector.study.landscape import is_log, landscape, placed
from tuner.inspector.study.landscape_chart import landscape_chart
from tuner.inspector.study.parallel import parallel_coordinates
from tuner.inspector.study.parallel_chart import parallel_coordinates_chart
from tuner.inspector.study.read import against, numeric_knobs, progress
from tuner.inspector.views.context import is_dark
from tuner.inspector.views.controls import LINK
from tuner.study.results import StudyResult

MAX_SLICES = 6


def charts(study: StudyResult) -> None:
    """All charts; for those that need more trials a sentence that says so."""
    left, right = st.columns(2, gap="medium")
    with left:
        _progress(study)
    with right:
        _importance(study)
    _slices(study)
    left, right = st.columns(2, gap="medium")
    with left:
        _two(study)
    with right:
        _all(study)
    off = len([trial for trial in study.trials if trial.value is not None]) - len(placed(study))
    if off:
        st.caption(f"{off} trials are so far off that they would flatten the others; these charts leave them out.")


def _progress(study: StudyResult) -> None:
    st.markdown("#### Best so far")
    over = st.segmented_control(
        "Over", list(OVER), default="trials", key="study-over", bind=LINK, required=True, label_visibility="collapsed"
    )
    shown = {trial.number for trial in placed(study)}
    steps = [step for step in progress(study) if step.trial in shown or step.value is None]
    chart = progress_chart(steps, study.metric, over or "trials", log=is_log(study), dark=is_dark())
    st.altair_chart(chart, key="best-so-far")


def _importance(study: StudyResult) -> None:
    st.markdown("#### What mattered")
    shares = importance(study)
    if shares is None:
        st.caption(f"Known once {MIN_TRIALS} trials have a value and a setting has changed.")
        return
    st.altair_chart(importance_chart(shares, dark=is_dark()), key="importance")
    few = len(placed(study)) < 20
    st.caption(
        "Optuna's importance (PED-ANOVA): the settings in which the best trials differ from the rest."
        + (" With so few trials it is only a hint." if few else "")
    )


def _slices(study: StudyResult) -> None:
    st.markdown("#### Each setting against the metric")
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
    st.markdown("#### Two settings")
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
    st.markdown("#### All settings at once")
    parallel = parallel_coordinates(study)
    if parallel is None:
        st.caption("Shown once two trials with different settings have a value.")
        return
    chart = parallel_coordinates_chart(parallel, study.best, study.direction, log=is_log(study), dark=is_dark())
    st.altair_chart(chart, key="all")
    st.caption("A line is a trial, the thick one the best. Point at a line to follow it.")
