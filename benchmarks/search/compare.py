"""How much training does each strategy need? Every study is replayed on tables of runs that were really trained.

    python -m benchmarks.search.compare                    # all tables, all strategies, 30 seeds
    python -m benchmarks.search.compare --tables stories --seeds 10 --strategies diagnosis GP
    python -m benchmarks.search.compare --json all.json    # then, after a change of ours alone:
    python -m benchmarks.search.compare --known all.json --strategies diagnosis
    python -m benchmarks.search.compare --unseen           # on the tables that nothing was chosen on
    python -m benchmarks.search.compare --left-out         # with the estimate of the rate fitted without each table
    python -m benchmarks.search.compare --draws 4 --strategies diagnosis   # each study with four draws of our particles

All strategies start from the same trial 0 and pay in the same coin: a run costs its training steps (a batch of another
size sees the same samples, so every full run costs the same), a pruned run what it used. A setting is worth the mean
over its seeds; a study trains with one of them, and ours repeats some settings with the others, for which it pays.
"kept" is when what a strategy holds for the best is within 1 % of the table's best for good, "trained" when a setting
that good was trained for the first time, "tied" when one was that is as good to within one standard error of its
seeds. CMA-ES needs ``pip install cmaes``.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.rate.left_out import estimated_without
from benchmarks.search.replay import (
    STARTS,
    Course,
    course_of,
    paid_until,
    paid_until_tied,
    paid_until_trained,
    regret_after,
    replay,
)
from benchmarks.search.strategies import OURS, STRATEGIES
from benchmarks.search.table import Judge, Table, load_all
from tuner.search.run_model.posterior import drawn_from

SEEDS = 30
TRIALS = 24
AFTER = (4, 8, 12, 20)
RIVALS = ("TPE", "GP")
DRAW = 7919
"""So far apart are the seeds of two draws of our particles."""
NEVER_COUNTS = 2
"""A study that never comes there counts as if it had come so many runs after its last trial."""


@dataclass(frozen=True)
class Replays:
    """Which tables are replayed, and for how many trials; ``left_out`` fits the estimate of the rate without each."""

    folder: Path | None
    unseen: bool
    left_out: bool
    trials: int


Job = tuple[str, str, str, int, int, Replays]
Courses = dict[tuple[str, str, str], list[Course]]
READINGS: tuple[tuple[str, Callable[[Course, float], float]], ...] = (
    ("kept", paid_until),
    ("trained", paid_until_trained),
    ("tied", paid_until_tied),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay, print the tables, and return 1 where the goal is missed."""
    given = _parser().parse_args(arguments)
    replays = Replays(given.runs, given.unseen, given.left_out, given.trials)
    tables = [name for name in _tables(replays) if _wanted(name, given.tables)]
    if not tables:
        raise SystemExit("no such table; train it with python -m benchmarks.search.make")
    chosen = given.strategies or [strategy.name for strategy in STRATEGIES]
    courses = _known(given.known) if given.known else {}
    courses = {key: many for key, many in courses.items() if key[1] not in chosen}
    jobs: list[Job] = [
        (table, name, start, seed, draw, replays)
        for table in tables
        for name in chosen
        for start in STARTS
        for seed in range(given.seeds)
        for draw in range(given.draws if name == OURS else 1)
    ]
    with ProcessPoolExecutor(given.workers) as pool:
        for job, course in zip(jobs, pool.map(_course, jobs, chunksize=4), strict=True):
            courses.setdefault(job[:3], []).append(course)
    if given.json:
        given.json.write_text(json.dumps(_figures(courses)), encoding="utf-8")
    names = [
        s.name for s in STRATEGIES if all((table, s.name, start) in courses for table in tables for start in STARTS)
    ]
    for table in tables:
        _print_table(table, names, courses)
    _print_means(tables, names, courses)
    if given.draws > 1 and OURS in names:
        _print_draws([many for key, many in courses.items() if key[1] == OURS], given.draws)
    return max(_verdict(reading, paid, tables, names, courses) for reading, paid in READINGS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", help="names of tables, or how they begin (default: all)")
    parser.add_argument("--strategies", nargs="*", choices=[s.name for s in STRATEGIES])
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument(
        "--draws", type=int, default=1, help="replay each study of ours with so many draws of particles"
    )
    parser.add_argument("--trials", type=int, default=TRIALS)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=Path, metavar="FOLDER", help="rows of benchmarks.search.make, not yet packed")
    parser.add_argument("--unseen", action="store_true", help="the tables that are only for scoring")
    parser.add_argument(
        "--left-out", action="store_true", help="fit the estimate of the rate without the table replayed"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every course as well")
    parser.add_argument("--known", type=Path, metavar="FILE", help="courses of an earlier --json, not replayed again")
    return parser


def _wanted(name: str, given: Sequence[str] | None) -> bool:
    return not given or any(name.startswith(one) for one in given)


@cache
def _tables(replays: Replays) -> dict[str, tuple[Table, Judge]]:
    """The tables of this process, each with its own verdicts."""
    return {table.name: (table, Judge(table)) for table in load_all(replays.folder, unseen=replays.unseen)}


def _course(job: Job) -> Course:
    import optuna
    import torch

    torch.set_num_threads(1)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    name, chosen, start, seed, draw, replays = job
    table, judge = _tables(replays)[name]
    strategy = next(s for s in STRATEGIES if s.name == chosen)
    with drawn_from(DRAW * draw), estimated_without(name) if replays.left_out else nullcontext():
        return course_of(replay(table, judge, strategy, STARTS[start], seed, replays.trials))


def _figures(courses: Courses) -> list[dict[str, object]]:
    return [
        {"table": table, "strategy": name, "start": start, **asdict(course)}
        for (table, name, start), many in courses.items()
        for course in many
    ]


def _known(path: Path) -> Courses:
    """The courses that an earlier run has written."""
    courses: Courses = {}
    for row in json.loads(path.read_text(encoding="utf-8")):
        key = (row.pop("table"), row.pop("strategy"), row.pop("start"))
        courses.setdefault(key, []).append(Course(**{name: tuple(values) for name, values in row.items()}))
    return courses


def quartiles(values: Sequence[float]) -> tuple[float, float, float, float]:
    """Median, lower and upper quartile, and the worst, where some may be infinite."""
    ordered = sorted(values)
    at = [ordered[min(len(ordered) - 1, math.ceil(q * len(ordered)) - 1)] for q in (0.5, 0.25, 0.75, 1.0)]
    return at[0], at[1], at[2], at[3]


def _print_table(table: str, names: Sequence[str], courses: Courses) -> None:
    print(f"\n{table}: runs paid until the best is within 1 % (0.3 %) of the table's best, regret after trials")
    for start in STARTS:
        print(f"\n  trial 0 {start}")
        heads = "".join(f"{head:>9}" for head in ("0.3 %", "trained", "tied", *(f"after {n}" for n in AFTER)))
        print(f"  {'strategy':<18}{'kept 1 %':>9}{'quartiles':>16}{'worst':>8}{heads}")
        for name in names:
            many = courses[table, name, start]
            middle, low, high, worst = quartiles([paid_until(course, 0.01) for course in many])
            fine = quartiles([paid_until(course, 0.003) for course in many])[0]
            first = quartiles([paid_until_trained(course, 0.01) for course in many])[0]
            tied = quartiles([paid_until_tied(course, 0.01) for course in many])[0]
            regrets = "".join(f"{np.median([regret_after(course, n) for course in many]):>9.1%}" for n in AFTER)
            spread = f"{_runs(low)} to {_runs(high)}"
            print(
                f"  {name:<18}{_runs(middle):>9}{spread:>16}{_runs(worst):>8}{_runs(fine):>9}"
                f"{_runs(first):>9}{_runs(tied):>9}{regrets}"
            )


def _print_means(tables: Sequence[str], names: Sequence[str], courses: Courses) -> None:
    """A line for each table and strategy."""
    print("\nmean runs paid until a setting within 1 % of the best is trained (never) / 10 % / tied, by start; studies")
    for table in tables:
        for name in names:
            cells = [_means(courses[table, name, start]) for start in STARTS]
            print(
                f"  {table:<20}{name:<17}" + "   ".join(cells) + f"{len(courses[table, name, next(iter(STARTS))]):>5}"
            )


def _means(many: Sequence[Course]) -> str:
    readings = ((paid_until_trained, 0.01), (paid_until_trained, 0.1), (paid_until_tied, 0.01))
    near, wide, tied = (
        [min(paid(course, within), len(course.paid) + NEVER_COUNTS) for course in many] for paid, within in readings
    )
    never = float(np.mean([math.isinf(paid_until_trained(course, 0.01)) for course in many]))
    return f"{np.mean(near):5.1f} ({never:4.0%}) /{np.mean(wide):5.1f} /{np.mean(tied):5.1f}"


def _print_draws(ours: Sequence[Sequence[Course]], draws: int) -> None:
    """How much one draw of our particles moves a study; the draws of a study stand side by side."""
    counted = [[min(paid_until_trained(one, 0.01), len(one.paid) + NEVER_COUNTS) for one in many] for many in ours]
    studies = np.concatenate([np.reshape(many, (-1, draws)) for many in counted])
    apart, alike = math.sqrt(studies.var(axis=1, ddof=1).mean()), float((np.ptp(studies, axis=1) < 1e-9).mean())
    print(f"\n{draws} draws of our particles: studies differ by {apart:.2f} runs (rms), {alike:.0%} not at all")


def _runs(paid: float) -> str:
    return "never" if math.isinf(paid) else f"{paid:.1f}"


def _verdict(
    reading: str,
    paid: Callable[[Course, float], float],
    tables: Sequence[str],
    names: Sequence[str],
    courses: Courses,
) -> int:
    """Print our runs paid as a share of each rival's; 1 where the goal is missed."""
    rivals = [name for name in RIVALS if name in names]
    if OURS not in names or not rivals:
        return 0
    print(f"\nour median runs until 1 % ({reading}) by the rival's (goal: 0.33 from bad starts, 1.1 near the best)")
    missed = 0
    for table in tables:
        for start in STARTS:
            ours = quartiles([paid(course, 0.01) for course in courses[table, OURS, start]])[0]
            goal = 1.1 if STARTS[start] == 0 else 1 / 3
            shares = []
            for rival in rivals:
                many = courses[table, rival, start]
                theirs = quartiles([paid(course, 0.01) for course in many])[0]
                never = math.isinf(theirs)  # then it needs more than all that was paid
                share = ours / (float(np.median([course.paid[-1] for course in many])) if never else theirs)
                missed += not share <= goal
                text = "neither ever" if never and math.isinf(ours) else f"{'under ' * never}{share:.2f}"
                shares.append(f"{rival} {text}{'' if share <= goal else ' (missed)'}")
            print(f"  {table:<22}{start:<20}{'   '.join(shares)}")
    return int(missed > 0)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
