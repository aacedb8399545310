"""The estimate of the rate as it is fitted without a table: what a table is judged by must not have seen it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from unittest.mock import patch

from benchmarks.rate.fit import fit
from benchmarks.rate.sources import Placed, all_known, kin, placed
from diagnostics.rate.likelihood import Likelihood

NETWORKS = 80
"""Sweeps of small networks in the fit, as ``benchmarks.rate`` has them."""


@contextmanager
def estimated_without(table: str) -> Iterator[None]:
    """The estimate of the rate as it is fitted without a table, and without others on the same runs.

    Verdicts must be made inside; those that were made before stay as they are.
    """
    model = _fitted_without(kin(table))
    with patch("diagnostics.rate.estimate.fitted", lambda: model):
        yield


@lru_cache(maxsize=1)
def _fitted_without(name: str) -> Likelihood:
    """The fit without the runs of a source and of its kin."""
    return fit([run for run in _fitted_on() if kin(run.source) != name])


@lru_cache(maxsize=1)
def _fitted_on() -> list[Placed]:
    """The runs that the estimate is fitted on, without the labeled curves of others and the fresh runs."""
    return placed(all_known(None, NETWORKS))
