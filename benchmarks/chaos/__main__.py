"""What survives kills, restarts, full disks and a clock that jumps?

``python -m benchmarks.chaos [SCENARIO …] [--seconds 60] [--seed 0] [--keep FOLDER]``: for each scenario the signals
that were sent, and what must be 0: trials lost, trained again, with a value that nobody measured, blamed on memory;
processes, drafts and checkpoints left; tracebacks. The exit status is 1 where one is not. PostgreSQL's server and the
right to mount a disk in memory are needed for some.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.chaos.scenarios import SCENARIOS
from benchmarks.chaos.tally import Tally


def line(name: str, tally: Tally, seconds: float) -> str:
    """A scenario in one line."""
    sent = ", ".join(f"{count} {sign}" for sign, count in sorted(tally.signals.items())) or "no signals"
    at = f" at {len(tally.points)} points ({', '.join(sorted(tally.points))})" if tally.points else ""
    more = f", {tally.restarts} restarts" if tally.restarts else ""
    return f"{name}: {tally.lives} lives in {seconds:.0f} s, {sent}{at}{more}: {tally.counts()}"


def main() -> int:
    """Run the scenarios; 1 where something was lost."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], help="default: all")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long each goes on (default: 60)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a folder that keeps what the studies left")
    options = parser.parse_args()
    bad = False
    for name in options.scenarios or SCENARIOS:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            folder = (options.keep or Path(scratch)) / name
            folder.mkdir(parents=True)
            began = time.monotonic()
            tally = SCENARIOS[name](folder, options.seconds, random.Random(options.seed))
        print(line(name, tally, time.monotonic() - began), *tally.examples(), sep="\n", flush=True)
        bad = bad or any(tally.failures().values())
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
