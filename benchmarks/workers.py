"""How much sooner is a study done with several workers, and is its best setting as good?

    python -m benchmarks.workers [FILE] [--workers 2] [--rounds 1] [--keep FOLDER]

Runs the whole command, ``tuner study FILE --workers N``, with one worker and with several in turn, each time in a new
folder, and compares the seconds and the metric of the best settings on the study's fresh seeds. The status is 1 where
the workers take more than 0.65 of the time of one (two workers), or where their best settings are worse by more than
two standard errors of the difference. Nothing else should run on the machine.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST = {2: 0.65}
"""The share of the time that so many workers may take on as many idle cores: the last trial and the repeats do not
always fill all of them, and each worker loads the libraries."""


@dataclass(frozen=True)
class Took:
    """One study: its seconds, its trials, and the metric of its best settings on each fresh seed (lower is better)."""

    workers: int
    seconds: float
    trials: int
    values: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The mean of the metric over the seeds."""
        return statistics.fmean(self.values)

    @property
    def error(self) -> float:
        """The standard error of that mean."""
        return statistics.stdev(self.values) / math.sqrt(len(self.values))


def took(file: Path, workers: int, out: Path) -> Took:
    """The study of the file with so many workers, run in a new folder."""
    command = [sys.executable, "-m", "tuner", "study", str(file), "--workers", str(workers), "--out", str(out)]
    began = time.monotonic()
    subprocess.run(command, check=True, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True)
    seconds = time.monotonic() - began
    known = json.loads((out / "study.json").read_text())
    sign = 1 if known["direction"] == "minimize" else -1
    values = tuple(sign * float(pair["winner"]) for pair in known["gain"]["pairs"])
    return Took(workers, seconds, len(known["trials"]), values)


def share_of_time(one: Sequence[Took], many: Sequence[Took]) -> float:
    """The time of several workers as a share of that of one, medians of the rounds."""
    return statistics.median(run.seconds for run in many) / statistics.median(run.seconds for run in one)


def is_as_good(one: Sequence[Took], many: Sequence[Took]) -> bool:
    """Whether the best settings of several workers are no worse by more than two standard errors of the difference."""
    worse = statistics.fmean(run.mean for run in many) - statistics.fmean(run.mean for run in one)
    error = math.sqrt(sum(run.error**2 for run in (*one, *many))) / len(one)
    return worse <= 2 * error


def main() -> int:
    """Run the rounds and print the table; 1 where several workers take too long or find worse settings."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=ROOT / "studies" / "sft.yaml", help="the study file")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="a folder that keeps the studies")
    given = parser.parse_args()
    found: dict[int, list[Took]] = {1: [], given.workers: []}
    print("| workers | seconds | trials | best settings on fresh seeds |", "|---|---|---|---|", sep="\n")
    with tempfile.TemporaryDirectory() as scratch:
        for turn in range(given.rounds):
            for workers in (1, given.workers) if turn % 2 == 0 else (given.workers, 1):
                run = took(given.file.resolve(), workers, (given.keep or Path(scratch)) / f"{turn}-{workers}")
                found[workers].append(run)
                values = f"{abs(run.mean):.4g} ± {2 * run.error:.2g}"
                print(f"| {workers} | {run.seconds:.0f} | {run.trials} | {values} |", flush=True)
    one, many = found[1], found[given.workers]
    share, most = share_of_time(one, many), MOST.get(given.workers, 1.0)
    good = is_as_good(one, many)
    print(f"{given.workers} workers take {share:.2f} of the time of one (at most {most}); as good: {good}")
    return int(share > most or not good)


if __name__ == "__main__":
    sys.exit(main())
