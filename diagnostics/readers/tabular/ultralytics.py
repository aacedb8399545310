"""The ``results.csv`` of Ultralytics: a loss of several parts, each a column, on training and on held-out images.

``train/box_loss`` and its kin are already weighted, so their sum is what is trained on. Of the learning rates that of
the second group of weights is the schedule: the biases in the first one start high and come down as others warm up.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diagnostics.readers.tabular.columns import Column, Columns

RATES = ("lr/pg1", "x/lr1")
SIDES = {"train/": "train_loss", "val/": "eval_loss"}
LOSS = "_loss"


def with_whole_loss(columns: Columns) -> Columns:
    """The columns with the loss of all parts and the rate of the schedule; other programs' columns as they are."""
    rate = next((name for name in RATES if name in columns.named), None)
    parts = {side: [name for name in columns.named if name.startswith(side) and name.endswith(LOSS)] for side in SIDES}
    if rate is None or len(parts["train/"]) < 2:
        return columns
    sums = {SIDES[side]: _sum([columns.named[name] for name in names]) for side, names in parts.items() if names}
    return replace(columns, named={**columns.named, **sums, "learning_rate": columns.named[rate]})


def _sum(parts: list[Column]) -> Column:
    """The sum in the rows that all parts have; of a column that the header names twice the first value counts."""
    rows = parts[0].rows
    for part in parts[1:]:
        rows = np.intersect1d(rows, part.rows)
    return Column(rows, np.sum([part.values[np.searchsorted(part.rows, rows)] for part in parts], axis=0))
