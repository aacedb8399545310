"""One life of a worker, as data, the ledger in which it notes what it trains, and its made-up trainer."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from diagnostics.model.curves import Run
from tests.tuner.madeup import BATCH, Bowl, spec
from tuner.config.search_space import Range
from tuner.config.study_file import StudySpec
from tuner.study.protocols import Report

EVALUATIONS = 8
SAFE_RATES = Range(1e-5, 1e-3, log=True)
"""No rate of these diverges, so that every value can be computed again."""


@dataclass(frozen=True)
class Life:
    """What a worker does and how it ends.

    ``file`` is a study file for TRL's trainer; without one the trainer is made up. ``point`` is where it is struck by
    ``signal``, at the ``count``-th time that it comes by; empty for a life that ends with the study. ``ledger`` is the
    file in which it notes what it trains.
    """

    out: str
    ledger: str
    file: str = ""
    storage: str = ""
    point: str = ""
    count: int = 1
    signal: int = int(signal.SIGKILL)
    trials: int = 6
    seeds: int = 1
    pause: float = 0.02
    pauses: tuple[float, ...] = (0.2, 0.5, 1.0)

    @property
    def command(self) -> list[str]:
        """What starts it."""
        return [sys.executable, "-m", "benchmarks.chaos.live", json.dumps(asdict(self))]


def note(ledger: str, *words: object) -> None:
    """Add a line to the ledger: one write, so that lines of several workers do not mix."""
    handle = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(handle, (" ".join(map(str, words)) + "\n").encode())
    os.close(handle)


class Noted(Bowl):
    """The made-up trainer, which notes each training, and from which evaluation on it trained."""

    ledger = ""

    def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        """The run with these settings."""
        log = out / "log.json"
        first = len(json.loads(log.read_text())) if log.exists() else 0
        note(self.ledger, "begin", out.name, first)
        run = super().__call__(moves, out, report)
        note(self.ledger, "end", out.name, first)
        return run


def made_up(life: Life) -> StudySpec:
    """The study of the made-up trainer."""
    space = {"learning_rate": SAFE_RATES, "batch_size": BATCH}
    return spec(Path(life.out).parent, space=space, trials=life.trials, seeds=life.seeds, stop_early=False)


def trainer(life: Life) -> Noted:
    """The made-up trainer of a life."""
    made = Noted(pause=life.pause, evaluations=EVALUATIONS)
    made.ledger = life.ledger
    return made
