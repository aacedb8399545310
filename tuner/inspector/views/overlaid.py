"""Lines of several runs on one axis, as a chart that can be zoomed into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from tuner.inspector.chart.panels import ChartData
from tuner.inspector.chart.series import View
from tuner.inspector.chart.vega_data import tables
from tuner.inspector.chart.vega_spec import ZOOM, spec
from tuner.inspector.escape import one_line, plain
from tuner.inspector.runs.folder import Opened
from tuner.inspector.views.context import is_dark
from tuner.inspector.views.controls import ZOOMING
from tuner.inspector.views.curves import NOTHING_IN_VIEW, chart_key, zoomed_to


def overlaid(
    opened: Sequence[Opened],
    name: str,
    view: View,
    data_in: Callable[[View], ChartData],
    caption: Callable[[ChartData], str],
    *,
    kind: str = "",
    zero: bool = False,
) -> None:
    """The chart of ``data_in`` a view with its caption, and more detail where the reader has zoomed in.

    A zoom redraws nothing else. Charts of another ``kind`` have a zoom of their own; ``zero`` draws a line at 0.
    """

    def draw() -> None:
        key = chart_key("\n".join([name, kind, *(one.id for one in opened)]), view)
        zoomed = replace(view, between=zoomed_to(st.session_state.get(key), view))
        whole = data_in(view)
        if not whole.chart.drawn:
            st.info(NOTHING_IN_VIEW)
            return
        seen = whole if zoomed == view else data_in(zoomed)
        drawn = spec(whole.chart, view, dark=is_dark(), legend=True, zero=zero)
        st.empty().vega_lite_chart(
            {**drawn, "datasets": tables(seen, zoomed, dark=is_dark())},
            key=key,
            on_select="rerun",
            selection_mode=[ZOOM],
            alt=f"{one_line(name, 80)} of {len(opened)} runs.",
        )
        st.caption(plain(" ".join(filter(None, (caption(seen), ZOOMING)))))

    st.fragment(draw)()
