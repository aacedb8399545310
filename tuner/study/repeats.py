"""The proof of a gain: the winner and the user's own file, trained again on the same fresh seeds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from diagnostics.model.message import Message, message
from tuner.config.direction import Direction
from tuner.search.noise import RELATIVE_NOISE_FLOOR
from tuner.study.failure import Failure
from tuner.study.folder import REPEAT, repeat_folder
from tuner.study.results import Gain, Pair
from tuner.study.words import failure_words
from tuner.study.workers.attempts import was_attempted
from tuner.study.workers.file_locks import Lock, Locks

if TYPE_CHECKING:
    from optuna.study import Study

REPEAT_PREFIX = "done:"
MIN_SEEDS = 3
"""Fewer seeds prove nothing: with 2, only a difference of 11.6 standard deviations would show."""
SMALL_GAIN = 0.005
MIN_SEEDS_FOR_SMALL_GAIN = 5
"""A gain that is small, as a share of the metric, needs more seeds."""


@dataclass(frozen=True)
class Repeat:
    """One repeat of a trial on a seed; ``value`` is None when it diverged or failed.

    ``failure`` says why it failed, ``steps`` are its own, ``lost`` those of attempts that came to nothing.
    ``forgotten`` is the rise of its loss on general text, None where that is not watched.
    """

    trial: int
    seed: int
    value: float | None
    seconds: float
    settings: Mapping[str, Any]
    failure: Failure | None = None
    steps: float = 0.0
    lost: float = 0.0
    forgotten: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """The repeat as plain values, without words."""
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Repeat:
        """The repeat that ``to_dict`` wrote, in this version or an earlier one, which kept the error as a line."""
        failure = raw.get("failure") or raw.get("error")
        plain = {key: value for key, value in raw.items() if key != "error"}
        return cls(**{**plain, "failure": Failure.from_dict(failure) if failure else None})


def planned(winner: int | None, seeds: int, first: int) -> list[tuple[int, int]]:
    """The repeats to run as (trial, seed): trial 0 and the winner take turns on ``seeds`` seeds after ``first``."""
    if winner is None or winner == 0:
        return []
    return [(trial, first + k) for k in range(1, seeds + 1) for trial in (0, winner)]


def load(study: Study, trial: int, seed: int) -> Repeat | None:
    """The finished repeat of a trial on a seed, or None."""
    kept = study.user_attrs.get(f"{REPEAT_PREFIX}{repeat_folder(trial, seed)}")
    return None if kept is None else Repeat.from_dict(kept)


def save(study: Study, repeat: Repeat, folder: Path) -> None:
    """Keep a finished repeat in the study, where all workers see it, and as ``repeat.json`` in its folder."""
    study.set_user_attr(f"{REPEAT_PREFIX}{repeat_folder(repeat.trial, repeat.seed)}", repeat.to_dict())
    folder.mkdir(parents=True, exist_ok=True)
    words = {"error": failure_words(repeat.failure) if repeat.failure else None}
    (folder / REPEAT).write_text(json.dumps({**repeat.to_dict(), **words}, indent=1), encoding="utf-8")


def claim(study: Study, locks: Locks, trial: int, seed: int) -> Lock | None:
    """The lock on a repeat that is still to run; None when it is finished or another worker has it.

    A repeat that failed is run again: its cause may have been fixed since.
    """
    name = repeat_folder(trial, seed)
    if was_attempted(study, name) and not locks.are_settled():
        return None
    lock = locks.try_lock(name)
    known = load(study, trial, seed)
    if lock is not None and known is not None and known.failure is None:
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


def forgets_too_much(repeats: Sequence[Repeat], winner: int, limit: float | None) -> list[Message]:
    """The doubt that the winner, on fresh seeds, forgets more than the study allows; nothing without a limit."""
    known = [one.forgotten for one in repeats if one.trial == winner and one.forgotten is not None]
    if limit is None or not known or float(np.mean(known)) <= limit:
        return []
    return [message("forgets-too-much", rise=float(np.mean(known)), limit=limit)]


def gain_of(pairs: Sequence[Pair], direction: Direction, lost: int = 0, doubts: Sequence[Message] = ()) -> Gain:
    """What the pairs prove: claimed when every seed is better and the mean is above two standard errors and 0.3 %.

    ``lost`` counts the seeds on which one side diverged or failed; ``doubts`` speak against the gain beside the pairs.
    """
    gains = np.array([direction.gain(pair.baseline, pair.winner) for pair in pairs], dtype=np.float64)
    if not gains.size:
        return Gain((), 0.0, 0.0, (message("no-pairs"),))
    mean = float(gains.mean())
    stderr = float(gains.std(ddof=1) / math.sqrt(gains.size)) if gains.size > 1 else 0.0
    level = float(np.mean([abs(pair.baseline) for pair in pairs]))
    return Gain(tuple(pairs), mean, stderr, (*_doubts(gains, mean, stderr, level, lost), *doubts))


def _doubts(gains: np.ndarray, mean: float, stderr: float, level: float, lost: int) -> Iterator[Message]:
    """Why the gain is not claimed; nothing when it is (evidence: Bouthillier 2021, paired by seed)."""
    if lost:
        yield message("seeds-without-pair", seeds=lost)
    if not (gains > 0).all():
        yield message("not-every-seed-better")
    if gains.size < MIN_SEEDS:
        yield message("too-few-seeds", needed=MIN_SEEDS)
    if mean <= 2 * stderr or mean <= RELATIVE_NOISE_FLOOR * level:
        yield message("within-noise")
    elif mean < SMALL_GAIN * level and gains.size < MIN_SEEDS_FOR_SMALL_GAIN:
        yield message("small-gain", share=SMALL_GAIN, needed=MIN_SEEDS_FOR_SMALL_GAIN)


def all_of(study: Study) -> list[Repeat]:
    """All finished repeats of a study, those of earlier winners included."""
    return [Repeat.from_dict(kept) for key, kept in sorted(study.user_attrs.items()) if key.startswith(REPEAT_PREFIX)]
