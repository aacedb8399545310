"""What does a run cost whose settings are no good? The price that the search's model takes for granted, from replays.

    python -m benchmarks.search.stopped
    python -m benchmarks.search.stopped --seeds 2 --trials 10 --tables tiny-dpo

Of the runs of a study whose settings end more than 10 % above the best ones that were trained to their end before, it
prints the share that was stopped, and what they used on average of a whole run: SFT and DPO, early and later trials.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.search.replay import STARTS, replay
from benchmarks.search.strategies import OURS, STRATEGIES
from benchmarks.search.table import Judge, Table, load_all
from tuner.search.run_model.acquire import STOPPED_HEIGHT
from tuner.search.run_model.evidence import MIN_TRIALS


def main(arguments: Sequence[str] | None = None) -> int:
    """Print two lines for each method."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", default=[""], help="how the names of tables begin (default: all)")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--trials", type=int, default=10)
    given = parser.parse_args(arguments)
    tables = [table for unseen in (False, True) for table in load_all(unseen=unseen) if table.sign > 0]
    tables = [table for table in tables if table.name.startswith(tuple(given.tables))]
    for method in ("sft", "dpo"):
        of_method = [table for table in tables if ("dpo" in table.name) == (method == "dpo")]
        found = [row for table in of_method for row in worse_runs(table, given.seeds, given.trials)]
        for title, early in ((f"trials 1 to {MIN_TRIALS - 1}", True), ("later", False)):
            paid = np.array([share for number, share in found if (number < MIN_TRIALS) == early])
            if paid.size:
                print(
                    f"{method}, {title}: {paid.size} runs, {np.mean(paid < 1):.0%} stopped, {paid.mean():.2f} of a run"
                )
    return 0


def worse_runs(table: Table, seeds: int, trials: int) -> list[tuple[int, float]]:
    """The number and the share paid of every run of our studies whose settings are no good."""
    judge, ours = Judge(table), next(one for one in STRATEGIES if one.name == OURS)
    found = []
    for start in STARTS.values():
        for seed in range(seeds):
            best, before = math.inf, 0.0
            for number, point in enumerate(replay(table, judge, ours, start, seed, trials)):
                share = round(point.paid - before, 9)
                height = math.log(table.truths[point.setting])
                if height > best + STOPPED_HEIGHT:
                    found.append((number, share))
                if share == 1.0:
                    best = min(height, best)
                before = point.paid
    return found


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
