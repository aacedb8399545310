"""A seeded sample of the mutations that ``benchmarks/fuzz/`` makes by the ten thousand."""

from __future__ import annotations

import random

from benchmarks.fuzz.__main__ import SAMPLES, fuzz
from benchmarks.fuzz.mutations import MUTATIONS


def test_damaged_logs_are_read_or_refused_and_never_crash():
    tallies = fuzz(SAMPLES, 390, seed=1)
    assert len(tallies) >= 10
    assert {name: tally.failures for name, tally in tallies.items() if tally.failures} == {}
    assert all(tally.clean + tally.noted + tally.refused > 0 for tally in tallies.values())
    assert sum(tally.noted for tally in tallies.values()) > 100


def test_every_mutation_changes_something():
    data = b'{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2.25}\n' * 5
    for mutate in MUTATIONS:
        assert any(mutate(random.Random(seed), data) != data for seed in range(5)), mutate.__name__
