"""The order in which reports list runs: the worst label first, and the surest verdict of each label first."""

from __future__ import annotations

from collections.abc import Iterable

from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis, Label

SEVERITY = list(Label)


def severity(diagnosis: Diagnosis) -> tuple[int, float]:
    """What runs are sorted by; runs that are alike keep their order."""
    return SEVERITY.index(diagnosis.label), -diagnosis.confidence


def worst_first(pairs: Iterable[tuple[Run, Diagnosis]]) -> list[tuple[Run, Diagnosis]]:
    """The runs, the worst first."""
    return sorted(pairs, key=lambda pair: severity(pair[1]))
