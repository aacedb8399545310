"""The run that is being written just now, as a chart that is drawn again every few seconds."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from diagnostics.chart.smoothing import default_weight
from diagnostics.formatting import duration, number
from diagnostics.model.methods import method_record
from tuner.inspector.chart.comparison import shared_curves
from tuner.inspector.chart.panels import chart_data
from tuner.inspector.chart.series import View
from tuner.inspector.chart.vega_data import tables
from tuner.inspector.chart.vega_spec import spec
from tuner.inspector.escape import plain
from tuner.inspector.runs.folder import HERE, Folder, Opened, seconds_since
from tuner.inspector.views.context import is_dark

REFRESH_EVERY = 2.0  # seconds


def current_curve(folder: Folder, run_id: str | None, key: str) -> None:
    """The losses or rewards of a run, and how far it is; what to wait for while it has logged nothing."""
    opened = folder.open(run_id) if run_id is not None else None
    names = shared_curves([opened]) if isinstance(opened, Opened) else []
    if not isinstance(opened, Opened) or not names:
        st.info("No log yet: loading the libraries, the model and the data takes a moment.")
        return
    shown = [name for name in method_record(opened.run.settings.method).main_curves if name in names] or names[:1]
    view = View(smoothing=default_weight(opened.run))
    seen, dark = chart_data(opened.run, opened.chart, shown, view), is_dark()
    drawn = {**spec(seen.chart, view, dark=dark), "datasets": tables(seen, view, dark=dark)}
    st.vega_lite_chart(drawn, key=key, alt=f"{', '.join(shown)} of the run that is being written.")
    where = "" if run_id == HERE else f"{opened.name}, "
    ago = duration(seconds_since(opened.written))
    st.caption(plain(f"{where}step {number(opened.run.last_step)}, written {ago} ago"))


def _open(path: str) -> Folder:
    return Folder(Path(path))


folder_of = st.cache_resource(_open, show_spinner=False, max_entries=16)
"""A folder inside the opened one, kept between two looks."""
