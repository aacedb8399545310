"""Does one run get one verdict, whoever logged it?

    python -m benchmarks.fresh.same [--seed S] [--projects N] [--points P] [--without-evals] [--without-settings]

Trains projects of small networks and small language models, writes every run in every dialect of log at about as many
points, and asks for the verdict on each. Beside how often it is right stands how often its label is that of the log
which names the most, transformers' ``trainer_state.json``, where both have a label. Programs that log by epochs leave
few points of a run of few epochs, some log no evaluations, and some the loss of one batch instead of a mean.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.dialects.measured import Layout
from benchmarks.dialects.writers import SINGLE, WITHOUT_EVALS
from benchmarks.fresh.judge import Judged, judged
from benchmarks.fresh.labels import Answer
from benchmarks.fresh.project import Trained, project
from benchmarks.fresh.styles import SMALL, every
from benchmarks.fresh.summary import figures, share

KINDS = ("other-language", "classes", "letters", "regression", "other-language", "images")
RUNS_A_PROJECT = 5
REFERENCE = "transformers"
NO_LABEL = ("unknown", "unread")
COLUMNS = (
    *("right", "acceptable", "wrong", "refused", "sick called healthy", "healthy called sick"),
    "same label",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, write, ask, and print a line a dialect."""
    given = _parser().parse_args(arguments)
    seed = int(time.time()) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    runs = [run for number in range(given.projects) for run in _project(seed, number)]
    layout = (given.points, not given.without_evals, not given.without_settings)
    with tempfile.TemporaryDirectory() as scratch:
        said = {name: verdicts(runs, name, layout, Path(scratch) / name) for name in SINGLE}
    print("\n".join(lines(said)))
    return 0


def _project(seed: int, number: int) -> list[Trained]:
    kind = KINDS[number % len(KINDS)]
    return project(kind, np.random.default_rng([seed, number]), RUNS_A_PROJECT, kind in SMALL)


def verdicts(runs: Sequence[Trained], dialect: str, layout: tuple[int, bool, bool], folder: Path) -> list[Judged]:
    """What is said of each run as this dialect writes it; ``layout`` is points, with evaluations, with settings."""
    points, evals, settings = layout
    found = []
    for number, run in enumerate(runs):
        written = Layout(every(run.log, points), evals, settings, f"run-{number}", number)
        path = SINGLE[dialect](run.log, written, folder / f"{number}")
        found.append(judged(dialect, str(path.relative_to(folder)), _told(run.answer, dialect, evals), folder))
    return found


def _told(answer: Answer, dialect: str, evals: bool) -> Answer:
    """The label; where no evaluation is logged, overfitting may pass."""
    if answer.name != "overfit" or (evals and dialect not in WITHOUT_EVALS):
        return answer
    return Answer(answer.name, answer.right, answer.acceptable | {"healthy"}, answer.rate, answer.facts)


def lines(said: Mapping[str, Sequence[Judged]]) -> Iterator[str]:
    """A table by dialect."""
    yield f"{'':18}" + "".join(f"{name:>21}" for name in COLUMNS)
    for dialect, runs in said.items():
        of = figures(runs)
        both = [
            (one.said, other.said)
            for one, other in zip(runs, said[REFERENCE], strict=True)
            if one.said not in NO_LABEL and other.said not in NO_LABEL
        ]
        same = share([pair for pair in both if pair[0] == pair[1]], both)
        cells = [*(f"{of[name]}" for name in COLUMNS[:4])]
        cells += [f"{of['sick_called_healthy']} of {of['sick']}", f"{of['healthy_called_sick']} of {of['healthy']}"]
        yield f"{dialect:18}" + "".join(f"{cell:>21}" for cell in [*cells, f"{same:.0%} of {len(both)}"])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="default: from the clock")
    parser.add_argument("--projects", type=int, default=12, metavar="N", help="of five runs each (default 12)")
    parser.add_argument("--points", type=int, default=40, metavar="P", help="log points of a run (default 40)")
    parser.add_argument("--without-evals", action="store_true", help="log the training loss alone")
    parser.add_argument("--without-settings", action="store_true", help="leave no settings beside the log")
    return parser


if __name__ == "__main__":
    sys.exit(main())
