"""How much sooner do several workers find a good setting? Studies replayed on trained tables, with a clock.

    python -m benchmarks.search.parallel                    # all tables, 1, 2, 4 and 8 workers, 5 seeds
    python -m benchmarks.search.parallel --tables stories --seeds 10 --workers 1 4 --strategies diagnosis TPE

A whole run takes one unit of time on every worker, a stopped one its share of that. A worker that is free asks for the
next trial at once, while the others' trials are still running: they are what a proposal of one worker has to guess.
TPE and GP guess as Optuna has it: trials that are running count as bad ones (a constant liar), or as what is expected.
Printed are medians over seeds and the three starts, until a setting within 1 % of the table's best was trained: the
runs paid by all workers together, and the time; and how often that never happened.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import math
import sys
import warnings
from collections.abc import Iterator, Sequence

import numpy as np
import optuna

from benchmarks.search.replay import STARTS, start_of
from benchmarks.search.strategies import OURS, STRATEGIES, Strategy
from benchmarks.search.table import Judge, Table, load_all
from tuner.search.attributes import DIVERGED
from tuner.search.distributions import suggest
from tuner.search.log_diagnosis import record
from tuner.search.seeds import replicate_of

TRIALS, WITHIN = 24, 0.01
WORKERS = (1, 2, 4, 8)
RIVALS = (OURS, "TPE", "GP")


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay, and print a row for each table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", help="names of tables, or how they begin (default: all)")
    parser.add_argument("--unseen", action="store_true", help="the tables on which nothing was chosen")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--workers", type=int, nargs="*", default=WORKERS)
    parser.add_argument("--strategies", nargs="*", choices=[s.name for s in STRATEGIES], default=RIVALS)
    given = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    heads = "".join(f"{f'{n} workers: runs':>18}{'time':>8}{'never':>8}" for n in given.workers)
    print(f"{'table':<22}{'strategy':<12}{heads}")
    for table in load_all(unseen=given.unseen):
        if not given.tables or table.name.startswith(tuple(given.tables)):
            judge = Judge(table)
            for strategy in (one for one in STRATEGIES if one.name in given.strategies):
                cells = "".join(_cells(table, judge, strategy, n, given.seeds) for n in given.workers)
                print(f"{table.name:<22}{strategy.name:<12}{cells}", flush=True)
    return 0


def _cells(table: Table, judge: Judge, strategy: Strategy, workers: int, seeds: int) -> str:
    pairs = [
        until_found(table, judge, strategy, start, seed, workers) for start in STARTS.values() for seed in range(seeds)
    ]
    runs, times = (float(np.median(column)) for column in zip(*pairs, strict=True))
    never = float(np.mean([math.isinf(time) for _, time in pairs]))
    return f"{runs:>18.1f}{times:>8.1f}{never:>8.0%}"


def until_found(
    table: Table, judge: Judge, strategy: Strategy, offset: int, seed: int, workers: int, trials: int = TRIALS
) -> tuple[float, float]:
    """Runs paid by all workers, and the time, until a setting within 1 % of the best was trained; infinite if never."""
    study = optuna.create_study(sampler=strategy.sampler(seed, table.space), pruner=strategy.pruner())
    study.enqueue_trial(start_of(table, offset))
    courses = (_trial(study, table, judge, strategy, seed) for _ in range(trials))
    order, paid = itertools.count(), 0.0
    queue = [(0.0, next(order), 0.0, course) for course in itertools.islice(courses, workers)]
    while queue:
        now, _, done, course = heapq.heappop(queue)
        try:
            share = next(course)
        except StopIteration as end:
            if end.value <= WITHIN:
                return paid, now
            following = next(courses, None)  # the worker is free
            if following is not None:
                heapq.heappush(queue, (now, next(order), 0.0, following))
            continue
        paid += share - done
        heapq.heappush(queue, (now + share - done, next(order), share, course))
    return math.inf, math.inf


def _trial(study: optuna.Study, table: Table, judge: Judge, strategy: Strategy, seed: int) -> Iterator[float]:
    """A trial: yields the share of the schedule at which something happens, and returns the regret of its setting."""
    trial = study.ask()
    at = table.nearest(suggest(trial, table.space))
    run = table.run(at, seed + replicate_of(trial))
    curve, share = run.curve(table.metric), 1.0
    for step, value in zip(curve.steps, curve.values, strict=True) if curve is not None else ():
        share = float(step / run.last_step)
        if not 0 < share < 1:
            continue
        yield share
        if strategy.reads_curves:
            record(trial, judge.part(run, share), judge.of(run, share), metric=table.metric, share=share)
        trial.report(float(table.sign * value), round(1000 * share))
        if trial.should_prune():
            break
    else:
        share = 1.0
        yield share
    value = table.value(judge.part(run, share))
    if strategy.reads_curves:
        record(trial, judge.part(run, share), judge.of(run, share), metric=table.metric, share=share)
    if share == 1 and math.isfinite(value):
        trial.report(value, 1000)
    kept = study.get_trials(deepcopy=False)[trial.number].user_attrs
    study.tell(trial, _bad(study, value) if kept.get(DIVERGED) or not math.isfinite(value) else value)
    return table.regret(at)


def _bad(study: optuna.Study, value: float) -> float:
    """A value worse than all so far, for a run that diverged."""
    known = [one.value for one in study.get_trials(deepcopy=False) if one.value is not None]
    worst = max([*known, *([value] if math.isfinite(value) else [])], default=1.0)
    return worst + 0.05 * abs(worst)


if __name__ == "__main__":
    sys.exit(main())
