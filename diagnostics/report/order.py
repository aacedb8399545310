"""The order in which reports list runs."""

from __future__ import annotations

from collections.abc import Sequence

from diagnostics.model.records import Diagnosis, Label

SEVERITY = list(Label)


def worst_first(diagnoses: Sequence[Diagnosis]) -> list[int]:
    """The places of the diagnoses, the worst label first and the surest of a label first; else in the order given."""
    keys = [(SEVERITY.index(one.label), -one.confidence) for one in diagnoses]
    return sorted(range(len(keys)), key=keys.__getitem__)
