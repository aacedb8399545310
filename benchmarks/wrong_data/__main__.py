"""About 200 wrong data files, each to be refused in one line, or read as it is: no traceback, no hang, no memory gone.

``python -m benchmarks.wrong_data [--limit SECONDS] [--train]`` makes JSON, JSON lines, CSV, Parquet, folders
and saved data sets with damage of every kind, loads each as a study does, in a process of its own, and prints what came
of them. ``--train`` trains one step on each that was accepted.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

from benchmarks.wrong_data import cases
from benchmarks.wrong_data.outcome import LIMIT, outcome


def main() -> int:
    """Load every case and print what came of it; 1 where one crashed, hung, or was taken for the wrong thing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--limit", type=float, default=LIMIT, help="processor seconds per file (default: 5)")
    parser.add_argument("--train", action="store_true", help="train one step on each file that was accepted")
    parser.add_argument("--show", action="store_true", help="print the line of every file")
    options = parser.parse_args()
    import datasets  # so that no case pays for the import
    import pyarrow.parquet  # noqa: F401

    datasets.disable_progress_bars()
    counts, bad, slowest, largest = Counter[str](), 0, 0.0, 0
    for case in cases():
        with tempfile.TemporaryDirectory() as folder:
            found = outcome(case, Path(folder), options.limit, options.train)
        slowest, largest = max(slowest, found.seconds), max(largest, found.memory)
        wrong = found.what not in case.right
        counts[f"{found.what}{', wrongly' if wrong else ''}"] += 1
        bad += wrong
        if wrong or options.show:
            print(f"{'!! ' if wrong else ''}{case.name}: {found.what}: {found.line[:300]}")
    print(f"{sum(counts.values())} files, the slowest {slowest:.2f} s, at most {largest >> 20} MiB:")
    for name, count in counts.most_common():
        print(f"  {name}: {count}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
