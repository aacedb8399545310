"""One project of one style, trained and written as the style's trainer writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.fresh.rows import Row
from benchmarks.fresh.styles import STYLES

TRIES = 3
"""A task of which even the best rate learns nothing is drawn anew so often."""


def make(style: str, seed: int, number: int, count: int, folder: Path) -> list[Row]:
    """Up to so many runs below the folder, each with its path there and its label."""
    import torch

    torch.set_num_threads(1)
    _quiet()
    for again in range(TRIES):
        rng = np.random.default_rng([seed, list(STYLES).index(style), number, again])
        found = STYLES[style](rng, count, folder / style / f"{number}")
        if found:
            return [{**row, "style": style, "path": str(row["path"].relative_to(folder))} for row in found]
    return []


def _quiet() -> None:
    """No progress bars and no advice from the libraries; nothing is looked up on the network."""
    import warnings

    import datasets
    import transformers

    warnings.simplefilter("ignore")
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()
