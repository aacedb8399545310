"""Fit what a run looks like as a whole, and show how far it holds on tasks that it was not fitted on.

    python -m benchmarks.outlook train FOLDER --seeds FIRST LAST [--kinds KIND ...]   # fresh runs; may be stopped
    python -m benchmarks.outlook gather FILE [--runs FOLDER] [--trained N] [--sweeps N] [--fresh FOLDER ...]
    python -m benchmarks.outlook fit FILE [--write]
    python -m benchmarks.outlook verdicts FILE --leave task|kind|people [--fresh FOLDER ...] [--runs FOLDER]

``gather`` keeps the features of all runs in a file. ``--runs`` is a folder of people's runs with a manifest,
``--trained`` counts tasks a family of ``benchmarks.verdicts.trained``, ``--fresh`` are folders that ``train`` or
``benchmarks.fresh --keep`` left. ``fit`` scores by tasks left out; ``--write`` puts the model into the package.
``verdicts`` diagnoses the logs of the folders of which ``gather`` made FILE, with fits that have not seen the task of a
run, its kind of task, or any of people's runs. Fitting needs scikit-learn (``pip install scikit-learn``), which nothing
else here does.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.outlook import sources
from benchmarks.outlook.fit import fit, left_out
from benchmarks.outlook.known import OUTCOMES, Known
from benchmarks.outlook.verdicts import PEOPLE, lines_of_fresh, lines_of_people, of_fresh, of_people
from diagnostics.model.curves import FloatArray
from diagnostics.outlook.fitted import FITTED, Fitted

MADE_UP, OF_A_FAMILY = 4, 150
LOST = (0.03, 0.05, 0.10)
"""Shares of the well runs that may be lost; what share of the ill ones passes for well then?"""


def gather(given: argparse.Namespace) -> None:
    """Write the features of all runs of the sources."""
    found = [*sources.searched(), *sources.sweeps(given.sweeps), *sources.made_up(MADE_UP, OF_A_FAMILY)]
    found += sources.people(given.runs) if given.runs else []
    for folder in given.fresh:
        found += sources.fresh(folder)
    if given.trained:
        from benchmarks.verdicts.trained import FAMILIES, labeled_logs

        for seed, number in ((seed, number) for seed in (0, 1) for number in range(given.trained)):
            for family in FAMILIES:
                found += sources.networks(labeled_logs(family, number, seed))
    given.file.write_text(json.dumps([run.to_dict() for run in found]), encoding="utf-8")
    print(len(found), "runs")


def score(given: argparse.Namespace) -> None:
    """Fit, print how it holds, and write the model if that is wanted."""
    runs = [Known(**row) for row in json.loads(given.file.read_text("utf-8"))]
    for line in lines(runs, left_out(runs)):
        print(line)
    if given.write:
        FITTED.write_text(as_json(fit(runs)), encoding="utf-8")


def verdicts(given: argparse.Namespace) -> None:
    """Print the verdicts by fits that have not seen the task, the kind or the source."""
    runs = [Known(**row) for row in json.loads(given.file.read_text("utf-8"))]
    if given.leave == PEOPLE:
        found = lines_of_people(of_people(runs, given.runs))
    else:
        found = lines_of_fresh(of_fresh(runs, given.fresh, by_kind=given.leave == "kind"))
    for line in found:
        print(line, flush=True)


def lines(runs: Sequence[Known], chances: FloatArray) -> list[str]:
    """What share of ill runs passes for well, by kind of source; and how far the chances hold."""
    outcome = np.array([run.outcome for run in runs])
    kinds = np.array([run.kind for run in runs])
    found = [f"tasks left out{'runs':>8}   ill runs that pass where so many of the well are lost: {LOST}"]
    for kind in [*sorted(set(kinds)), "all"]:
        of = (kinds == kind) | (kind == "all")
        well, ill = chances[of & (outcome == 0), 0], chances[of & (outcome > 0), 0]
        passed = [float(np.mean(ill >= np.quantile(well, lost))) for lost in LOST]
        found.append(f"{kind:<14}{of.sum():>8}   " + "  ".join(f"{share:.3f}" for share in passed))
    found.append("chance of   " + "  ".join(f"{low:.1f} to {low + 0.2:.1f}" for low in np.arange(0, 1, 0.2)))
    for index, name in enumerate(OUTCOMES):
        bins = np.minimum((chances[:, index] * 5).astype(int), 4)
        held = [
            f"{np.mean(outcome[bins == b] == index):>10.2f}" if (bins == b).any() else f"{'-':>10}" for b in range(5)
        ]
        found.append(f"{name:<12}" + "  ".join(held))
    return found


def as_json(model: Fitted) -> str:
    """The model as it is kept, an array in a line."""
    raw = model.to_dict()
    nodes = ",\n  ".join(json.dumps(array, separators=(",", ":")) for array in raw.pop("nodes"))
    rows = [f'"{name}": {json.dumps(value, separators=(",", ":"))}' for name, value in raw.items()]
    return "{" + ",\n ".join([*rows, f'"nodes": [\n  {nodes}]']) + "}\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, gather or fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    made = parts.add_parser("train")
    made.add_argument("folder", type=Path)
    made.add_argument("--seeds", type=int, nargs=2, required=True, metavar=("FIRST", "LAST"))
    made.add_argument("--kinds", nargs="+", help="kinds of task (default: all)")
    gathered = parts.add_parser("gather")
    gathered.add_argument("file", type=Path)
    gathered.add_argument("--runs", type=Path)
    gathered.add_argument("--trained", type=int, default=4)
    gathered.add_argument("--sweeps", type=int, default=60)
    gathered.add_argument("--fresh", type=Path, nargs="*", default=[])
    scored = parts.add_parser("fit")
    scored.add_argument("file", type=Path)
    scored.add_argument("--write", action="store_true")
    asked = parts.add_parser("verdicts")
    asked.add_argument("file", type=Path)
    asked.add_argument("--leave", choices=("task", "kind", PEOPLE), required=True)
    asked.add_argument("--fresh", type=Path, nargs="*", default=[], help="for task and kind")
    asked.add_argument("--runs", type=Path, help="for people: a folder with a manifest")
    given = parser.parse_args(arguments)
    if given.part == "verdicts" and not (given.runs if given.leave == PEOPLE else given.fresh):
        parser.error(f"--leave {given.leave} needs {'--runs' if given.leave == PEOPLE else '--fresh'}")
    if given.part == "train":
        from benchmarks.outlook.projects import KINDS, make

        make(given.folder, range(given.seeds[0], given.seeds[1] + 1), given.kinds or KINDS)
    else:
        {"gather": gather, "fit": score, "verdicts": verdicts}[given.part](given)
    return 0


if __name__ == "__main__":
    sys.exit(main())
