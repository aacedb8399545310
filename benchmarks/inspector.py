"""How long the inspector takes: the table of 1,000 runs, cold and warm, the chart of a long run, a changed view.

    python -m benchmarks.inspector [--runs 1000] [--points 1000] [--long 1000000] [--no-browser]

Half of the runs are ``trainer_state.json`` folders and half CSV files. The long run comes twice: as a CSV file of so
many rows, and as a TensorBoard event file of so many scalars under four tags. The first part times the plain functions
in this process. The second starts the real server, opens it in a headless Chromium (``/usr/bin/chromium``) and times
what a person waits for, from the click to what is seen; beside each stands the processor time of the server, which
other programs on the machine stretch less. "Cold" is the first look at the folder with nothing kept on disk. Judging
is done by processes of its own: their time is the server's only once they have ended.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from benchmarks.reader import write_events
from diagnostics.model.curves import FloatArray
from tuner.inspector.chart.panels import chart_data
from tuner.inspector.chart.series import View
from tuner.inspector.chart.vega_data import tables
from tuner.inspector.chart.vega_spec import spec
from tuner.inspector.runs.folder import Folder, Opened

T = TypeVar("T")
CHROMIUM = Path("/usr/bin/chromium")
CURVES = ["train_loss", "eval_loss"]
PAINTED = """() => [...document.querySelectorAll('[aria-label^="Curves of"] canvas')].some(canvas => {
    const dots = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let painted = 0;
    for (let place = 3; place < dots.length; place += 4) painted += dots[place] > 0;
    return painted > dots.length / 4 / 50;
})"""
"""Whether the chart of a run stands there with its curves on it: its canvas is painted in more than two of 100 dots."""


def main() -> None:
    """Make the runs in a temporary folder, read them, and print one line for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--long", type=int, default=1_000_000)
    parser.add_argument("--no-browser", action="store_true")
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_CACHE_HOME"] = str(Path(name, "cache"))
        many, long = Path(name, "many"), Path(name, "long")
        for seed in range(sizes.runs):
            write = write_state if seed % 2 else write_csv
            write(many / f"run-{seed:04}", *losses(sizes.points, seed))
        write_csv(long / "table" / "long", *losses(sizes.long, 0))
        write_events(long / "events" / "run" / "events.out.tfevents.1.a", sizes.long // 4, 0)
        print(f"{os.cpu_count()} cores, {os.getloadavg()[0]:.1f} processes at work when this began\n")
        print("plain functions in this process")
        measure_table(many)
        for place in sorted(long.iterdir()):
            measure_chart(place)
        print(f"  most memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        if CHROMIUM.exists() and not sizes.no_browser:
            print("\nin the browser, from the click to what is seen")
            measure_pages(many, long, sizes.runs)


def measure_table(path: Path) -> None:
    """Time the rows of the table: at once, diagnosed by processes, then again unchanged, then by a new server."""
    os.environ["XDG_CACHE_HOME"] += "-plain"
    folder = Folder(path, on_disk=True)
    rows = timed("rows at once, cold", lambda: folder.rows(within=0.4))
    print(f"{'':18}  {sum(row.label != 'waiting' for row in rows):,} of {len(rows):,} diagnosed by then")
    timed("all verdicts after that", lambda: wait(lambda: not folder.waiting()))
    timed("rows, warm", lambda: folder.rows(within=0.4))
    timed("rows of a new server, from disk", lambda: Folder(path, on_disk=True).rows(within=0.4))
    os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CACHE_HOME"].removesuffix("-plain")


def wait(until: Callable[[], bool], seconds: float = 300) -> None:
    """Return when it is so."""
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        time.sleep(0.02)


def measure_chart(path: Path) -> None:
    """Time a long run from its file to the chart that is sent to the browser, and changed views of it."""
    folder = Folder(path)
    (run_id,) = folder.runs()
    opened = timed(f"long run read and diagnosed, {path.name}", lambda: folder.open(run_id))
    if not isinstance(opened, Opened):
        raise SystemExit(f"the long run could not be read: {opened}")
    run, chart, whole = opened.run, opened.chart, View(smoothing=0.97)

    def drawn(view: View) -> tuple[object, object]:
        picture = chart_data(run, chart, CURVES, view)
        return spec(picture.chart, view), tables(picture, view)

    timed(f"chart of {sum(map(len, run.curves.values())):,} points", lambda: drawn(whole))
    timed("the same, zoomed in", lambda: drawn(replace(whole, between=(1000, 5000))))
    timed("the same, other smoothing", lambda: drawn(replace(whole, smoothing=0.5)))


def timed(words: str, work: Callable[[], T]) -> T:
    """The result of ``work``, its time printed."""
    start, used = time.perf_counter(), time.process_time()
    result = work()
    print(f"{time.perf_counter() - start:8.3f} s {time.process_time() - used:8.3f} s processor  {words}")
    return result


def measure_pages(many: Path, long: Path, runs: int) -> None:
    """Time the pages of the real server in a real browser."""
    from playwright.sync_api import sync_playwright

    every, table = f"{runs:,} of {runs:,} runs", "[data-testid=stDataFrame] canvas"
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.set_default_timeout(300_000)

        def shown(*words: str) -> None:
            for word in words:
                page.get_by_text(word).first.wait_for()

        def show_table(address: str) -> None:
            page.goto(address)
            shown(every)
            page.locator(table).first.wait_for()

        with served(many) as (address, server):
            warm_up(browser, address)
            seen("table, cold", server, lambda: show_table(address))
            seen("all verdicts after that", server, lambda: page.get_by_text("Diagnosing:").wait_for(state="detached"))
            seen("table, warm", server, lambda: show_table(address))
            seen("filter by a name", server, lambda: filter_by(page, f"{runs - 1:04}", f"1 of {runs:,} runs"))
            print(f"  most memory of the server: {memory(server):.0f} MB")
        with served(many) as (address, server):
            warm_up(browser, address)
            seen("table of a new server, warm from disk", server, lambda: show_table(address))
        for place in sorted(long.iterdir()):
            measure_run(page, place)
        browser.close()


def measure_run(page: Any, folder: Path) -> None:
    """Time the page of the one long run in a folder, and what changes its chart."""
    (run_id,) = Folder(folder).runs()
    with served(folder) as (address, server):
        warm_up(page.context.browser, address)

        def open_run() -> None:
            page.goto(f"{address}/run?run={run_id}")
            page.wait_for_function(PAINTED, polling=20)

        def then(words: str) -> None:
            page.get_by_text(words).first.wait_for()

        def less_smooth() -> None:
            page.get_by_role("slider", name="Smoothing").first.press("ArrowLeft")
            then("weight 0.96")

        seen(f"long run, cold, {folder.name}", server, open_run)
        seen("long run, warm", server, open_run)
        then("points in view are drawn")
        page.wait_for_timeout(1000)
        seen("other smoothing", server, less_smooth)
        print(f"  most memory of the server: {memory(server):.0f} MB")


def filter_by(page: Any, words: str, then: str) -> None:
    """Type into the table's filter, and wait for what it says then."""
    page.get_by_label("Filter").fill(words)
    page.get_by_label("Filter").press("Enter")
    page.get_by_text(then).first.wait_for()


def warm_up(browser: Any, address: str) -> None:
    """Have the server import what a page needs, on a page that reads no run; what is timed has its scripts to load."""
    page = browser.new_page()
    page.goto(f"{address}/study")
    page.get_by_text("study").first.wait_for()
    page.wait_for_timeout(1500)
    page.close()


def seen(words: str, server: int, work: Callable[[], object]) -> None:
    """Time what a person waits for, and the server's processor time for it."""
    start, used = time.perf_counter(), processor(server)
    work()
    print(f"{time.perf_counter() - start:8.3f} s {processor(server) - used:8.3f} s processor  {words}")


def processor(pid: int) -> float:
    """The processor seconds of a process so far, its children that have ended with it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """The most memory that a process has had, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, int]]:
    """The address and the process of ``tuner inspect`` on the folder."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    command = [sys.executable, "-m", "tuner", "inspect", str(folder), "--port", str(port), "--no-browser"]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(lambda: answers(port))
        yield f"http://localhost:{port}", server.pid
    finally:
        server.terminate()
        server.wait(20)


def answers(port: int) -> bool:
    """Whether a server listens on that port."""
    with socket.socket() as probe:
        return probe.connect_ex(("localhost", port)) == 0


def losses(points: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """A train loss that falls with noise, and an eval loss every 50 points."""
    random = np.random.default_rng(seed)
    steps = np.arange(1, points + 1)
    train = 1 + 2 / np.sqrt(1 + steps / 20) + random.normal(0, 0.05, points)
    return train, train[49::50] + random.normal(0.02, 0.01, train[49::50].size)


def write_csv(path: Path, train: FloatArray, held_out: FloatArray) -> None:
    """The losses as a table beside ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    evals = {50 * (k + 1): value for k, value in enumerate(held_out)}
    lines = [f"{k},{loss:.5f},{evals.get(k, '')}" for k, loss in enumerate(train, 1)]
    path.with_suffix(".csv").write_text("step,train_loss,eval_loss\n" + "\n".join(lines) + "\n")


def write_state(path: Path, train: FloatArray, held_out: FloatArray) -> None:
    """The losses as the ``trainer_state.json`` of a run's folder."""
    path.mkdir(parents=True, exist_ok=True)
    history: list[dict[str, float]] = [{"step": k, "loss": float(loss)} for k, loss in enumerate(train, 1)]
    history += [{"step": 50 * (k + 1), "eval_loss": float(value)} for k, value in enumerate(held_out)]
    state = {"global_step": len(train), "max_steps": len(train), "log_history": history}
    (path / "trainer_state.json").write_text(json.dumps(state))


if __name__ == "__main__":
    main()
