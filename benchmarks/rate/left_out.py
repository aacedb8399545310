"""The estimate of the rate as it is fitted without a table: what a table is judged by must not have seen it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from unittest.mock import patch

from benchmarks.rate.fit import fit
from benchmarks.rate.sources import Placed, all_known, placed
from diagnostics.rate.likelihood import Likelihood

NETWORKS = 80
"""Sweeps of small networks in the fit, as ``benchmarks.rate`` has them."""


@contextmanager
def estimated_without(table: str) -> Iterator[None]:
    """The estimate of the rate as it is fitted without a table, and without others on the same runs.

    Verdicts must be made inside; those that were made before stay as they are.
    """
    model = _fitted_without(table.partition(" ")[0])
    with patch("diagnostics.rate.estimate.fitted", lambda: model):
        yield


@lru_cache(maxsize=1)
def _fitted_without(kin: str) -> Likelihood:
    """The fit without the runs of a source: a table by its first word, for its parts are the same runs."""
    return fit([run for run in _fitted_on() if run.source.partition(" ")[0] != kin])


@lru_cache(maxsize=1)
def _fitted_on() -> list[Placed]:
    """The runs that the estimate is fitted on, without the labeled curves of others."""
    return placed(all_known(None, NETWORKS))
