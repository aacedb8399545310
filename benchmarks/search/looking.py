"""What does stopping runs early save, and what does it lose? Made-up searches over tables of trained runs.

    python -m benchmarks.search.looking                     # all tables but the unseen ones, 60 searches each
    python -m benchmarks.search.looking --unseen --seeds 20

Each search draws 14 settings that close in on the best one, as every sensible search does, so the figures depend on
no proposer. All its runs share a seed. It is replayed with the pruner and without: "saved" is the share of the
updates that were not trained, "lost" by how much the setting held for the best is worse in truth (the mean over
seeds), "winners stopped" how often the run that wins in the end was among the stopped ones. Diverged runs are left
out of the draws: every pruner stops those.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import optuna
from optuna.pruners import BasePruner, NopPruner

from benchmarks.search.grids import Setting
from benchmarks.search.table import Table, load_all
from diagnostics.model.curves import Run
from tuner.search.attributes import DIAGNOSIS, METHOD, METRIC, SHARE, START, STOPPED
from tuner.search.pruner import DiagnosisPruner

SEEDS = 60
TRIALS = 14
FIRST_DECADES, LAST_DECADES = 1.5, 0.4
"""How far the first and the last draws lie from the best rate: one deviation, in decades."""
LOOK = range(1, 100)


@dataclass(frozen=True)
class Course:
    """One search: the share of the updates that it trained, its best setting, and the trials that were stopped."""

    paid: float
    best: Setting
    winner: int
    stopped: frozenset[int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Replay all tables and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="*", help="names of tables, or how they begin (default: all)")
    parser.add_argument("--unseen", action="store_true", help="the tables on which nothing was chosen")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    given = parser.parse_args(arguments)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.simplefilter("ignore")
    heads = ("saved", "stopped", "lost", "9 of 10 under", "worst", "winners stopped")
    print(f"{'table':<22}" + "".join(f"{head:>17}" for head in heads))
    for table in load_all(unseen=given.unseen):
        if not given.tables or table.name.startswith(tuple(given.tables)):
            print(_row(table, given.seeds), flush=True)
    return 0


def _row(table: Table, seeds: int) -> str:
    pairs = [(course(table, seed, NopPruner()), course(table, seed, DiagnosisPruner())) for seed in range(seeds)]
    lost = [table.regret(with_it.best) - table.regret(without.best) for without, with_it in pairs]
    figures = [
        1 - float(np.mean([with_it.paid for _, with_it in pairs])),
        float(np.mean([len(with_it.stopped) for _, with_it in pairs])) / TRIALS,
        float(np.mean(lost)),
        float(np.percentile(lost, 90)),
        max(lost),
        float(np.mean([without.winner in with_it.stopped for without, with_it in pairs])),
    ]
    return f"{table.name:<22}" + "".join(f"{figure:>17.2%}" for figure in figures)


def course(table: Table, seed: int, pruner: BasePruner) -> Course:
    """One search over the table; the draws depend on the seed alone."""
    study = optuna.create_study(study_name=f"{table.name} {seed}", pruner=pruner)
    paid, stopped = 0.0, set()
    drawn = draws(table, seed)
    for setting in drawn:
        study.enqueue_trial(dict(setting))
        trial = study.ask(table.space)
        run = table.run(setting, seed)
        share = _watched(table, trial, run)
        paid += share
        if share < 1:
            stopped.add(trial.number)
        study.tell(trial, _value(table, run, share))
    winner = study.best_trial.number
    return Course(paid / len(drawn), drawn[winner], winner, frozenset(stopped))


def draws(table: Table, seed: int) -> list[Setting]:
    """The settings of one search: first 30 times too low or 10 times too high or near, then closer and closer."""
    rng = np.random.default_rng(seed)
    best = dict(table.best)
    found: list[Setting] = []
    decades = np.geomspace(FIRST_DECADES, LAST_DECADES, TRIALS)
    for number in range(50 * TRIALS):
        offset = decades[min(len(found), TRIALS - 1)] * rng.standard_normal()
        wanted = {knob: float(rng.choice(values)) for knob, values in table.axes.items()}
        wanted["learning_rate"] = best["learning_rate"] * 10**offset
        setting = table.nearest(wanted)
        if (
            (setting not in found or number > 20 * TRIALS)
            and np.isfinite(table.truths[setting])
            and _stays(table, setting, seed)
        ):
            found.append(setting)
        if len(found) == TRIALS:
            break
    return found


def _stays(table: Table, setting: Setting, seed: int) -> bool:
    """Whether the run ends no worse than it began."""
    curve = table.run(setting, seed).curve(table.metric)
    return curve is not None and not curve.broken and table.sign * (curve.values[-1] - curve.values[0]) <= 0


def _watched(table: Table, trial: optuna.Trial, run: Run) -> float:
    """How much of the run was trained, 0 to 1."""
    curve = run.curve(table.metric)
    assert curve is not None
    trial.set_user_attr(DIAGNOSIS, {"findings": []})
    trial.set_user_attr(METHOD, run.settings.method)
    trial.set_user_attr(METRIC, table.metric)
    trial.set_user_attr(START, [float(table.sign * curve.values[0]), curve.steps[0] == 0])
    for step, value in zip(curve.steps, curve.values, strict=True):
        share = float(step / run.last_step)
        if 0 < share < 1:
            trial.set_user_attr(SHARE, share)
            trial.report(float(table.sign * value), round(1000 * share))
            if trial.should_prune():
                assert STOPPED in trial.study.get_trials(deepcopy=False)[trial.number].user_attrs
                return share
    trial.set_user_attr(SHARE, 1.0)
    trial.report(_value(table, run, 1.0), 1000)
    return 1.0


def _value(table: Table, run: Run, share: float) -> float:
    curve = run.curve(table.metric)
    assert curve is not None
    return float(np.min(table.sign * curve.values[curve.steps <= share * run.last_step + 1e-9]))


if __name__ == "__main__":
    sys.exit(main())
