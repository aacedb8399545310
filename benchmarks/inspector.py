"""How long the inspector's data takes: the table of 1,000 runs, cold and warm, and the chart of a long run.

    python benchmarks/inspector.py [--runs 1000] [--points 1000] [--long 1000000]

Half of the runs are ``trainer_state.json`` folders and half CSV files. Times are wall-clock seconds of one process.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

from diagnostics.curves import FloatArray
from tuner.inspector.drawing import curve_chart
from tuner.inspector.figure import View, figure
from tuner.inspector.folder import Folder, Opened

T = TypeVar("T")


def main() -> None:
    """Make the runs in a temporary folder, read them, and print one line for each measurement."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--long", type=int, default=1_000_000)
    sizes = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        many, long = Path(name, "many"), Path(name, "long")
        for seed in range(sizes.runs):
            write = write_state if seed % 2 else write_csv
            write(many / f"run-{seed:04}", *losses(sizes.points, seed))
        write_csv(long / "long", *losses(sizes.long, 0))
        measure_table(many)
        measure_chart(long)


def measure_table(path: Path) -> None:
    """Time the rows of the table: read and judged, then again unchanged."""
    folder = Folder(path)
    rows = timed("runs found", folder.runs)
    timed(f"table of {len(rows):,} runs, cold", folder.rows)
    timed("table, warm", folder.rows)
    timed("looking whether a file changed", folder.stamps)


def measure_chart(path: Path) -> None:
    """Time a long run from its file to the chart that is sent to the browser, and a changed view of it."""
    folder = Folder(path)
    (run_id,) = folder.runs()
    opened = timed("long run read and judged", lambda: folder.open(run_id))
    if not isinstance(opened, Opened):
        raise SystemExit(f"the long run could not be read: {opened}")
    for words, view in (("first view", View(smoothing=0.97)), ("zoomed", View(smoothing=0.97, between=(1000, 5000)))):
        picture = timed(
            f"figure of {opened.run.last_step:,.0f} points, {words}",
            lambda view=view: figure(opened.run, opened.chart, ["train_loss", "eval_loss"], view),  # type: ignore[misc]
        )
        timed(f"its chart as JSON ({picture.shown:,} points)", lambda p=picture, v=view: curve_chart(p, v).to_json())  # type: ignore[misc]


def timed(words: str, work: Callable[[], T]) -> T:
    """The result of ``work``, its time printed."""
    start = time.perf_counter()
    result = work()
    print(f"{time.perf_counter() - start:8.3f} s  {words}")
    return result


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
