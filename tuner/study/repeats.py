"""The proof of a gain: the winner and the user's own file, trained again on the same fresh seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnostics.formatting import number
from tuner.search.noise import RELATIVE_NOISE_FLOOR
from tuner.study.results import Gain, Pair
from tuner.study.workers.file_locks import Lock, Locks

if TYPE_CHECKING:
    from optuna.study import Study

FILE = "repeat.json"
PREFIX = "done:"
ENOUGH = 3
"""Fewer seeds prove nothing: with 2, only a difference of 11.6 standard deviations would show."""
SMALL = 0.005
MANY = 5
"""A gain below 0.5 % needs five seeds."""


@dataclass(frozen=True)
class Repeat:
    """One repeat of a trial on a seed; ``value`` is None when it diverged or failed.

    ``steps`` are its own, ``lost`` those of attempts that came to nothing.
    """

    trial: int
    seed: int
    value: float | None
    seconds: float
    settings: Mapping[str, Any]
    error: str | None = None
    steps: float = 0.0
    lost: float = 0.0


def folder_name(trial: int, seed: int) -> str:
    """The name of a repeat's folder: ``repeat-7-seed-43``."""
    return f"repeat-{trial}-seed-{seed}"


def planned(winner: int | None, seeds: int, first: int) -> list[tuple[int, int]]:
    """The repeats to run as (trial, seed): trial 0 and the winner take turns on ``seeds`` seeds after ``first``."""
    if winner is None or winner == 0:
        return []
    return [(trial, first + k) for k in range(1, seeds + 1) for trial in (0, winner)]


def load(study: Study, trial: int, seed: int) -> Repeat | None:
    """The finished repeat of a trial on a seed, or None."""
    kept = study.user_attrs.get(f"{PREFIX}{folder_name(trial, seed)}")
    return None if kept is None else Repeat(**kept)


def save(study: Study, repeat: Repeat, folder: Path) -> None:
    """Keep a finished repeat in the study, where all workers see it, and as ``repeat.json`` in its folder."""
    study.set_user_attr(f"{PREFIX}{folder_name(repeat.trial, repeat.seed)}", asdict(repeat))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(json.dumps(asdict(repeat), indent=1), encoding="utf-8")


def claim(study: Study, locks: Locks, trial: int, seed: int) -> Lock | None:
    """The lock on a repeat that is still to run; None when it is finished or in other hands.

    A repeat that ended with an error is run again: the next command may have mended it.
    """
    lock = locks.try_lock(folder_name(trial, seed))
    known = load(study, trial, seed)
    if lock is not None and known is not None and known.error is None:
        lock.release()
        return None
    return lock


def pairs_of(repeats: Sequence[Repeat], winner: int) -> tuple[Pair, ...]:
    """The repeats of trial 0 and the winner side by side, one pair for each seed that both finished."""
    values = {(r.trial, r.seed): r.value for r in repeats if r.value is not None}
    seeds = sorted({seed for trial, seed in values if trial == winner and (0, seed) in values})
    return tuple(Pair(seed, _known(values[0, seed]), _known(values[winner, seed])) for seed in seeds)


def _known(value: float | None) -> float:
    assert value is not None
    return value


def gain_of(pairs: Sequence[Pair], metric: str, direction: str, lost: int = 0) -> Gain:
    """What the pairs prove: claimed when every seed is better and the mean is above two standard errors and 0.3 %.

    ``lost`` counts the seeds on which one side diverged or failed.
    """
    sign = 1.0 if direction == "minimize" else -1.0
    gains = np.array([sign * (pair.baseline - pair.winner) for pair in pairs], dtype=np.float64)
    if not gains.size:
        return Gain((), 0.0, 0.0, False, "no seed was finished by both sides, so nothing is proved")
    mean = float(gains.mean())
    stderr = float(gains.std(ddof=1) / math.sqrt(gains.size)) if gains.size > 1 else 0.0
    level = float(np.mean([abs(pair.baseline) for pair in pairs]))
    doubts = _doubts(gains, mean, stderr, level, lost)
    return Gain(tuple(pairs), mean, stderr, not doubts, _message(pairs, gains, metric, stderr, doubts))


def _doubts(gains: np.ndarray, mean: float, stderr: float, level: float, lost: int) -> list[str]:
    """Why the gain is not claimed; empty when it is (evidence: Bouthillier 2021, paired by seed)."""
    doubts = []
    if lost:
        doubts.append(f"{lost} {'seed' if lost == 1 else 'seeds'} without a pair")
    if not (gains > 0).all():
        doubts.append("not every seed is better")
    if gains.size < ENOUGH:
        doubts.append(f"{ENOUGH} seeds are needed")
    if mean <= 2 * stderr or mean <= RELATIVE_NOISE_FLOOR * level:
        doubts.append("the difference is within noise")
    elif mean < SMALL * level and gains.size < MANY:
        doubts.append(f"a gain below 0.5 % needs {MANY} seeds")
    return doubts


def _message(pairs: Sequence[Pair], gains: np.ndarray, metric: str, stderr: float, doubts: list[str]) -> str:
    """``3 of 3 seeds better; eval_loss 0.61 -> 0.32 (-47 %), ±0.01 (two standard errors)``, the doubts in front."""
    before = float(np.mean([pair.baseline for pair in pairs]))
    after = float(np.mean([pair.winner for pair in pairs]))
    better = int((gains > 0).sum())
    change = 100 * (after - before) / abs(before) if before else 0.0
    share = f" ({change:+.{0 if 10 <= abs(change) < 99 else 1}f} %)" if before else ""
    text = f"{better} of {len(pairs)} seeds better; {metric} {number(before)} -> {number(after)}{share}"
    text += f", ±{number(float(f'{2 * stderr:.1g}'))} (two standard errors)" if len(pairs) > 1 else ""
    return f"no gain is claimed ({'; '.join(doubts)}): {text}" if doubts else text


def all_of(study: Study) -> list[Repeat]:
    """All finished repeats of a study, those of earlier winners included."""
    return [Repeat(**kept) for key, kept in sorted(study.user_attrs.items()) if key.startswith(PREFIX)]
