"""A chart under the pointer of a person, while the logs behind it grow: the real server, a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.inspector.charts import chart, in_view, says_at, steady, zoomed
from tests.tuner.inspector.material import falling, write_csv, write_fine_run, write_overfit_run
from tests.tuner.inspector.serving import NEEDS_CHROMIUM

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs whose logs will grow."""
    folder = tmp_path_factory.mktemp("inspected") / "runs"
    write_overfit_run(folder / "overfit.csv")
    write_overfit_run(folder / "grows.csv")
    write_csv(folder / "other.csv", {"train_loss": falling()})
    for name in ("fine", "good"):
        write_fine_run(folder / name)
    return folder


def grown(page: Any) -> None:
    """Wait until the table below a comparison says that a run has 200 steps."""
    page.get_by_test_id("stDataFrame").locator("td", has_text=re.compile("^200$")).first.wait_for(state="attached")


def test_a_log_that_grows_is_drawn_and_zoom_and_place_stay(address: str, folder: Path, page: Any) -> None:
    def seen() -> float:
        return in_view(page)

    page.set_viewport_size({"width": 1280, "height": 560})
    page.goto(f"{address}/run?run=grows.csv")
    chart(page)
    whole = in_view(page)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 120)")
    part = zoomed(page, 400, 200, seen)
    assert part < whole
    place = page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    with (folder / "grows.csv").open("a") as log:
        log.write("".join(f"{step},1.0,\n" for step in range(121, 201)))
    page.get_by_text("200 steps, written").wait_for()
    assert steady(page, seen) == part
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == place
    page.get_by_role("button", name="Keep this part").click()
    page.wait_for_function("['from', 'to'].every(end => location.search.includes(end + '-grows.csv-step='))")
    page.reload()
    chart(page)
    assert steady(page, seen) == part
    page.set_viewport_size({"width": 1280, "height": 1000})
    page.goto(f"{address}/run?run=grows.csv")
    assert zoomed(page, 400, 120, seen) < whole
    chart(page).dblclick(position={"x": 400, "y": 120})
    page.get_by_text("points are in view").wait_for(state="detached")


def test_a_comparison_keeps_its_zoom_while_a_log_grows_and_says_what_every_run_logged(
    address: str, folder: Path, page: Any
) -> None:
    def seen() -> float:
        return in_view(page)

    page.goto(f"{address}/compare?run=other.csv&run=overfit.csv&compare-curve=train_loss")
    chart(page)
    whole = in_view(page)
    part = zoomed(page, 300, 200, seen)
    assert part < whole
    with (folder / "other.csv").open("a") as log:
        log.write("".join(f"{step},1.0\n" for step in range(121, 201)))
    grown(page)
    assert steady(page, seen) == part
    says_at(page, 320, "other.csv", "overfit.csv")


def test_means_keep_their_zoom_while_logs_grow(address: str, folder: Path, page: Any) -> None:
    def seen() -> list[int]:
        """The steps at the two ends of the chart."""
        return [int(says_at(page, across).split()[0]) for across in (300, 1000)]

    page.goto(f"{address}/compare?run=fine&run=good&compare-curve=train_loss&compare-show=Mean+and+band")
    page.get_by_text("2 runs in 1 group, 1 of them").wait_for()
    first, last = seen()
    part = zoomed(page, 900, 200, seen)
    assert first < part[0] < part[1] < last
    for name in ("fine", "good"):
        write_fine_run(folder / name, 200)
    grown(page)
    # The pointer may lie between two steps: either is right.
    assert all(abs(now - before) <= 1 for now, before in zip(steady(page, seen), part, strict=True))
