"""A made-up trainer with a known best setting: realistic curves in milliseconds, no torch."""

from __future__ import annotations

import json
import math
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from diagnostics.model.curves import Run
from diagnostics.model.message import Message
from diagnostics.model.settings import Settings
from tuner.config.search_space import Choice, Range
from tuner.config.study_file import StudyBlock, StudySpec
from tuner.study.events import Event, Notice
from tuner.study.protocols import Report
from tuner.study.results import StudyResult

RATE = Range(1e-6, 1e-2, log=True)
BATCH = Choice((4, 8, 16, 32))
WARMUP = Range(0.0, 0.2)
BEST = 1.0
"""The loss that no setting goes below."""


def spec(folder: Path, **changes: Any) -> StudySpec:
    """A study of the bowl; ``changes`` are fields of the study block, or keys of the file."""
    block = {name: changes.pop(name) for name in list(changes) if name in StudyBlock.__dataclass_fields__}
    block.setdefault("space", {"learning_rate": RATE, "batch_size": BATCH, "warmup_ratio": WARMUP})
    config = {
        "model_name_or_path": "tuner/tiny",
        "dataset_name": "rows.jsonl",
        "learning_rate": 1e-5,
        "batch_size": 16,
        "warmup_ratio": 0.03,
        "use_peft": True,
        "seed": 7,
        "max_steps": -1,
        "num_train_epochs": 1.0,
        **changes,
    }
    return StudySpec(folder / "bowl.yaml", "bowl", "sft", config, StudyBlock(**block))


@dataclass
class Bowl:
    """A trainer whose loss is a bowl over the learning rate, with weaker effects of batch and warm-up.

    ``best_rate`` belongs to a batch of 16 and moves with its square root; ten times as much diverges, or more with
    warm-up. ``pause`` sleeps at each evaluation, ``noise`` is relative, ``calls`` counts the runs by folder name.
    """

    best_rate: float = 3e-4
    noise: float = 0.001
    pause: float = 0.0
    rows: int = 6400
    evaluations: int = 12
    calls: list[str] = field(default_factory=list)
    fails: Callable[[Mapping[str, Any], int], None] | None = None
    breaks_above: float = 10.0

    def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        """The run with these settings; what was logged is kept in ``out``, and a cut run goes on from there."""
        self.calls.append(out.name)
        out.mkdir(parents=True, exist_ok=True)
        if self.fails is not None:
            self.fails(moves, len(self.calls))
        points = self.points(moves)
        log = out / "log.json"
        first = len(json.loads(log.read_text())) if log.exists() else 0
        for index in range(first, self.evaluations + 1):
            time.sleep(self.pause)
            share = index / self.evaluations
            draft = log.with_suffix(".part")  # whole or not at all: a test may kill this process at any moment
            draft.write_text(json.dumps([0] * (index + 1)))
            draft.replace(log)
            run = self.run(moves, out.name, points, share)
            if index and report(run, share):
                return run
        (out / "adapter").mkdir(exist_ok=True)
        (out / f"checkpoint-{self.steps(moves)}").mkdir(exist_ok=True)
        return self.run(moves, out.name, points, 1.0)

    def steps(self, moves: Mapping[str, Any]) -> int:
        """Optimizer steps of a run: one pass over the rows."""
        return int(self.rows / moves.get("batch_size", 16))

    def loss(self, moves: Mapping[str, Any]) -> float:
        """The final loss without noise; infinite where the run diverges."""
        ratio = self.ratio(moves)
        return math.inf if self.diverges(moves) else self._level(moves, ratio, 1.0)

    def ratio(self, moves: Mapping[str, Any]) -> float:
        """How far above (over 1) or below the best learning rate of this batch the rate is."""
        return float(moves["learning_rate"] / (self.best_rate * math.sqrt(moves.get("batch_size", 16) / 16)))

    def diverges(self, moves: Mapping[str, Any]) -> bool:
        """Whether the rate is too high for the warm-up."""
        return self.ratio(moves) > self.breaks_above * (1 + 10 * moves.get("warmup_ratio", 0.03))

    def _level(self, moves: Mapping[str, Any], ratio: float, share: float) -> float:
        decades = math.log10(ratio)
        too_high = 0.08 * max(0.0, decades) ** 2
        batch = 0.006 * (math.log2(moves.get("batch_size", 16) / 8)) ** 2
        no_warmup = 0.01 * max(0.0, 0.05 - moves.get("warmup_ratio", 0.03)) / 0.05
        return BEST + too_high + batch + no_warmup + math.exp(-6 * min(ratio, 1.0) ** 0.5 * share)

    def points(self, moves: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Steps, training losses and held-out losses of the whole run, seeded by the settings."""
        rng = np.random.default_rng(zlib.crc32(json.dumps(dict(moves), sort_keys=True).encode()))
        ratio, shares = self.ratio(moves), np.linspace(0, 1, 101)[1:]
        level = np.array([self._level(moves, ratio, share) for share in shares])
        train = level * (1 + max(0.01, 0.03 * min(ratio, 10)) * rng.standard_normal(shares.size))
        held = level * (1 + self.noise * rng.standard_normal()) + self.noise * rng.standard_normal(shares.size) / 3
        if self.diverges(moves):
            blow = np.exp(12 * np.clip(shares - 0.15, 0, 0.4))
            train, held = train * blow, held * blow
            train[60:] = held[60:] = np.nan
        return {"share": shares, "train": train, "held": held}

    def run(self, moves: Mapping[str, Any], name: str, points: Mapping[str, np.ndarray], share: float) -> Run:
        """What was logged up to this share of the run."""
        steps = np.round(points["share"] * self.steps(moves))
        seen = points["share"] <= share + 1e-9
        whole = np.array([0.0, *np.arange(1, self.evaluations + 1) / self.evaluations])
        at = np.clip(np.searchsorted(points["share"], whole - 1e-9), 0, 99)[whole <= share + 1e-9]
        held = points["held"][at].copy()
        held[0] = 2 * BEST
        settings = Settings.from_mapping({**moves, "method": "sft", "use_peft": True, "num_train_epochs": 1})
        rates = moves["learning_rate"] * (1 - 0.9 * points["share"])
        return Run.from_points(
            name,
            {
                "train_loss": zip(steps[seen], points["train"][seen], strict=True),
                "learning_rate": zip(steps[seen], rates[seen], strict=True),
                "eval_loss": zip(np.where(whole[: at.size] == 0, 0, steps[at]), held, strict=True),
            },
            settings,
        )


def run(out: Path, trainer: Any = None, *, trials: int | None = None, show: Any = None, **block: Any) -> StudyResult:
    """A study of the made-up trainer in ``out``: four trials without repeats, unless the fields of ``block`` differ."""
    from optuna.samplers import RandomSampler

    from tuner.study.loop import run_study

    study = spec(out.parent, **{"trials": 4, "seeds": 0, **block})
    return run_study(study, trainer or Bowl(evaluations=6), out, trials=trials, show=show, base=RandomSampler(seed=0))


def notices(events: list[Event]) -> list[Message]:
    """What a study said beside its trials."""
    return [event.message for event in events if isinstance(event, Notice)]


def main(folder: str, pause: float, **block: Any) -> None:
    """Run the made-up study in ``folder`` with plain lines: what a test kills and starts again.

    ``block`` holds fields of the study block, and ``storage``.
    """
    from optuna.samplers import RandomSampler

    from tuner.study.display.terminal import progress
    from tuner.study.loop import run_study

    out = Path(folder)
    with progress() as show:
        trainer, storage = Bowl(pause=pause, evaluations=8), block.pop("storage", None)
        run_study(spec(out.parent, **block), trainer, out, storage=storage, show=show, base=RandomSampler(seed=0))
