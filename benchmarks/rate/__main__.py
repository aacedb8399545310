"""Where does the learning rate stand: the fit of the estimate, and its scores on sources left out.

    python -m benchmarks.rate gather FILE [--runs FOLDER] [--networks 80] [--fresh FOLDER ...]
    python -m benchmarks.rate fit FILE [--only NAME] [--write]

``gather`` keeps the features of runs whose best rate is known: of the tables of the search benchmark, of sweeps of
small networks trained here, of the curves of a folder whose ``manifest.json`` gives ``lr_over_best``, and of fresh runs
that ``benchmarks.fresh --keep`` or ``benchmarks.outlook train`` left. ``fit`` leaves out each source once and scores it
by the fit on the others: coverage of the 50 and 90 % intervals, and how often a rate is told to be too low or too high.
``--write`` stores the fit on all of them as the one in use.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

if __package__ in (None, ""):  # run as a file: the packages lie beside the folder of this script
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.rate.fit import fit
from benchmarks.rate.scores import Scored, header, line
from benchmarks.rate.sources import LOGS, Placed, all_known, kept, kin, placed
from diagnostics.model.rate_estimate import NOTHING, RateEstimate
from diagnostics.rate.likelihood import FITTED, Likelihood


def main(arguments: Sequence[str] | None = None) -> int:
    """Gather, or fit and print the scores of every source left out; 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="part", required=True)
    gathered = parts.add_parser("gather")
    gathered.add_argument("file", type=Path)
    gathered.add_argument("--runs", type=Path, metavar="FOLDER", help="a folder with a manifest.json")
    gathered.add_argument("--networks", type=int, default=80, metavar="N", help="sweeps of small networks")
    gathered.add_argument("--fresh", type=Path, nargs="*", default=[], metavar="FOLDER")
    scored = parts.add_parser("fit")
    scored.add_argument("file", type=Path)
    scored.add_argument("--only", default="", metavar="NAME", help="leave out only sources whose name begins so")
    scored.add_argument("--write", action="store_true", help="store the fit as the one in use")
    given = parser.parse_args(arguments)
    if given.part == "gather":
        found = placed(all_known(given.runs, given.networks, given.fresh))
        given.file.write_text(json.dumps([run.to_dict() for run in found]), encoding="utf-8")
        print(len(found), "runs")
        return 0
    runs = kept(given.file)
    if given.write:
        write(fit(runs))
    report(runs, given.only)
    return 0


def report(runs: Sequence[Placed], only: str) -> None:
    """Leave out each source; print the evidence alone by state of logging, and evidence times prior."""
    found: dict[tuple[str, str], list[Scored]] = {}
    for source in sorted({kin(run.source) for run in runs if run.source.startswith(only)}):
        elsewhere = fit([run for run in runs if kin(run.source) != source])
        for run in (run for run in runs if kin(run.source) == source):
            evidence = elsewhere.log_density(run.features)
            for title, prior in ((f"evidence, {run.log}", NOTHING), (f"with the prior, {run.log}", run.prior)):
                scored = Scored(run.offset, RateEstimate.of(prior, evidence))
                found.setdefault((title, run.source), []).append(scored)
    for kind in ("evidence", "with the prior"):
        for log in LOGS:
            title = f"{kind}, {log}"
            print(f"\n{title}\n{header()}")
            for (of, source), scored in found.items():
                if of == title:
                    print(line(source, scored))


def write(likelihood: Likelihood) -> None:
    """Store a fit as the one in use."""
    data = {
        "knots": likelihood.knots,
        "places": likelihood.places,
        "doubt": likelihood.doubt,
        "weights": likelihood.weights.tolist(),
    }
    FITTED.write_text(json.dumps(data, separators=(",", ":")) + "\n", "utf-8")


if __name__ == "__main__":
    sys.exit(main())
