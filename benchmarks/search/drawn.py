"""How many runs does the search of DPO need? On so many made-up tables that two versions of the code can be told apart.

    python -m benchmarks.search.drawn --json before.json
    python -m benchmarks.search.drawn --against before.json      # after a change: the paired difference, by start
    python -m benchmarks.search.drawn --by-prior                 # constants as the search expects them

The real tables of DPO are ten, and what they say of a change is mostly luck. Here each study has a table of its own
(`made_up`): the form's constants near those fitted to a real table, a residual that varies smoothly over the settings,
seeds that scatter as the real ones do, bad luck included, and for each run the verdict and the estimate of the rate of
a real run that stands alike. No run is stopped. Studies of one number have the same table in every version of the
code, and the same settings end there alike, so two versions differ by what they choose alone.

It prints the mean runs until a setting within 1, 2 and 10 % of the best is trained, for each start of `compare`; with
``--held`` also the regret of what is held for the best after 4, 8 and all trials. ± is one standard error.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.search.made_up import REPEATS, MadeUp, made_up
from benchmarks.search.replay import STARTS
from diagnostics.model.curves import FloatArray
from tuner.search.replicates import next_seed
from tuner.search.run_model.acquire import best_choice
from tuner.search.run_model.posterior import RunModel
from tuner.search.trial_view import TrialView
from tuner.search.winner import held_for_best

WITHIN = (0.01, 0.02, 0.1)
NEVER_COUNTS = 2
"""A study that never comes there counts as if it had come so many runs after its last trial."""
AFTER = (4, 8)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each start, and one for all."""
    given = _parser().parse_args(arguments)
    numbers = range(given.first, given.first + given.studies)
    found = {
        start: [study(made_up(at, by_prior=given.by_prior), offset, given.trials, held=given.held) for at in numbers]
        for start, offset in STARTS.items()
    }
    found["all"] = np.mean(list(found.values()), axis=0).tolist()
    before = json.loads(given.against.read_text(encoding="utf-8")) if given.against else {}
    if given.json:
        given.json.write_text(json.dumps(found), encoding="utf-8")
    print(f"{'':<20}" + "".join(f"{head:>15}" for head in heads(held=given.held)))
    for start, many in found.items():
        print(f"{start:<20}{_line(np.array(many))}")
        if start in before:
            print(f"{'  change':<20}{_line(np.array(many) - np.array(before[start][: len(many)]))}", flush=True)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--studies", type=int, default=600, help="tables; each is searched from every start")
    parser.add_argument("--first", type=int, default=0, help="the number of the first table")
    parser.add_argument("--trials", type=int, default=10)
    parser.add_argument("--by-prior", action="store_true", help="draw the constants from the priors of the search")
    parser.add_argument("--held", action="store_true", help="all trials of each study, and what it holds for its best")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every study's figures")
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="figures to compare with; from the same --first on"
    )
    return parser


def heads(*, held: bool) -> list[str]:
    """What the figures of a study are."""
    return [f"runs to {width:.0%}" for width in WITHIN] + [f"held, {n}" for n in (*AFTER, "all") if held]


def _line(rows: FloatArray) -> str:
    errors = rows.std(axis=0) / math.sqrt(len(rows))
    return "".join(f"{mean:>8.3f} ±{error:.3f}" for mean, error in zip(rows.mean(axis=0), errors, strict=True))


def study(table: MadeUp, offset: int, trials: int, *, held: bool = False) -> list[float]:
    """The figures of one study; without ``held`` it ends where a setting within the least of ``WITHIN`` was trained."""
    at = table.start(offset)
    views = [table.trial(0, dict(table.settings[at]), at, 0)]
    numbers, regrets = [at], []
    while len(views) < trials and (held or table.regret(numbers[-1]) > WITHIN[0]):
        at = _next(table, views)
        numbers.append(at)
        if held:
            best = held_for_best(views, table.plain.space)
            regrets.append(math.inf if best is None else table.regret(numbers[best.number]))
    reached = [
        next((n for n, at in enumerate(numbers, 1) if table.regret(at) <= width), trials + NEVER_COUNTS)
        for width in WITHIN
    ]
    return [*map(float, reached), *([regrets[n - 1] for n in AFTER] + regrets[-1:] if held else [])]


def _next(table: MadeUp, views: list[TrialView]) -> int:
    """Train the next trial, add it to ``views``, and say which setting it is."""
    space = table.plain.space
    model = RunModel(space).posterior(views)
    assert model is not None
    choice = best_choice(model, views, space, may_repeat=not views[-1].seed)
    assert choice is not None
    settings = dict(choice.settings)
    at = table.number(settings)
    seed = 0 if choice.repeats is None else next_seed(choice.repeats, views)
    views.append(table.trial(len(views), settings, at, seed % REPEATS))
    return at


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
