"""The sources that confidences are fitted on: what people trained, small networks, and the tables of the search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from benchmarks.search.table import Table, load_all
from benchmarks.verdicts.cases import Labeled, labeled
from benchmarks.verdicts.histories import histories
from diagnostics.model.curves import Run

NEAR, SLOW, HOT = 3.5, 1.0 / 20.0, 9.0
"""Times the best rate of a row: a run within the first is well, below the second too slow, above the third too hot."""
MISSED = 0.5
"""A rate that is far off must miss this share of the best descent: else the run is as good as any."""
RISEN = 0.05
"""A run that ends further above its own minimum, as a share of the descent, overfits as well: it is not scored."""
ROWS_OF_A_TABLE = 250


def fit_runs(folder: Path | None, trained: Sequence[Labeled], histories_of: int = 100) -> list[Labeled]:
    """All runs to fit on, each with its source; ``folder`` has people's runs, ``trained`` are networks' logs."""
    people = labeled(folder) if folder is not None else []
    return [*people, *trained, *histories(histories_of), *tables()]


def tables() -> Iterator[Labeled]:
    """The runs of the search tables whose rate is near the best one of their row, far below it or far above."""
    for table in load_all():
        if table.metric == "eval_loss":
            found = list(_of_table(table))
            kept = np.random.default_rng(0).permutation(len(found))[:ROWS_OF_A_TABLE]
            yield from (found[i] for i in sorted(kept))


def _of_table(table: Table) -> Iterator[Labeled]:
    rows: dict[tuple[tuple[str, float], ...], dict[float, Run]] = {}
    for at, by_seed in table.runs.items():
        others = tuple(pair for pair in at if pair[0] != "learning_rate")
        rows.setdefault(others, {})[dict(at)["learning_rate"]] = by_seed[min(by_seed)]
    for others, by_rate in rows.items():
        best = min(by_rate, key=lambda rate: table.value(by_rate[rate]))
        for rate, run in by_rate.items():
            accepted = _accepted(run, rate / best, table.value(by_rate[best]))
            if accepted:
                name = f"{table.name} {dict(others)} {rate:g}"
                yield Labeled(name, f"table {table.name}", accepted[0], run, frozenset(accepted))


def _accepted(run: Run, times: float, best: float) -> tuple[str, ...]:
    """What a run may be called, empty where it lies between."""
    values = run.curves["eval_loss"].values
    start, end, low = float(values[0]), float(np.median(values[-2:])), float(values.min())
    reached = (start - end) / (start - best)
    if 1.0 / NEAR <= times <= NEAR and reached > 0.9 and end - low <= RISEN * (start - best):
        return ("healthy",)
    if times <= SLOW and reached < MISSED:
        return ("underfit",)
    return ("unstable", "broken") if times >= HOT and reached < MISSED else ()
