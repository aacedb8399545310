"""Labeled runs that learn from rewards: how often the verdict is right, and what others say of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.verdicts.cases import Case, Labeled, diagnosed
from benchmarks.verdicts.rivals.rewards import DOCTORS
from diagnostics import read

LIST = "labels.json"
SOUND = ("healthy", "unknown")
COLLAPSED = "collapsed"


def labeled_rewards(folder: Path) -> dict[Labeled, str]:
    """The runs of ``folder/labels.json``, each with the detail of its label; one that nobody can judge is unknown."""
    rows = json.loads((folder / LIST).read_text("utf-8"))
    return {_labeled(folder, row): str(row.get("detail", "")) for row in rows}


def _labeled(folder: Path, row: Mapping[str, Any]) -> Labeled:
    source = row.get("source", {}).get("repo", row["id"])
    return Labeled(row["id"], source, row["label"] or "unknown", read(folder / row["file"]))


def tables(runs: Mapping[Labeled, str]) -> Iterator[str]:
    """A line for each run, then how many of each kind each program calls sick."""
    cases = diagnosed(list(runs))
    yield f"{'run':<28}{'label':<28}{'said':<42}{'sure':>5}  alarms of others"
    for case, item in zip(cases, runs, strict=True):
        others = ", ".join(name for name, alarm in DOCTORS.items() if alarm(item.run))
        label, said = f"{case.label} ({runs[item]})", f"{case.said} ({case.cause or 'no fault'})"
        mark = " " if case.right else "!"
        yield f"{case.name:<28}{label:<28}{mark}{said:<41}{case.confidence:>5.2f}  {others}"
    yield ""
    yield from _totals(runs, cases)


def _totals(runs: Mapping[Labeled, str], cases: Sequence[Case]) -> Iterator[str]:
    """Collapsed runs found, other sick runs found and sound runs called sick, by us and by each program."""
    kinds = {
        "collapsed": [item for item in runs if runs[item] == COLLAPSED],
        "other faults": [item for item in runs if item.label not in SOUND and runs[item] != COLLAPSED],
        "sound": [item for item in runs if item.label in SOUND],
    }
    ours = {case.name: case.said not in SOUND for case in cases}
    yield f"{'called sick':<20}" + "".join(f"{f'{kind} ({len(group)})':>20}" for kind, group in kinds.items())
    yield f"{'tuner':<20}" + "".join(f"{sum(ours[i.name] for i in group):>20}" for group in kinds.values())
    for name, alarm in DOCTORS.items():
        yield f"{name:<20}" + "".join(f"{sum(alarm(i.run) for i in group):>20}" for group in kinds.values())
    right = sum(case.right for case in cases)
    yield ""
    yield f"called by its label: {right} of {len(cases)}"


def missed(runs: Mapping[Labeled, str]) -> bool:
    """Whether a collapse was not found, or more than one in twenty sound runs was called sick."""
    cases = {case.name: case for case in diagnosed(list(runs))}
    lost = any(cases[item.name].said != "unstable" for item in runs if runs[item] == COLLAPSED)
    sound = [cases[item.name] for item in runs if item.label in SOUND]
    return lost or sum(case.said not in SOUND for case in sound) > 0.05 * len(sound)
