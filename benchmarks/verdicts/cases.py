"""Labeled runs and what was said of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from diagnostics import Diagnosis, Run, read
from diagnostics.diagnosis.diagnose import Basis, diagnose_with_basis
from diagnostics.outlook.fitted import Fitted
from diagnostics.rules import RULES, Rule

LEAST_CONFIDENCE = 0.65
"""Labels that the labeler was less sure of are not scored."""


@dataclass(frozen=True)
class Labeled:
    """A run with its label, the source that it comes from, and what else it may be called."""

    name: str
    source: str
    label: str
    run: Run
    accepted: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """One labeled run and what was said of it, by us or by a rival."""

    name: str
    source: str
    label: str
    said: str
    cause: str | None = None
    confidence: float = 0.0
    diagnosis: Diagnosis | None = None
    accepted: frozenset[str] = frozenset()
    basis: Basis | None = None

    @property
    def right(self) -> bool:
        """Whether the run was called by its label, or by another that is let pass."""
        return self.label == self.said or self.said in self.accepted


def labeled(folder: Path) -> list[Labeled]:
    """The runs of ``folder/manifest.json`` whose label counts, read; ``SystemExit`` with a line without a manifest."""
    manifest = folder / "manifest.json"
    if not manifest.is_file():
        raise SystemExit(f"{manifest}: no such file; --runs needs a folder with a manifest.json")
    rows = json.loads(manifest.read_text("utf-8"))
    rows = [row for row in rows if row["label"] is not None and row.get("confidence", 1.0) >= LEAST_CONFIDENCE]
    return [
        Labeled(row["id"], row.get("source", {}).get("repo", row["id"]), row["label"], read(folder / row["file"]))
        for row in rows
    ]


def diagnosed(runs: Sequence[Labeled], rules: tuple[Rule, ...] = RULES, look: Fitted | None = None) -> list[Case]:
    """What ``diagnose`` says of each run; ``look`` replaces the model of what a whole run looks like."""
    found = []
    for item in runs:
        verdict, basis = diagnose_with_basis(item.run, rules, look=look)
        said = (str(verdict.label), verdict.cause, verdict.confidence, verdict)
        found.append(Case(item.name, item.source, item.label, *said, item.accepted, basis))
    return found


def answered(runs: Sequence[Labeled], says: Callable[[Run], str]) -> list[Case]:
    """What a rival says of each run."""
    return [Case(item.name, item.source, item.label, says(item.run)) for item in runs]


def as_overfit_or_not(cases: Sequence[Case]) -> list[Case]:
    """The same answers to the simpler question whether a run overfits: every other label is ``not``."""
    binary = {"overfit": "overfit"}
    return [replace(c, label=binary.get(c.label, "not"), said=binary.get(c.said, "not")) for c in cases]
