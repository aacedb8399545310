"""What stopping trials early saved in a study, and what the runs that went on as a check say that it lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from diagnostics.model.message import Message
from tuner.config.direction import Direction
from tuner.study.results import Text, TrialResult

REASON = "out-of-reach"
"""Why a run is stopped that did not diverge."""


@dataclass(frozen=True)
class EarlyStopping:
    """``stopped`` trials saved so many whole runs (``saved``); ``checked`` ones went on, of which ``won`` became best.

    ``lost`` is by how much those would have been missed, as a share of the best value.
    """

    stopped: int
    saved: float
    checked: int
    won: int
    lost: float


def early_stopping(trials: Sequence[TrialResult], best: int | None, direction: Direction) -> EarlyStopping | None:
    """What early stopping did in these trials; None where it did nothing."""
    shares = [share for trial in trials if (share := _share(trial.stopped)) is not None]
    checked = [trial for trial in trials if _share(trial.spared) is not None and not trial.is_running]
    if not shares and not checked:
        return None
    won = [trial for trial in checked if trial.number == best]
    lost = _missed(won[0], trials, direction) if won else 0.0
    return EarlyStopping(len(shares), sum(1 - share for share in shares), len(checked), len(won), lost)


def _share(reason: Text | None) -> float | None:
    """The share of the schedule at which a trial was, or would have been, stopped; None where it was not."""
    share = reason.values.get("share") if isinstance(reason, Message) and reason.code == REASON else None
    return float(share) if isinstance(share, (int, float)) else None


def _missed(winner: TrialResult, trials: Sequence[TrialResult], direction: Direction) -> float:
    """How much worse the best of the others is than the winner."""
    others = [direction.sign * t.value for t in trials if t.number != winner.number and t.value is not None]
    if not others or not winner.value:
        return 0.0
    return max(0.0, min(others) - direction.sign * winner.value) / abs(winner.value)
