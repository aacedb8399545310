"""How often is the verdict right where a log holds little of a run?

    python -m benchmarks.fresh --seed S --keep FOLDER       # trains; then, as often as wanted:
    python -m benchmarks.fresh.partial FOLDER [FOLDER ...]

Judges kept runs as short logs (6 to 10 training losses, each the mean of its part of the run or that of its last log,
with none, two or four evaluations, 6 to 11 points in all), as logs of resumed runs, which lack the first tenth or
quarter, and under way, at a quarter, half and three quarters of their steps. A run counts once for each of the logs
that can be made of it. Below stands how many went well of those to which the look gives such a chance of it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from benchmarks.fresh.judge import Judged, judged_run
from benchmarks.fresh.labels import Answer
from benchmarks.fresh.summary import figures
from benchmarks.outlook.known import OF_ANSWER
from diagnostics import read
from diagnostics.diagnosis.context import prepare
from diagnostics.errors import BadInput
from diagnostics.model.curves import Curve, Run
from diagnostics.model.rate_estimate import RateSide
from diagnostics.signals import memo_scope

LOW = RateSide.TOO_LOW
LOGS, EVALS = (6, 8, 10), (0, 2, 4)
MOST_POINTS = 11
LATE = (0.1, 0.25)
UNDER_WAY = (0.25, 0.5, 0.75)
COLUMNS = ("right", "acceptable", "wrong", "refused")
SHARES = ("sick called healthy", "healthy called sick", "healthy told a low rate", ">= 95 %, hold", "healthy, hold")
CHANCES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 1.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the partial logs of kept runs and print a line for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="what benchmarks.fresh --keep left")
    known = [pair for folder in parser.parse_args(arguments).folders for pair in kept(folder)]
    for line in lines({name: list(_judged(known, cut)) for name, cut in KINDS.items()}):
        print(line)
    print()
    for line in looks({name: list(_looked(known, cut)) for name, cut in KINDS.items()}):
        print(line)
    return 0


def kept(folder: Path) -> Iterator[tuple[Run, Answer]]:
    """The runs of a folder that can be read and log a training loss, with their labels."""
    for row in json.loads((folder / "labels.json").read_text("utf-8"))["runs"]:
        try:
            run = read(folder / row["path"])
        except BadInput:
            continue
        if "train_loss" in run.curves:
            yield run, Answer.from_dict(row["label"])


def _judged(known: Sequence[tuple[Run, Answer]], cut: Callable[[Run], Iterator[Run]]) -> Iterator[Judged]:
    for run, label in known:
        for part in cut(run):
            if label.name != "overfit" or len(part.curves.get("eval_loss", ())) >= 2:  # else nothing shows it
                yield judged_run("", run.name, label, part)


def _looked(known: Sequence[tuple[Run, Answer]], cut: Callable[[Run], Iterator[Run]]) -> Iterator[tuple[float, bool]]:
    """The chance that the look of each log gives a good end, and whether it came; of runs that are one or the other."""
    for run, label in known:
        for part in cut(run) if label.name in OF_ANSWER and not (label.name == "healthy" and label.acceptable) else ():
            with memo_scope():
                seen = prepare(part, None)
            well = seen.outlook.well if seen.outlook else seen.so_far
            if well is not None:
                yield well, label.name == "healthy"


def whole(run: Run) -> Iterator[Run]:
    """The run as it was logged."""
    yield run


def short(run: Run, mean: bool) -> Iterator[Run]:
    """The run as logged a few times, by the mean over a part of its logs or by the last of them."""
    train, held = run.curves["train_loss"], run.curves.get("eval_loss")
    for logs in LOGS:
        for evals in EVALS:
            if len(train) >= 2 * logs and logs + evals <= MOST_POINTS and (not evals or held is not None):
                yield _thinned(run, logs, evals, mean)


def _thinned(run: Run, logs: int, evals: int, mean: bool) -> Run:
    train = run.curves["train_loss"]
    parts = np.array_split(np.arange(len(train)), logs)
    ends = np.array([part[-1] for part in parts])
    values = np.array([train.values[part].mean() for part in parts]) if mean else train.values[ends]
    curves = {name: _seldom(curve, evals if name.startswith("eval_") else logs) for name, curve in run.curves.items()}
    return replace(run, curves={**_present(curves), "train_loss": Curve(train.steps[ends], values)})


def _seldom(curve: Curve, count: int) -> Curve | None:
    """So many of the curve's points, evenly spread, the last among them."""
    if not count:
        return None
    if len(curve) <= count:
        return curve
    at = np.linspace(0, len(curve) - 1, count + 1).astype(int)[1:]
    return Curve(curve.steps[at], curve.values[at])


def late(run: Run, share: float) -> Iterator[Run]:
    """The run without the first logs."""
    first = share * run.last_step
    curves = {name: curve.between(first, run.last_step) for name, curve in run.curves.items()}
    if len(curves["train_loss"]):
        yield replace(run, curves=curves)


def under_way(run: Run, share: float) -> Iterator[Run]:
    """The run when this share of its steps is done, of which it is known how many are planned."""
    until = share * run.last_step
    curves = {name: curve.between(0.0, until) for name, curve in run.curves.items()}
    if len(curves["train_loss"]):
        yield replace(run, curves=curves, settings=replace(run.settings, max_steps=int(run.last_step)))


def _present(curves: Mapping[str, Curve | None]) -> dict[str, Curve]:
    return {name: curve for name, curve in curves.items() if curve is not None}


KINDS: dict[str, Callable[[Run], Iterator[Run]]] = {
    "as logged": whole,
    "short, means": lambda run: short(run, mean=True),
    "short, single batches": lambda run: short(run, mean=False),
    **{f"without the first {share:.0%}": lambda run, share=share: late(run, share) for share in LATE},  # type: ignore[misc]
    **{f"at {share:.0%} of its steps": lambda run, share=share: under_way(run, share) for share in UNDER_WAY},  # type: ignore[misc]
}


def lines(found: Mapping[str, Sequence[Judged]]) -> Iterator[str]:
    """A line a kind of log."""
    yield (
        f"{'':24}{'logs':>6}" + "".join(f"{name:>12}" for name in COLUMNS) + "".join(f"{name:>24}" for name in SHARES)
    )
    for name, runs in found.items():
        of = figures(runs)
        cells = [f"{of['sick_called_healthy']} of {of['sick']}", f"{of['healthy_called_sick']} of {of['healthy']}"]
        low = sum(r.answer.name == "healthy" and r.estimate is not None and r.estimate.tells(LOW) for r in runs)
        cells.append(f"{low} of {of['healthy']}")
        cells += [f"{of['sure_right']:.0%} of {of['sure']}", f"{of['said_healthy_right']:.0%} of {of['said_healthy']}"]
        yield (
            f"{name:24}{of['runs']:>6}"
            + "".join(f"{of[column]:>12}" for column in COLUMNS)
            + "".join(f"{cell:>24}" for cell in cells)
        )


def looks(found: Mapping[str, Sequence[tuple[float, bool]]]) -> Iterator[str]:
    """A line a kind of log: by the chance that the look gives a good end, how many came to it."""
    bins = list(pairwise(CHANCES))
    yield f"{'the look gives it':24}" + "".join(f"{f'{low:g} to {high:g}':>16}" for low, high in bins)
    for name, seen in found.items():
        cells = []
        for low, high in bins:
            came = [well for chance, well in seen if low <= chance < high]
            cells.append(f"{sum(came)} of {len(came)}")
        yield f"{name:24}" + "".join(f"{cell:>16}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
