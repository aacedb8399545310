"""The inspector as a person meets it: the real server, a real browser."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.tuner.inspector.material import HOSTILE, falling, write_csv, write_fine_run, write_overfit_run
from tests.tuner.inspector.serving import CHROMIUM, chromium, served, settled

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="needs Chromium at /usr/bin/chromium"),
]

SECRET = "41.75"
MORE, ALL = 25, "32 of 32 runs"
NASTY = ("<img src=x onerror=alert(1)>", '\\"+alert(1)+"', "{{signal: alert(1)}}", "image")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of every kind in a folder beside a file that is none of its business."""
    folder = tmp_path_factory.mktemp("inspected") / "runs"
    write_overfit_run(folder / "overfit.csv")
    write_overfit_run(folder / "grows.csv")
    write_fine_run(folder / HOSTILE[0])
    write_fine_run(folder / "fine")
    write_csv(folder / "tags.csv", {"train_loss": falling(60)} | {tag: [(1, 1), (60, 2)] for tag in NASTY})
    nan = [(k, 3.0 - k / 50 if k < 40 else float("nan")) for k in range(1, 60)]
    write_csv(folder / "nan.csv", {"train_loss": nan})
    for k in range(MORE):
        write_csv(folder / "more" / f"{k:02}.csv", {"train_loss": [(1, 2.0), (2, 1.0)]})
    (folder / "cut").mkdir()
    (folder / "cut" / "trainer_state.json").write_text('{"log_history": [{"st')
    write_csv(folder.parent / "secret.csv", {"train_loss": [(1, float(SECRET)), (2, 41.5)]})
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with served(folder, folder.parent / "server.log") as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def alerts() -> list[str]:
    """What a page has tried to say in a dialog, and what went wrong in its scripts."""
    return []


@pytest.fixture
def page(browser: Any, alerts: list[str]) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(60_000)

    def refuse(dialog: Any) -> None:
        alerts.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.on("pageerror", lambda error: alerts.append(str(error)))
    yield page
    context.close()
    assert alerts == []


def chart(page: Any) -> Any:
    drawn = page.get_by_test_id("stVegaLiteChart")
    drawn.locator("svg, canvas").first.wait_for()
    settled(page)
    return drawn


def in_view(page: Any) -> int:
    """How many points the caption says are in view."""
    words = page.get_by_text("points in view are drawn").inner_text()
    found = re.search(r"of ([\d,]+) points", words)
    assert found, words
    return int(found[1].replace(",", ""))


def steady(page: Any) -> int:
    """How many points are in view once every turn of the wheel has had its answer, on a slow machine too."""
    seen = [in_view(page)]
    while len(seen) < 3 or len(set(seen[-3:])) > 1:
        page.wait_for_timeout(1000)
        settled(page)
        seen.append(in_view(page))
    return seen[-1]


def test_runs_are_filtered_ticked_and_opened(address: str, page: Any) -> None:
    page.goto(address)
    page.get_by_text(ALL).wait_for()
    settings = page.get_by_role("textbox", name="Settings")
    settings.fill("lr>1e-5")
    settings.press("Enter")
    page.get_by_text("2 of 32 runs").wait_for()
    settings.fill("")
    page.get_by_label("Filter").fill("overfit.csv")
    page.get_by_label("Filter").press("Enter")
    page.get_by_text("1 of 32 runs").wait_for()
    settled(page)
    page.get_by_test_id("stDataFrame").click(position={"x": 18, "y": 55})
    page.get_by_role("button", name="Open run").click()
    page.get_by_role("heading", name="The model overfits").wait_for()
    chart(page)
    page.wait_for_url(re.compile(r"run=overfit\.csv"))


def test_the_filter_and_the_table_are_reached_by_keyboard(address: str, page: Any) -> None:
    page.goto(address)
    page.get_by_text(ALL).wait_for()
    settled(page)
    focus = "document.activeElement.ariaLabel || document.activeElement.tagName"
    reached = ""
    for _ in range(40):
        page.keyboard.press("Tab")
        reached = page.evaluate(focus)
        if reached == "Filter":
            page.keyboard.type("fine")
            page.keyboard.press("Enter")
            page.get_by_text("1 of 32 runs").wait_for()
            settled(page)
        if reached == "CANVAS":
            break
    assert reached == "CANVAS"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+Space")
    page.get_by_role("button", name="Open run").wait_for()


def test_a_log_that_grows_is_drawn_and_zoom_and_place_stay(address: str, folder: Path, page: Any) -> None:
    page.set_viewport_size({"width": 1280, "height": 560})
    page.goto(f"{address}/run?run=grows.csv")
    drawn = chart(page)
    whole = in_view(page)
    page.evaluate("document.querySelector('[data-testid=stMain]').scrollTo(0, 320)")
    box = drawn.bounding_box()
    page.mouse.move(box["x"] + 400, box["y"] + 120)
    page.keyboard.down("Shift")
    for _ in range(5):
        page.mouse.wheel(0, -200)
    page.keyboard.up("Shift")
    page.wait_for_function(f"!document.body.innerText.includes(' of {whole} points in view')")
    zoomed, place = steady(page), page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop")
    assert zoomed < whole
    with (folder / "grows.csv").open("a") as log:
        log.write("".join(f"{step},1.0,\n" for step in range(121, 201)))
    page.locator("input[placeholder='200']").wait_for()
    assert steady(page) == zoomed
    assert page.evaluate("document.querySelector('[data-testid=stMain]').scrollTop") == place
    page.get_by_role("button", name="Keep this part").click()
    page.wait_for_function("['from', 'to'].every(end => location.search.includes(end + '-grows.csv-step='))")
    page.reload()
    chart(page)
    assert steady(page) == zoomed
    page.goto(f"{address}/run?run=grows.csv")
    chart(page).dblclick(position={"x": 400, "y": 120})
    page.get_by_text(f"{whole + 80} of {whole + 80} points in view").wait_for()


def test_a_comparison_keeps_its_zoom_while_a_log_grows_and_says_what_every_run_logged(
    address: str, folder: Path, page: Any
) -> None:
    grows = write_csv(folder / "more" / "01.csv", {"train_loss": [(k, 3 - k / 100) for k in range(1, 121)]})
    try:
        page.goto(f"{address}/compare?run=more/01.csv&run=overfit.csv&compare-curve=train_loss")
        drawn, whole = chart(page), in_view(page)
        box = drawn.bounding_box()
        page.mouse.move(box["x"] + 300, box["y"] + 200)
        page.keyboard.down("Shift")
        for _ in range(5):
            page.mouse.wheel(0, -200)
        page.keyboard.up("Shift")
        page.wait_for_function(f"!document.body.innerText.includes(' of {whole} points in view')")
        zoomed = steady(page)
        assert zoomed < whole
        with grows.open("a") as log:
            log.write("".join(f"{step},1.0\n" for step in range(121, 201)))
        page.locator("input[placeholder='200']").wait_for()
        assert steady(page) == zoomed
        said = page.locator("#vg-tooltip-element")
        page.mouse.move(box["x"] + 320, box["y"] + 200)
        page.mouse.move(box["x"] + 322, box["y"] + 200)
        said.filter(has_text="more/01.csv").filter(has_text="overfit.csv").wait_for()
    finally:
        write_csv(grows, {"train_loss": [(1, 2.0), (2, 1.0)]})


def says_at(page: Any, box: Any, across: float) -> str:
    """The first line of what the chart says at a place, once it says the same twice."""
    said, before = page.locator("#vg-tooltip-element"), ""
    for turn in range(100):  # a chart that is still being drawn anew does not answer yet
        page.mouse.move(box["x"] + across + turn % 2, box["y"] + 200)
        page.wait_for_timeout(200)
        now = said.inner_text().partition("\n")[0] if said.is_visible() else ""
        if now and now == before:
            return str(now)
        before = now
    raise AssertionError("the chart says nothing there")


def test_means_keep_their_zoom_while_logs_grow(address: str, folder: Path, page: Any) -> None:
    both = {"run": ["fine", HOSTILE[0]], "compare-curve": "train_loss", "compare-show": "Mean and band"}
    try:
        page.goto(f"{address}/compare?{urlencode(both, doseq=True)}")
        drawn = chart(page)
        page.get_by_text("2 runs in 1 group, 1 of them").wait_for()
        box = drawn.bounding_box()
        whole = says_at(page, box, 900)
        page.keyboard.down("Shift")
        for _ in range(5):
            page.mouse.wheel(0, -200)
        page.keyboard.up("Shift")
        page.wait_for_timeout(1500)
        settled(page)
        left, right = says_at(page, box, 300), says_at(page, box, 1000)
        assert whole not in (left, right)
        for name in ("fine", HOSTILE[0]):
            write_fine_run(folder / name, 200)
        page.locator("input[placeholder='200']").wait_for()
        settled(page)
        # The pointer may lie between two steps: either is right.
        now = says_at(page, box, 300), says_at(page, box, 1000)
        assert all(abs(int(b.split()[0]) - int(a.split()[0])) <= 1 for a, b in zip((left, right), now, strict=True))
    finally:
        for name in ("fine", HOSTILE[0]):
            write_fine_run(folder / name)


def test_the_first_page_is_found_by_its_name_too(address: str, page: Any) -> None:
    page.goto(f"{address}/runs?filter=overfit.csv")
    page.get_by_text("1 of 32 runs").wait_for()
    settled(page)
    page.wait_for_url(f"{address}/?filter=overfit.csv")
    assert page.get_by_text("Page not found").count() == 0
    assert page.get_by_role("link", name="Runs").count() <= 1


def test_the_table_keeps_its_place_and_its_ticks_while_a_log_grows(address: str, folder: Path, page: Any) -> None:
    page.goto(address)
    page.get_by_text(ALL).wait_for()
    settled(page)
    table = page.get_by_test_id("stDataFrame")
    table.click(position={"x": 18, "y": 55})
    page.get_by_role("button", name="Open run").wait_for()
    settled(page)
    place = "document.querySelector('.dvn-scroller').scrollTop"
    page.wait_for_function(f"(document.querySelector('.dvn-scroller').scrollTo(0, 400), {place} === 400)")
    healthy = page.locator("p", has_text="unknown").first.inner_text()
    more = write_csv(folder / "more" / "00.csv", {"train_loss": [(k, 3 - k / 40) for k in range(1, 80)]})
    page.wait_for_function("words => !document.body.innerText.includes(words)", arg=healthy)
    settled(page)
    page.wait_for_function(f"{place} === 400")
    page.get_by_role("button", name="Open run").wait_for()
    write_csv(more, {"train_loss": [(1, 2.0), (2, 1.0)]})


def test_names_from_logs_are_only_ever_text(address: str, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{address}/run?run=tags.csv")
    chart(page)
    for tag in NASTY:
        box = page.get_by_role("combobox", name="Curves")
        box.click()
        box.fill(tag[:9])
        box.press("Enter")
        settled(page)
    page.keyboard.press("Escape")
    page.get_by_text("alert(1)").first.wait_for()
    drawn = chart(page)
    page.wait_for_function("document.querySelectorAll('[data-testid=stVegaLiteChart]').length === 1")
    box, said = drawn.bounding_box(), page.locator("#vg-tooltip-element")
    for turn in range(100):  # a chart that is still being drawn anew does not answer yet
        page.mouse.move(box["x"] + 200 + turn % 7, box["y"] + 200)
        page.wait_for_timeout(100)
        if said.is_visible() and all(tag in said.inner_text() for tag in NASTY):
            break
    expect(said).to_be_visible()
    assert [tag for tag in NASTY if tag not in said.inner_text()] == []
    assert page.locator("img[src='x'], img[src^='1']").count() == 0
    page.goto(f"{address}/run?run=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E")
    chart(page)
    assert page.locator("img[src='x']").count() == 0


def test_a_limit_moves_and_the_verdict_follows_until_it_is_reset(address: str, page: Any) -> None:
    page.goto(f"{address}/run?run=overfit.csv")
    chart(page)
    page.get_by_text("Move a limit").click()
    page.get_by_role("slider", name="rise (default", exact=False).first.press("End")
    page.get_by_text("Not the default verdict.").wait_for()
    page.get_by_text("rise 0.02 →").wait_for()
    page.get_by_role("heading", name="The model overfits").wait_for(state="detached")
    page.get_by_role("button", name="Reset limits").click()
    page.get_by_text("Not the default verdict.").wait_for(state="detached")
    page.get_by_role("heading", name="The model overfits").wait_for()


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


@pytest.mark.parametrize(
    ("run", "words"),
    [
        ("nan.csv", "nan"),
        ("cut", "could not be read"),
        ("gone.csv", "There is no run called"),
        ("../secret.csv", "There is no run called"),
        ("%2e%2e%2fsecret.csv", "There is no run called"),
        ("/etc/passwd", "There is no run called"),
    ],
)
def test_a_run_that_is_broken_gone_or_elsewhere_has_a_helpful_page(
    address: str, page: Any, run: str, words: str
) -> None:
    page.goto(f"{address}/run?run={run}")
    page.get_by_text(words).first.wait_for()
    settled(page)
    said = page.inner_text("body")
    assert SECRET not in said and "root:" not in said
    assert "Traceback" not in said and "Error:" not in said


@pytest.mark.parametrize(
    "path",
    ["/../secret.csv", "/%2e%2e/secret.csv", "/app/static/../../secret.csv", "/media/../secret.csv", "//etc/passwd"],
)
def test_the_server_hands_out_no_file(address: str, path: str) -> None:
    with socket.create_connection(("localhost", int(address.rpartition(":")[2])), timeout=20) as caller:
        caller.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())  # no client tidies the path up
        said = b"".join(iter(lambda: caller.recv(65536), b"")).decode(errors="replace")
    assert said.startswith("HTTP/1")
    assert SECRET not in said
    assert "root:" not in said


def test_only_this_machine_is_served(address: str) -> None:
    port = int(address.rpartition(":")[2])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent: this asks which address of ours leads outside
        outside = probe.getsockname()[0]
    if outside.startswith("127."):
        pytest.skip("this machine has no address but its own")
    with socket.socket() as caller:
        caller.settimeout(2)
        assert caller.connect_ex((outside, port)) != 0
