"""The inspector as a person meets it: the real server, a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.inspector.charts import chart
from tests.tuner.inspector.material import write_csv, write_fine_run, write_overfit_run
from tests.tuner.inspector.serving import NEEDS_CHROMIUM, settled

pytestmark = NEEDS_CHROMIUM

MORE = 29


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More runs than the table shows at once, one with a finding, two that say at which rate they learned."""
    folder = tmp_path_factory.mktemp("inspected") / "runs"
    write_overfit_run(folder / "overfit.csv")
    for name in ("fine", "good"):
        write_fine_run(folder / name)
    for k in range(MORE):
        write_csv(folder / "more" / f"{k:02}.csv", {"train_loss": [(1, 2.0), (2, 1.0)]})
    return folder


def opened_on_all(page: Any, address: str) -> None:
    """The first page, once it shows every run with its verdict."""
    page.goto(address)
    page.get_by_text("32 of 32 runs").wait_for()
    page.get_by_text("Diagnosing ").wait_for(state="detached")
    settled(page)


def tick_the_first(page: Any) -> None:
    """Tick the table's first row."""
    settled(page)
    table = page.get_by_test_id("stDataFrame")
    table.locator("canvas").first.wait_for()
    table.click(position={"x": 18, "y": 55})
    page.get_by_role("button", name="Open run").wait_for()
    settled(page)


def click_the_first(page: Any) -> None:
    """Click the name of the run in the table's first row."""
    settled(page)
    table = page.get_by_test_id("stDataFrame")
    table.locator("canvas").first.wait_for()
    table.click(position={"x": 205, "y": 57})


def card(page: Any) -> Any:
    """What stands above the chart of a run: its verdict and what to do first."""
    return page.locator(".st-key-verdict")


def test_the_worst_run_is_one_click_away_and_its_verdict_and_chart_need_no_scrolling(address: str, page: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    opened_on_all(page, address)
    click_the_first(page)
    page.wait_for_url(re.compile(r"/run\?run=overfit\.csv"))
    card(page).get_by_text("The model overfits.").wait_for()
    card(page).get_by_text("Do first:").wait_for()
    assert chart(page).bounding_box()["y"] < 250


def test_the_runs_keep_their_filter_and_order_while_a_run_is_open(address: str, page: Any) -> None:
    from playwright.sync_api import expect

    opened_on_all(page, f"{address}?order=name")
    settings, names = page.get_by_role("textbox", name="Settings"), page.get_by_label("Filter")
    settings.fill("lr>1e-5")
    settings.press("Enter")
    page.get_by_text("2 of 32 runs").wait_for()
    settled(page)
    page.get_by_role("button", name=re.compile("healthy")).click()
    page.wait_for_url(re.compile("verdicts=healthy"))
    for back in (page.go_back, page.get_by_test_id("stTopNav").get_by_role("link", name="Runs", exact=True).click):
        click_the_first(page)
        page.wait_for_url(re.compile(r"run=fine"))
        card(page).wait_for()
        settled(page)
        back()
        page.get_by_text("2 of 32 runs").wait_for()
        settled(page)
        expect(settings).to_have_value("lr>1e-5")
        assert all(words in page.url for words in ("settings=lr", "order=name", "verdicts=healthy"))
    names.fill("nothing like it")
    names.press("Enter")
    page.get_by_text("0 of 32 runs").wait_for()


def test_everything_is_reached_by_keyboard(address: str, page: Any) -> None:
    opened_on_all(page, f"{address}?order=name")
    focus = "document.activeElement.ariaLabel || document.activeElement.tagName"
    reached = ""
    for _ in range(40):
        page.keyboard.press("Tab")
        reached = page.evaluate(focus)
        if reached == "Filter":
            page.keyboard.type("learning_rate")
            page.keyboard.press("Enter")
            page.get_by_text("2 of 32 runs").wait_for()
            settled(page)
        if reached == "CANVAS":
            break
    assert reached == "CANVAS"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("run=good"))
    card(page).wait_for()
    settled(page)
    page.keyboard.press("k")
    page.wait_for_url(re.compile("run=fine"))
    settled(page)
    page.keyboard.press("j")
    page.wait_for_url(re.compile("run=good"))
    settled(page)
    page.get_by_role("button", name="Previous").click()
    page.wait_for_url(re.compile("run=fine"))


def test_a_page_is_found_by_other_spellings_and_an_unknown_one_is_named(address: str, page: Any) -> None:
    page.goto(f"{address}/runs?filter=overfit.csv")
    page.get_by_text("1 of 32 runs").wait_for()
    settled(page)
    page.wait_for_url(f"{address}/?filter=overfit.csv")
    assert page.get_by_text("Page not found").count() == 0
    assert page.get_by_role("link", name="Runs").count() <= 1
    page.goto(f"{address}/Run?run=overfit.csv")
    page.wait_for_url(f"{address}/run?run=overfit.csv")
    card(page).wait_for()
    page.goto(f"{address}/nonsense")
    page.get_by_text("There is no page called").wait_for()


def test_the_table_keeps_its_place_and_its_ticks_while_a_log_grows(address: str, folder: Path, page: Any) -> None:
    opened_on_all(page, f"{address}?order=name")
    tick_the_first(page)
    place = "document.querySelector('.dvn-scroller').scrollTop"
    page.wait_for_function(f"(document.querySelector('.dvn-scroller').scrollTo(0, 400), {place} === 400)")
    verdicts = page.get_by_role("button", name=re.compile("unknown")).inner_text()
    grows = write_csv(folder / "more" / "00.csv", {"train_loss": [(k, 3 - k / 40) for k in range(1, 80)]})
    try:
        page.wait_for_function("words => !document.body.innerText.includes(words)", arg=verdicts)
        settled(page)
        page.wait_for_function(f"{place} === 400")
        page.get_by_role("button", name="Open run").wait_for()
    finally:
        write_csv(grows, {"train_loss": [(1, 2.0), (2, 1.0)]})


def test_a_limit_moves_and_the_verdict_and_the_address_follow_until_it_is_reset(address: str, page: Any) -> None:
    page.goto(f"{address}/run?run=overfit.csv")
    chart(page)
    page.get_by_text("Move a limit").click()
    settled(page)
    page.get_by_role("slider", name="rise (default", exact=False).first.press("End")
    page.get_by_text("Not the default verdict.").wait_for()
    page.get_by_text("rise 0.02 →").wait_for()
    card(page).get_by_text("The model overfits.").wait_for(state="detached")
    page.wait_for_url(re.compile(r"limit=eval-loss-rises\.rise"))
    page.goto(page.url)
    page.get_by_text("rise 0.02 →").wait_for()
    settled(page)
    page.get_by_role("button", name="Reset limits").click()
    page.get_by_text("Not the default verdict.").wait_for(state="detached")
    card(page).get_by_text("The model overfits.").wait_for()
    page.get_by_role("link", name="About this rule").first.click()
    page.wait_for_url(f"{address}/rule?rule=eval-loss-rises")
    page.get_by_text("The rise as a share of the minimum.").wait_for()
    page.go_back()
    card(page).get_by_text("The model overfits.").wait_for()


def test_in_a_narrow_window_the_advice_comes_before_the_file_that_is_made_of_it(address: str, page: Any) -> None:
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(f"{address}/run?run=overfit.csv")
    chart(page)
    places = [page.get_by_text(words, exact=True).bounding_box()["y"] for words in ("What to change", "The next run")]
    assert places == sorted(places)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_function(
        "document.querySelector('[data-testid=stVegaLiteChart]').getBoundingClientRect().width > 500"
    )
    settled(page)
    advice, file = (page.get_by_text(words, exact=True).bounding_box() for words in ("What to change", "The next run"))
    assert advice["x"] > file["x"] + 400


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_window_shows_all_of_a_run(address: str, page: Any, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 420, "height": 900})
    page.goto(f"{address}/run?run=overfit.csv")
    chart(page)
    page.wait_for_function(
        "() => { const box = document.querySelector('[data-testid=stVegaLiteChart]').getBoundingClientRect();"
        " return box.left >= 0 && box.right <= 420 && document.documentElement.scrollWidth <= 420; }"
    )
    page.wait_for_function(
        "dark => { const paper = getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor;"
        " return (paper.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) < 200) === dark; }",
        arg=scheme == "dark",
    )
