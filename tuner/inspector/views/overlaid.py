"""Lines of several runs on one axis, as a chart that can be zoomed into."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import streamlit as st

from tuner.inspector.comparison import compared
from tuner.inspector.figure import Figure, View
from tuner.inspector.folder import Opened
from tuner.inspector.plot import ZOOM, spec
from tuner.inspector.plot_tables import tables
from tuner.inspector.views.curves import chart_key, zoomed_to
from tuner.inspector.views.shell import is_dark
from tuner.inspector.words import one_line, plain


def overlaid(
    opened: Sequence[Opened],
    name: str,
    view: View,
    picture: Callable[[View], Figure],
    says: Callable[[Figure], str],
    *,
    apart: bool = False,
) -> None:
    """The chart of a picture and what it ``says``, with more detail where the reader has zoomed in.

    A zoom draws nothing else again. ``apart`` is for differences, which have a line at 0.
    """

    def draw() -> None:
        key = chart_key("\n".join([name, str(apart), *(one.id for one in opened)]), view)
        zoomed = replace(view, between=zoomed_to(st.session_state.get(key), view))
        whole = compared(opened, picture(view), name, view, as_drawn=apart)
        seen = whole if zoomed == view else compared(opened, picture(zoomed), name, zoomed, as_drawn=apart)
        drawn = spec(whole, view, dark=is_dark(), legend=True, zero=apart)
        st.empty().vega_lite_chart(
            {**drawn, "datasets": tables(seen, zoomed, dark=is_dark())},
            key=key,
            on_select="rerun",
            selection_mode=[ZOOM],
            alt=f"{one_line(name, 80)} of {len(opened)} runs.",
        )
        st.caption(plain(says(seen.figure)))

    st.fragment(draw)()
