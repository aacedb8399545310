"""Does a study stop too early, or never? The rule is asked after each trial of studies replayed on trained tables.

    python -m benchmarks.search.stopping                    # all tables, three starts, 30 seeds
    python -m benchmarks.search.stopping --tables tiny --seeds 5 --workers 1

Each study goes on to 40 trials whatever the rule says, so what stopping lost is known: the true value (the mean over
seeds) of the best setting at the stop, against that of the best setting after 24 and after 40 trials. No constant of
the rule was chosen on the ``stories`` table.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import optuna
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial

from benchmarks.search.replay import STARTS, replay
from benchmarks.search.strategies import OURS, STRATEGIES, Space
from benchmarks.search.table import Judge, Table, load_all
from tuner.search.noise import RELATIVE_NOISE_FLOOR
from tuner.search.stopping import should_stop
from tuner.search.trial_view import TrialView, trial_view
from tuner.search.winner import held_for_best

SEEDS = 30
LATER = (24, 40)
"""What going on would have gained is asked after so many trials; the last is also where a study ends anyway."""
HELD_OUT = "stories"
Job = tuple[str, str, int]


@dataclass(frozen=True)
class Stop:
    """One study: after how many trials it stopped (None: never), and the regret there and later, by trials."""

    table: str
    start: str
    seed: int
    trials: int | None
    regret: float
    later: Mapping[int, float]

    def gained(self, trials: int) -> float:
        """What going on to so many trials would have bettered, as a share of the table's best value."""
        return self.regret - self.later[trials] if self.trials is not None and self.trials < trials else 0.0


def stop_of(table: Table, judge: Judge, start: str, seed: int) -> Stop:
    """Where one replayed study stopped, and what it would have found later."""
    studies: list[Study] = []
    ours = next(strategy for strategy in STRATEGIES if strategy.name == OURS)

    def watched(seed: int, space: Space) -> BaseSampler:
        sampler = ours.sampler(seed, space)
        before = sampler.before_trial

        def noted(study: Study, trial: FrozenTrial) -> None:
            studies.append(study)
            before(study, trial)

        sampler.before_trial = noted  # type: ignore[method-assign]  # the replay keeps its study to itself
        return sampler

    replay(table, judge, replace(ours, sampler=watched), STARTS[start], seed, max(LATER))
    trials = [trial_view(trial, 1.0) for trial in studies[0].get_trials(deepcopy=False)]
    stopped = stopped_after(trials, table.space)
    regret = regret_of(trials[:stopped], table)
    return Stop(table.name, start, seed, stopped, regret, {n: regret_of(trials[:n], table) for n in LATER})


def stopped_after(trials: Sequence[TrialView], space: Space) -> int | None:
    """After how many of these trials the rule first says that it is enough; None when it never does."""
    counts = range(1, len(trials) + 1)
    return next((count for count in counts if should_stop(trials[:count], space) is not None), None)


def regret_of(trials: Sequence[TrialView], table: Table) -> float:
    """How far the best of the trials lies from the table's best setting; as far as trial 0 where all diverged."""
    best = held_for_best(trials, table.space) or trials[0]
    return table.regret(table.nearest(best.settings))


def seeds_differ(table: Table) -> float:
    """Two standard deviations between seeds at the best setting, at least 0.3 %, as a share of the best value."""
    return max(RELATIVE_NOISE_FLOOR, 2 * table.noise_at(table.best) / abs(table.truths[table.best]))


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay, print what stopping cost, and return 1 where a study stops too early or hardly ever."""
    given = _parser().parse_args(arguments)
    tables = [table for table in load_all() if not given.tables or table.name.startswith(tuple(given.tables))]
    if not tables:
        raise SystemExit("no such table; train it with python -m benchmarks.search.make")
    jobs = [(table.name, start, seed) for table in tables for start in STARTS for seed in range(given.seeds)]
    with ProcessPoolExecutor(given.workers) as pool:
        stops = list(pool.map(_job, jobs))
    if given.json:
        given.json.write_text(json.dumps([asdict(stop) for stop in stops]), encoding="utf-8")
    return max([_print(table, [stop for stop in stops if stop.table == table.name]) for table in tables])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", help="names of tables, or how they begin (default: all)")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every study as well")
    return parser


@cache
def _tables() -> dict[str, tuple[Table, Judge]]:
    """The tables of this process, each with its own verdicts."""
    return {table.name: (table, Judge(table)) for table in load_all()}


def _job(job: Job) -> Stop:
    import torch

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    name, start, seed = job
    return stop_of(*_tables()[name], start, seed)


def _print(table: Table, stops: Sequence[Stop]) -> int:
    """Print a table's studies by their start; 1 where stopping costs more than noise, or most never stop."""
    noise, missed = seeds_differ(table), 0
    held_out = ", left out when the rule was made" if table.name.startswith(HELD_OUT) else ""
    print(f"\n{table.name} (noise: {noise:.1%}{held_out})")
    heads = "".join(f"{f'gained by {n}':>14}{'9 of 10 under':>15}" for n in LATER)
    print(f"  {'trial 0':<20}{'stopped':>8}{'after':>7}{'quartiles':>12}{'regret there':>14}{heads}")
    for start in STARTS:
        mine = [stop for stop in stops if stop.start == start]
        ended = [stop for stop in mine if stop.trials is not None]
        gains = {n: [stop.gained(n) for stop in ended] for n in LATER}
        missed += len(ended) < len(mine) / 2 or any(_high(values) > noise for values in gains.values())
        print(f"  {start:<20}{len(ended) / len(mine):>8.0%}{_row(ended, gains)}")
    return int(missed > 0)


def _row(ended: Sequence[Stop], gains: Mapping[int, Sequence[float]]) -> str:
    if not ended:
        return ""
    low, middle, high = np.percentile([stop.trials or 0 for stop in ended], (25, 50, 75))
    shown = "".join(f"{float(np.median(values)):>14.2%}{_high(values):>15.2%}" for values in gains.values())
    regret = float(np.mean([stop.regret for stop in ended]))
    return f"{middle:>7.0f}{f'{low:.0f} to {high:.0f}':>12}{regret:>14.2%}{shown}"


def _high(values: Sequence[float]) -> float:
    return float(np.percentile(values, 90)) if values else 0.0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
