"""How often is the verdict right on runs that nobody has seen?

    python -m benchmarks.fresh [--seed S] [--runs N] [--styles NAME ...] [--keep FOLDER] [--json FILE]
    python -m benchmarks.fresh --again FOLDER [--json FILE]

Trains some 160 small runs in 16 styles of log (a trainer with what is trained in it), writes down what each run is
before any verdict is asked for, and compares. The seed comes from the clock, so that no rule can be fitted to the runs;
it is printed, and with it the same runs are trained again. ``--keep`` leaves logs and labels in a folder, which
``--again`` judges once more without training.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from benchmarks.fresh.judge import judged
from benchmarks.fresh.labels import Answer
from benchmarks.fresh.making import make
from benchmarks.fresh.rows import Row
from benchmarks.fresh.styles import STYLES
from benchmarks.fresh.summary import as_json, lines

LABELS = "labels.json"
RUNS_A_PROJECT = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, write the labels down, ask, and print the comparison."""
    given = _parser().parse_args(arguments)
    if given.again:
        stored = json.loads((given.again / LABELS).read_text("utf-8"))
        return report(stored["seed"], given.again, stored["runs"], given.json)
    seed = int(time.time()) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        rows = sorted(trained(seed, given.styles, given.runs, folder, given.jobs), key=lambda row: str(row["path"]))
        (folder / LABELS).write_text(json.dumps({"seed": seed, "runs": rows}, indent=1), encoding="utf-8")
        return report(seed, folder, rows, given.json)


def trained(seed: int, styles: Sequence[str], runs: int, folder: Path, jobs: int) -> Iterator[Row]:
    """The runs of all styles, as their projects end, with their labels."""
    projects = max(1, round(runs / (len(styles) * RUNS_A_PROJECT)))
    count = max(2, round(runs / (len(styles) * projects)))
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        waiting = [pool.submit(make, style, seed, n, count, folder) for n in range(projects) for style in styles]
        for number, done in enumerate(as_completed(waiting), 1):
            rows = done.result()
            print(
                f"{number}/{len(waiting)}",
                *(rows[:1] and [rows[0]["path"], len(rows), "runs"]),
                file=sys.stderr,
                flush=True,
            )
            yield from rows


def report(seed: int, folder: Path, rows: Sequence[Row], out: Path | None) -> int:
    """Ask for the verdicts and print what they are worth."""
    runs = [judged(str(row["style"]), str(row["path"]), Answer.from_dict(row["label"]), folder) for row in rows]
    for line in lines(runs):
        print(line)
    if out:
        out.write_text(json.dumps(as_json(runs, seed), indent=1) + "\n", encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="default: from the clock")
    parser.add_argument("--runs", type=int, default=160, metavar="N", help="about so many (default 160)")
    parser.add_argument(
        "--styles", nargs="+", choices=STYLES, default=list(STYLES), metavar="NAME", help=", ".join(STYLES)
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave logs and labels there")
    parser.add_argument("--again", type=Path, metavar="FOLDER", help="judge kept runs once more")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write figures, labels and verdicts")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="processes (default 2)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
