"""How long judging takes: many runs, and long ones.

    python -m benchmarks.scale [--runs 1000] [--points 1000] [--long 1000000] [--repeats 3]

Part one writes 1,000 runs of 1,000 points (event files of four tags; with ``--form csv`` tables) below a folder, and
times ``tuner diagnose FOLDER --json`` as its users start it, and its parts. Part two times ``diagnose`` alone on
made-up runs of growing length, and reading plus judging of one long run. Wall seconds and CPU seconds (all processes)
are both printed: on a busy machine only the second says something. Every checksum of an event file is verified.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.reader import write_events
from diagnostics import diagnose, read
from diagnostics.readers import find_runs
from diagnostics.synthetic import make
from tuner.batch import diagnose_runs

CAUSES = ("healthy-sft", "loss-spikes", "eval-loss-rises", "healthy-dpo")


def clocks() -> tuple[float, float]:
    """Wall seconds, and CPU seconds of this process and of those it waited for."""
    spent = os.times()
    return time.perf_counter(), spent.user + spent.system + spent.children_user + spent.children_system


def timed(words: str, act: Callable[[], Any], repeats: int) -> Any:
    """The act's last result; its fastest wall and CPU seconds are printed."""
    walls, cpus = [], []
    for _ in range(repeats):
        began = clocks()
        result = act()
        ended = clocks()
        walls.append(ended[0] - began[0])
        cpus.append(ended[1] - began[1])
    print(f"  {words:<58} {min(walls):8.3f} s wall {min(cpus):8.3f} s CPU", flush=True)
    return result


def write_table(path: Path, points: int, seed: int) -> None:
    """A CSV table of a training loss at every step and a held-out loss at every fiftieth."""
    path.parent.mkdir(parents=True, exist_ok=True)
    loss = 2 + np.arange(1, points + 1) ** -0.5 + np.random.default_rng(seed).normal(0, 0.05, points)
    rows = (f"{k},{v:.5f},{v + 0.02:.5f}" if k % 50 == 0 else f"{k},{v:.5f}," for k, v in enumerate(loss.tolist(), 1))
    path.write_text("\n".join(["step,train_loss,eval_loss", *rows]) + "\n")


def command(folder: Path) -> None:
    """What a user starts, in a new process, output thrown away."""
    done = subprocess.run([sys.executable, "-m", "tuner", "diagnose", str(folder), "--json"], stdout=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"tuner diagnose ended with status {done.returncode}")


def many_runs(folder: Path, runs: int, points: int, form: str, repeats: int) -> None:
    """Time a folder of many runs."""
    for number in range(runs):
        if form == "csv":
            write_table(folder / f"run-{number:04}.csv", points, number)
        else:
            write_events(folder / f"run-{number:04}" / "events.out.tfevents.1.host", points, number)
    print(f"{runs:,} runs of {points:,} points ({form})")
    places = timed("found", lambda: find_runs(folder), repeats)
    timed("read", lambda: [read(place) for place in places], repeats)
    timed("found, read and judged, one process", lambda: list(diagnose_runs([folder], workers=1)), repeats)
    timed("found, read and judged, two processes", lambda: list(diagnose_runs([folder], workers=2)), repeats)
    timed("tuner diagnose FOLDER --json, from start to end", lambda: command(folder), repeats)


def judging_alone(sizes: tuple[int, ...]) -> None:
    """Time ``diagnose`` by the number of points, the slowest of four kinds of runs."""
    print(f"diagnose alone, CPU, the slowest of {', '.join(CAUSES)} (fastest of 5 each)")
    for size in sizes:
        seconds = []
        for cause in CAUSES:
            with np.errstate(over="ignore"):
                run = make(cause, 0.5, 0.05, 1, logs=size, evals=max(10, min(1000, size // 50)))
            took = []
            for _ in range(5):
                began = time.process_time()
                diagnose(run)
                took.append(time.process_time() - began)
            seconds.append(min(took))
        print(f"  {size:>9,} points {1000 * max(seconds):8.1f} ms")


def one_long_run(folder: Path, points: int, repeats: int) -> None:
    """Time reading and judging one long run."""
    print(f"one run of {points:,} points, read and judged")
    table, events = folder / "long.csv", folder / "long" / "events.out.tfevents.1.host"
    write_table(table, points, 0)
    write_events(events, points, 0)
    timed("CSV table, train and eval loss", lambda: diagnose(read(table)), repeats)
    timed("event file, four tags", lambda: diagnose(read(events)), repeats)


def main() -> None:
    """Run all parts in a temporary folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--form", choices=("events", "csv"), default="events")
    parser.add_argument("--long", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        many_runs(Path(name, "many"), options.runs, options.points, options.form, options.repeats)
        judging_alone((100, 1_000, 10_000, 100_000, 1_000_000))
        one_long_run(Path(name), options.long, options.repeats)


if __name__ == "__main__":
    main()
