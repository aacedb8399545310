"""Working a chart in a real browser: found, pointed at, zoomed into."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from tests.tuner.inspector.serving import settled


def chart(page: Any) -> Any:
    """The page's first chart, once it is drawn."""
    drawn = page.get_by_test_id("stVegaLiteChart").first
    drawn.locator("svg, canvas").first.wait_for()
    settled(page)
    return drawn


def in_view(page: Any) -> float:
    """How many points the caption says are in view; infinite where it says nothing, since all are."""
    found = re.search(r"([\d,]+) of [\d,]+ points are in view", page.inner_text("body"))
    return int(found[1].replace(",", "")) if found else math.inf


def steady(page: Any, seen: Callable[[], Any]) -> Any:
    """What is ``seen`` once every turn of the wheel has had its answer, on a slow machine too."""
    all_seen = [seen()]
    while len(all_seen) < 3 or not all_seen[-1] == all_seen[-2] == all_seen[-3]:
        page.wait_for_timeout(1000)
        settled(page)
        all_seen.append(seen())
    return all_seen[-1]


def zoomed(page: Any, across: float, down: float, seen: Callable[[], Any]) -> Any:
    """What is ``seen`` after the wheel was turned at a place of the chart until something else is seen."""
    whole, box = seen(), chart(page).bounding_box()
    for _ in range(5):  # a chart that is being drawn anew does not feel the wheel
        page.mouse.move(box["x"] + across, box["y"] + down)
        page.keyboard.down("Shift")
        for _ in range(5):
            page.mouse.wheel(0, -200)
        page.keyboard.up("Shift")
        now = steady(page, seen)
        if now != whole:
            return now
    raise AssertionError(f"the wheel changes nothing: {whole}")


def says_at(page: Any, across: float, *words: str) -> str:
    """What the chart says at a place, once it says the same twice and all of the ``words``."""
    said, box = page.locator("#vg-tooltip-element"), chart(page).bounding_box()
    before = ["", ""]  # at either of two neighboring pixels, between which the nearest point may change
    # What it said elsewhere stays until it answers again.
    page.evaluate("document.querySelector('#vg-tooltip-element')?.replaceChildren()")
    for turn in range(100):  # a chart that is being drawn anew does not answer yet
        page.mouse.move(box["x"] + across + turn % 2, box["y"] + 200)
        page.wait_for_timeout(200)
        now = str(said.inner_text()) if said.is_visible() else ""
        if now and now == before[turn % 2] and all(word in now for word in words):
            return now
        before[turn % 2] = now
    raise AssertionError(f"the chart says {before!r} there, not {words}")
