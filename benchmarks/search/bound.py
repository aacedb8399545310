"""How few runs could a search need on the tables of DPO? What seeds tell, and our search told what it has to learn.

    python -m benchmarks.search.bound
    python -m benchmarks.search.bound --tables unseen later-even --seeds 4 --draws 2

For each table: how many settings lie within 1, 2 and 10 % of the best, by how much the seeds of those differ, and how
often another draw of as many seeds (a bootstrap) names a best setting that lies beyond 1 % of today's; how deep the
form's descent is, and by how many decades ten times the updates and the batch move descent and edge; by how many
decades the best rate of the table's ladder lies above the form's, and above that of a ladder of the form. Then the mean
runs paid until a setting within 1 % is trained, by start: as the search is, and as it would be if it knew the form's
constants for that very table, fitted to all its settings and seeds: how far descent and edge move with batch and rank,
how deep and how steep the descent is. Only where the rates lie, the noise, and what the form misses are left to find.
Last the mean regret of what is held for the best after four trials: as the search is, if it knew the constants, and if
it was shown the best setting of the table (trial 1 trains it, so only which one to hold is left to find), beside the
standard error of what that setting is worth.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.rate.sources import best_rate
from benchmarks.search.compare import DRAW, NEVER_COUNTS
from benchmarks.search.replay import STARTS, course_of, paid_until_trained, regret_after, replay, start_of
from benchmarks.search.strategies import OURS, STRATEGIES
from benchmarks.search.table import Judge, Table, load_all
from diagnostics.model.curves import FloatArray
from tuner.search.proposal import RATE
from tuner.search.run_model import form, posterior
from tuner.search.run_model.features import COORDINATES, Frame
from tuner.search.run_model.priors import Normal, prior

HEAD = (
    "settings; within 1, 2, 10 %; seeds differ; another best | depth, descent, edge; ladder | runs | runs if it knew"
    " | held after 4, if it knew, if it was shown the best; standard error of the best"
)
WITHIN = (0.01, 0.02, 0.1)
RESAMPLES = 1000
START = Normal(math.log(math.log(2)), 0.005)
"""The height of a DPO loss before training."""
KNOWN = 0.1
"""Constants that are known have this share of the prior's deviation."""
FOUND_OUT = (form.LEVEL, form.CENTER, form.SIGMA, form.MISFIT)
SEED_NOISE, FORM_NOISE, FAR_SHARE = 0.05, 0.01, 0.12
"""What the fit takes a setting's mean to be off by: noise of a seed, of the form, a share of the way to the best."""
GUESSES = 6
HELD_AFTER = 4
AS_IT_IS, TOLD, SHOWN = range(3)
"""What a replayed search knows: nothing of the table, the constants of its form, its best setting."""

Job = tuple[str, int, int, int, int, int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each table."""
    given = _parser().parse_args(arguments)
    names = [name for name in tables_of_dpo() if not given.tables or name.startswith(tuple(given.tables))]
    print(HEAD)
    with ProcessPoolExecutor(given.workers) as pool:
        for name in names:
            jobs = [
                (name, start, seed, draw, knows, HELD_AFTER if knows == SHOWN else given.trials)
                for knows in (AS_IT_IS, TOLD, SHOWN)
                for start in STARTS.values()
                for seed in range(given.seeds)
                for draw in range(given.draws)
            ]
            found = np.array(list(pool.map(_figures, jobs))).reshape(3, len(STARTS), -1, 2).mean(axis=2)
            rows = ["/".join(f"{runs:5.1f}" for runs in row) for row in found[..., 0]]
            held = [f"{regret:6.1%}" for regret in found[..., 1].mean(axis=1)]
            table = tables_of_dpo()[name][0]
            print(
                f"{name:<20} {_told_apart(table)} | {_constants(table)} | {rows[AS_IT_IS]} | {rows[TOLD]}"
                f" | {' '.join(held)}; {standard_error(table):.1%}",
                flush=True,
            )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", help="how the names of tables begin (default: all of DPO)")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--draws", type=int, default=2, help="draws of particles for each study")
    parser.add_argument("--trials", type=int, default=14)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    return parser


@cache
def tables_of_dpo() -> dict[str, tuple[Table, Judge]]:
    """The tables of DPO at a fixed beta that are judged by the loss."""
    tables = [table for unseen in (False, True) for table in load_all(unseen=unseen)]
    return {table.name: (table, Judge(table)) for table in tables if "dpo" in table.name and table.sign > 0}


def _told_apart(table: Table) -> str:
    """What the seeds of a table tell of its best settings."""
    regrets = np.array([table.regret(at) for at in table.runs])
    counts = " ".join(f"{(regrets <= width).sum():d}" for width in WITHIN)
    near = [list(by_seed.values()) for at, by_seed in table.runs.items() if table.regret(at) <= WITHIN[-1]]
    logs = [np.log([table.value(run) for run in runs]) for runs in near if len(runs) > 2]
    noise = math.sqrt(np.mean([np.var(one, ddof=1) for one in logs]))
    return f"{len(regrets):3d}; {counts}; {noise:4.0%}; {another_best(table):4.0%}"


def _constants(table: Table) -> str:
    """How deep the descent is, and how far the updates move it and the batch the edge."""
    found = fitted(table)
    descent, edge, _ = found[form.FIRST_SHIFT :].reshape(3, -1)
    updates, batch = descent[COORDINATES.index("updates")], edge[COORDINATES.index("batch_size")]
    lowest, ladder = ladder_gaps(table)
    return f"{math.exp(found[form.DEPTH]):5.2f} {updates:.2f} {batch:.2f}; {lowest:+.2f} {ladder:+.2f}"


def ladder_gaps(table: Table) -> tuple[float, float]:
    """By how many decades the best rate of the table's ladder lies above that of the form fitted to it.

    The first where the form is lowest, the second where half a decade up and down end alike; means over other knobs.
    """
    frame, found, gaps = Frame(start_of(table, 0), table.space), fitted(table), []
    ladders = {tuple(pair for pair in at if pair[0] != RATE): at for at in table.truths}
    for at in ladders.values():
        lines = form.lines(found[None], frame.points([dict(at)]).z)
        best = best_rate(table, at)
        gaps.append((best - lines.best[0, 0], best - lines.best_of_ladder[0, 0]))
    lowest, ladder = np.mean(gaps, axis=0)
    return float(lowest), float(ladder)


def another_best(table: Table) -> float:
    """How often a bootstrap of every setting's seeds names a best one that lies beyond 1 % of the table's."""
    rng = np.random.default_rng(0)
    repeated = {at: by_seed for at, by_seed in table.runs.items() if len(by_seed) > 1}
    values = [np.array([table.value(run) for run in by_seed.values()]) for by_seed in repeated.values()]
    means = np.array([one[rng.integers(0, one.size, (RESAMPLES, one.size))].mean(axis=1) for one in values])
    beyond = np.array([table.regret(at) > WITHIN[0] for at in repeated])
    return float(beyond[means.argmin(axis=0)].mean())


def standard_error(table: Table) -> float:
    """The standard error of what the best setting is worth, the mean over its seeds, as a share of it."""
    values = [table.value(run) for run in table.runs[table.best].values()]
    return float(np.std(values, ddof=1)) / math.sqrt(len(values)) / abs(table.truths[table.best])


def _figures(job: Job) -> tuple[float, float]:
    """The runs paid until a setting within 1 % is trained, and the regret of what is held after four trials."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    name, start, seed, draw, knows, trials = job
    table, judge = tables_of_dpo()[name]
    ours = next(one for one in STRATEGIES if one.name == OURS)
    with posterior.drawn_from(DRAW * draw), _knowing(fitted(table) if knows == TOLD else None):
        then = [table.best] if knows == SHOWN else []
        course = course_of(replay(table, judge, ours, start, seed, trials, then))
    return min(paid_until_trained(course, WITHIN[0]), trials + NEVER_COUNTS), regret_after(course, HELD_AFTER)


@contextmanager
def _knowing(constants: FloatArray | None) -> Iterator[None]:
    """The search with the constants of the form as they are given; as it is for None."""

    def known(*args: Any, **more: Any) -> tuple[FloatArray, FloatArray]:
        means, deviations = prior(*args, **more)
        if constants is None:
            return means, deviations
        told = np.array([column not in FOUND_OUT for column in range(form.SIZE)])
        return np.where(told, constants, means), np.where(told, KNOWN * deviations, deviations)

    with patch.object(posterior, "prior", known):
        posterior._STAGES.clear()
        yield
        posterior._STAGES.clear()


def fitted(table: Table) -> FloatArray:
    """The form's parameters for a table of DPO, by least squares with the prior, on what its settings are worth."""
    from scipy.optimize import least_squares

    rate = Normal(math.log10(dict(table.best)["learning_rate"]), 1.5)
    means, deviations = prior("dpo", START, rate, is_loss=True)
    points = Frame(start_of(table, 0), table.space).points([dict(at) for at in table.truths])
    heights = np.log(list(table.truths.values()))
    unsure = _unsure(heights, np.array([len(by_seed) for by_seed in table.runs.values()]))

    def misses(z: FloatArray) -> FloatArray:
        expected = form.mean((means + deviations * z)[None], points)[0]
        return np.concatenate([(expected - heights) / unsure, z])

    rng = np.random.default_rng(0)
    guesses = [np.zeros(form.SIZE), *rng.standard_normal((GUESSES - 1, form.SIZE)) / 2]
    best = min((least_squares(misses, guess, max_nfev=200) for guess in guesses), key=lambda one: float(one.cost))
    return np.asarray(means + deviations * best.x)


def _unsure(heights: FloatArray, seeds: np.ndarray) -> FloatArray:
    """The deviation of what settings are worth: far from the best only the order of magnitude must fit."""
    drop = START.mean - heights
    progress = np.clip(drop / drop.max(), 0.1, 1.0)
    far = FAR_SHARE * np.clip(np.minimum(heights - heights.min(), drop), 0, None)
    return np.asarray(np.sqrt((SEED_NOISE * progress) ** 2 / seeds + far**2 + FORM_NOISE**2))


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
