"""Reading and working the pages in Streamlit's own test harness."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from diagnostics.messages import HEADLINES
from diagnostics.model.records import Label
from tuner.inspector import server

ENTRY = Path(server.__file__).with_name("entry.py")


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, [error.value for error in page.exception]
    return page


def tick(page: AppTest, *names: str) -> AppTest:
    """Tick the runs of those names in the table."""
    table = page.dataframe[0]
    places = [list(table.value["run"]).index(name) for name in names]
    page.session_state[table.key] = {"selection": {"rows": places, "columns": [], "cells": []}}
    return run(page)


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return run(page)


def text(page: AppTest) -> str:
    """All Markdown and captions of the page, without the escapes."""
    parts = [e.value for e in (*page.markdown, *page.caption, *page.info, *page.warning, *page.error, *page.success)]
    return re.sub(r"\\(.)", r"\1", "\n".join(parts))


def notices(page: AppTest, kind: str) -> list[str]:
    """The texts of the boxes of one kind (``info``, ``warning``, ``error``, ``success``), without the escapes."""
    return [re.sub(r"\\(.)", r"\1", element.value) for element in getattr(page, kind)]


def verdict(page: AppTest) -> Label | None:
    """The label whose headline is above a run's diagnosis."""
    return next((label for label, headline in HEADLINES.items() if headline in text(page)), None)


def verdict_pills(page: AppTest) -> Any:
    """The verdicts with their counts, which filter the table."""
    return next(group for group in page.button_group if group.label == "Verdict")


def table(page: AppTest, column: str) -> Any:
    return next(list(frame.value[column]) for frame in page.dataframe if column in frame.value)


def go_to(page: AppTest, title: str) -> AppTest:
    """Follow the navigation to a page, as a click on its name does."""
    page._page_hash = next(key for key, info in page._registered_pages.items() if info["page_name"] == title)
    return run(page)
