"""How often does a run fail by bad luck? What the search's model of a run takes for granted, counted on its tables.

    python -m benchmarks.search.failures

Of the settings that three seeds or more were trained with, and whose median learns most of what there is, it counts the
runs that end far from that median, in deviations that are usual between seeds of the method. A failure is one-sided.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.search.table import Table, load_all
from diagnostics.model.curves import FloatArray
from tuner.search.run_model.form import SIGMA
from tuner.search.run_model.priors import Normal, prior

FAR, MOST = 3.0, 0.7
"""Deviations from the median; the share of the table's descent, in logarithms, that a setting's median must have."""
LEAST_SEEDS = 3


def main() -> int:
    """Print the counts for the loss of tokens and for that of preferences."""
    tables = [table for unseen in (False, True) for table in load_all(unseen=unseen) if table.sign > 0]
    for method in ("sft", "dpo"):
        found = np.concatenate([off(table, method) for table in tables if ("dpo" in table.name) == (method == "dpo")])
        worse, better = (f"{np.mean(sign * found > FAR):.1%}" for sign in (1, -1))
        print(f"{method}: of {found.size} runs {worse} end {FAR:g} deviations worse, {better} as much better")
    return 0


def off(table: Table, method: str) -> FloatArray:
    """How far the runs of the settings that learn lie above the median of their setting, in usual deviations."""
    usual = float(np.exp(prior(method, Normal(0.0, 1.0), Normal(0.0, 1.0), is_loss=True)[0][SIGMA]))
    values = [np.log([table.value(run) for run in by_seed.values()]) for by_seed in table.runs.values()]
    start = max(float(one[np.isfinite(one)].max()) for one in values if np.isfinite(one).any())
    least = float(np.log(table.truths[table.best]))
    many = [one for one in values if one.size >= LEAST_SEEDS and np.median(one) <= start - MOST * (start - least)]
    return np.concatenate([(one - np.median(one)) / usual for one in many]) if many else np.empty(0)


if __name__ == "__main__":
    sys.exit(main())
