"""How often does a live view report a finding on a healthy run and take it back, with patience and without?

    python -m benchmarks.live [--seeds 10] [--runs FOLDER]

Healthy synthetic runs are checked as a live view checks them: at each evaluation, or at every 20th log point. Counts
the findings reported, those cleared later, and the verdicts other than healthy: once as if every finding were reported
at once, and once as ``diagnostics.diagnosis.live`` reports them. ``--runs`` adds the runs of a folder with a
``manifest.json`` (see ``benchmarks.diagnosis``), healthy and faulty ones separately.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

if __package__ in (None, ""):  # run as a file: the packages lie beside the folder of this script
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from diagnostics import Diagnosis, Run, diagnose, read
from diagnostics.diagnosis.live import LiveState, update
from diagnostics.model.live import FindingCleared, FindingReported, LiveEvent, VerdictChanged
from diagnostics.model.records import Label
from diagnostics.synthetic import HEALTHY, make

Checks = Sequence[tuple[float, Diagnosis]]


def checks_of(run: Run) -> Checks:
    """The verdicts that a live view would have seen, by step."""
    train, held = run.curves["train_loss"], run.curves.get("eval_loss")
    steps = held.steps if held is not None and len(held) >= 3 else train.steps[19::20]
    return [(float(step), diagnose(cut(run, float(step)))) for step in steps]


def cut(run: Run, last: float) -> Run:
    """The run as its log stood at a step."""
    curves = {name: curve.between(float("-inf"), last) for name, curve in run.curves.items()}
    return replace(run, curves=curves)


def without_patience(seen: Checks) -> Counter[str]:
    """What a view without patience says: every finding that appears, and every one that goes."""
    counts: Counter[str] = Counter()
    before: set[str] = set()
    for _, now in seen:
        found = {finding.rule for finding in now.findings}
        counts.update(said=len(found - before), cleared=len(before - found))
        before = found
    return counts


def with_patience(seen: Checks) -> Counter[str]:
    """What ``diagnostics.diagnosis.live`` says of the same checks."""
    counts: Counter[str] = Counter()
    state = LiveState()
    for step, now in seen:
        state, events = update(state, now, step)
        counts.update(said=sum(isinstance(event, FindingReported) for event in events))
        counts.update(cleared=sum(isinstance(event, FindingCleared) for event in events))
        counts.update(faults=sum(_is_fault(event) for event in events))
    return counts


def _is_fault(event: LiveEvent) -> bool:
    """Whether the event is a verdict other than healthy."""
    return isinstance(event, VerdictChanged) and event.label is not Label.HEALTHY


def show(name: str, runs: Iterable[Run]) -> None:
    """Print two lines: findings reported and taken back on these runs, without patience and with it."""
    seen = [checks_of(run) for run in runs]
    for words, listener in (("at once", without_patience), ("patient", with_patience)):
        counts = sum((listener(one) for one in seen), Counter())
        count = max(1, len(seen))
        line = f"{counts['said'] / count:6.2f} findings said and {counts['cleared'] / count:5.2f} taken back"
        print(f"{name:28} {words:8} {line} a run ({len(seen)} runs)")


def labeled(folder: Path, labels: Sequence[str]) -> list[Run]:
    """The runs of a folder that carry one of these labels and hold a training loss."""
    entries = json.loads((folder / "manifest.json").read_text("utf-8"))
    runs = [read(folder / entry["file"]) for entry in entries if entry.get("label") in labels]
    return [run for run in runs if "train_loss" in run.curves]


def main() -> None:
    """Print the counts for made-up healthy runs and, when a folder is given, for real ones."""
    parser = argparse.ArgumentParser(description="what a live view says and takes back")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--runs", type=Path)
    given = parser.parse_args()
    kinds = product(HEALTHY, (0.01, 0.03, 0.1), range(given.seeds))
    sizes = ((100, 12), (300, 0))
    made = [make(k, 0.0, n, s, logs=logs, evals=evals) for (k, n, s), (logs, evals) in product(kinds, sizes)]
    show("made-up healthy runs", made)
    if given.runs:
        show("real healthy runs", labeled(given.runs, ["healthy"]))
        show("real unstable and overfit", labeled(given.runs, ["unstable", "overfit"]))


if __name__ == "__main__":
    main()
