"""From a fault to the run that fixes it, in a real browser: advice, YAML, a started run, its end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from diagnostics import diagnose, read
from tests.tuner.inspector.charts import chart
from tests.tuner.inspector.material import write_fine_run, write_overfit_run, write_slow_run, write_study
from tests.tuner.inspector.serving import KEY, NEEDS_CHROMIUM, served, settled
from tests.waiting import until
from tuner.inspector.jobs import processes
from tuner.inspector.jobs.record import State, job, jobs, kill, mark

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slow run that can be trained again, three seeds of a good one, an overfitting one, and a study."""
    folder = tmp_path_factory.mktemp("inspected") / "runs"
    write_slow_run(folder / "slow")
    for seed in range(3):
        write_fine_run(folder / f"seed-{seed}", seed=seed)
    write_overfit_run(folder / "overfit.csv")
    write_study(folder / "demo")
    return folder


@pytest.fixture(scope="module")
def address(folder: Path, log: Path) -> Iterator[str]:
    with served(folder, log, allow_run=True) as address:
        yield address
    for begun in jobs(folder):
        kill(begun)


def test_without_the_token_no_run_is_started(address: str, folder: Path, page: Any) -> None:
    from playwright.sync_api import expect

    for query in ("", "&token=", "&token=wrong", f"&token={KEY[:-1]}"):
        page.goto(f"{address}/run?run=slow{query}")
        page.get_by_text("open the address with").wait_for()
        settled(page)
        expect(page.get_by_role("button", name="Run it")).to_have_count(0)
    page.goto(f"{address}/started")
    page.get_by_text("Starting and stopping runs is off").wait_for()
    assert list(folder.glob("slow-next*")) == []


def test_an_advice_becomes_a_run_that_is_followed_and_stopped(address: str, folder: Path, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{address}/run?run=slow&token={KEY}")
    expect(page.get_by_label("Name", exact=True)).to_have_value("slow-next")
    settled(page)
    page.get_by_text("Change it by hand").click()
    box = page.get_by_label("File", exact=True)
    expect(box).to_have_value(re.compile("max_steps: 80"))  # the box is there a moment before its text
    settled(page)
    box.fill(box.input_value().replace("max_steps: 80", "max_steps: 100000"))
    box.press("Control+Enter")
    settled(page)
    page.get_by_role("button", name="Run it").click()
    page.wait_for_url(f"{address}/started?job=slow-next&token={KEY}")
    page.get_by_text("▶ running").wait_for()
    page.reload()  # the page is gone; the run is not
    page.get_by_test_id("stVegaLiteChart").wait_for(timeout=120_000)  # a busy machine takes long to load torch
    begun = job(folder, folder / "slow-next")
    assert begun is not None and begun.state is State.RUNNING
    (advised,) = [a for a in diagnose(read(folder / "slow")).advice if a.knob == "learning_rate"]
    assert yaml.safe_load((folder / "slow-next.yaml").read_text())["learning_rate"] == advised.new > 1e-5
    page.get_by_text(re.compile("^step [1-9]")).first.wait_for()
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("◼ stopped").wait_for()
    # The page reads the exit status, which its process writes before it goes.
    until(lambda: not processes.is_running(begun.process, mark(begun.folder)), "the end of the process")
    ended = job(folder, folder / "slow-next")
    assert ended is not None and (ended.state, ended.status) == (State.STOPPED, 130)
    assert list((folder / "slow-next").glob("checkpoint-*"))
    page.get_by_role("button", name="Resume").wait_for()


SEEDS = "run=seed-0&run=seed-1&run=seed-2"


def test_runs_are_compared_and_the_address_keeps_the_view(address: str, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{address}/compare?{SEEDS}")
    chart(page)
    page.get_by_role("radio", name="Mean and band").or_(page.get_by_text("Mean and band", exact=True)).first.click()
    page.get_by_text("3 runs in 1 group, 1 of them with more than one run").wait_for()
    settled(page)
    page.get_by_role("button", name="View").click()
    page.get_by_text("Log y").click()
    page.wait_for_url(re.compile("compare-log-y=true"))
    page.wait_for_url(re.compile(r"compare-show=Mean(\+|%20)and(\+|%20)band"))
    page.goto(page.url)
    page.get_by_text("3 runs in 1 group,").wait_for()
    page.get_by_role("button", name="View").click()
    expect(page.get_by_label("Log y")).to_be_checked(timeout=40_000)
    page.goto(f"{address}/compare?{SEEDS}&baseline=seed-2&compare-show=Difference")
    page.get_by_text("minus that of seed-2 at the same place").wait_for()


def test_a_chart_is_taken_away_as_png_and_svg_and_its_points_as_csv(address: str, page: Any, tmp_path: Path) -> None:
    page.goto(f"{address}/run?run=overfit.csv")
    chart(page).hover()
    heads = {"png": b"\x89PNG", "svg": b"<svg", "csv": b"step,train_loss,eval_loss"}
    buttons = {
        "png": page.get_by_role("button", name="Save PNG"),
        "svg": page.get_by_role("button", name="SVG", exact=True),
        "csv": page.get_by_role("button", name="CSV", exact=True),
    }
    for kind, button in buttons.items():
        with page.expect_download() as download:
            button.click()
        path = tmp_path / f"taken.{kind}"
        download.value.save_as(path)
        assert path.read_bytes().startswith(heads[kind])
        assert path.stat().st_size > 1000


def test_the_address_of_a_view_is_copied(address: str, page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{address}/run?run=overfit.csv&run-log-y=true")
    chart(page)
    page.get_by_role("button", name="Copy link").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert "run-log-y=true" in page.url


def test_a_study_shows_what_mattered_and_its_file_can_be_saved(address: str, page: Any, tmp_path: Path) -> None:
    page.goto(f"{address}/study?study=demo")
    page.get_by_role("heading", name="The path of the search").wait_for()
    page.get_by_test_id("stImage").first.locator("img").wait_for()
    settled(page)
    page.get_by_text("training steps", exact=True).first.click()
    page.wait_for_url(re.compile("study-over=training"))
    page.get_by_role("heading", name="What mattered").wait_for()
    page.get_by_test_id("stVegaLiteChart").nth(1).wait_for()  # the plots come one after the other
    settled(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save as YAML").click()
    download.value.save_as(tmp_path / "next.yaml")
    assert (tmp_path / "next.yaml").read_text().startswith("# the next study after demo")


@pytest.mark.parametrize("path", ["compare?run=seed-0&run=overfit.csv", "study", "started"])
def test_a_narrow_window_needs_no_sideways_scrolling(address: str, page: Any, path: str) -> None:
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(f"{address}/{path}")
    page.get_by_test_id("stMain").locator("p, h4").nth(2).wait_for()
    settled(page)
    page.wait_for_function("document.querySelector('[data-testid=stMain]').scrollWidth <= 420")
    assert page.get_by_test_id("stException").count() == 0
