"""What the judge has cost a study so far, in its storage: all workers, and a study continued, keep to one budget."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import optuna

from diagnostics.model.message import Message, message
from tuner.config.answer_metrics import JUDGE
from tuner.messages import text
from tuner.training.judge_budget import LEDGER, Cost, limit_of, total

if TYPE_CHECKING:
    from tuner.config.judge import JudgeBlock
    from tuner.config.study_file import StudyBlock

logger = logging.getLogger("tuner")

PREFIX, TOLD = "judge:", "judge-budget-told"


@dataclass(frozen=True)
class JudgeLedger:
    """What one run, by the name of its folder, takes of what the study's judge may cost.

    A call is written down before it is made, so a worker that dies has paid for it, and before the others' are read, so
    of two workers that ask at once at least one sees the other: a call may be missed, and none is made too many.
    """

    study: optuna.Study
    run: str
    block: JudgeBlock

    def take(self, cost: Cost) -> bool:
        """Whether so much is left; from then on it counts as spent."""
        before = costs(self.study).get(self.run, Cost())
        self._write(before.plus(cost))
        if not total(costs(self.study).values()).beyond(limit_of(self.block)):
            return True
        self._write(before)
        if not self.study.user_attrs.get(TOLD):
            self.study.set_user_attr(TOLD, True)
            logger.warning("%s", text(_spent(self.block, self.study)))
        return False

    def correct(self, taken: Cost, spent: Cost) -> None:
        """What was taken came to something else."""
        self._write(costs(self.study).get(self.run, Cost()).less(taken).plus(spent))

    def _write(self, cost: Cost) -> None:
        self.study.set_user_attr(f"{PREFIX}{self.run}", list(cost))


@contextmanager
def judged_within(study: optuna.Study, run: str, block: JudgeBlock | None) -> Iterator[None]:
    """A block in which a run is trained whose judge keeps to what the study leaves it."""
    token = LEDGER.set(None if block is None else JudgeLedger(study, run, block))
    try:
        yield
    finally:
        LEDGER.reset(token)


def costs(study: optuna.Study) -> dict[str, Cost]:
    """What the judge has cost so far, by the folder of the run; calls that are under way included."""
    return {key.removeprefix(PREFIX): Cost(*kept) for key, kept in study.user_attrs.items() if key.startswith(PREFIX)}


def judge_used_up(block: StudyBlock, study: optuna.Study, missing: int) -> Message | None:
    """Why no other trial could be judged, ``missing`` repeats included; None while one can, or where nobody asks.

    A run is expected to cost what the others did.
    """
    known = costs(study)
    if block.judge is None or not block.metric.endswith(JUDGE) or not known:
        return None
    more = 1.0 + (1 + missing) / len(known)
    spent = total(known.values())
    over = Cost(int(more * spent.calls), int(more * spent.tokens)).beyond(limit_of(block.judge))
    return _spent(block.judge, study) if over else None


def _spent(block: JudgeBlock, study: optuna.Study) -> Message:
    """That the budget is spent, by the limit of which the larger share is."""
    cost, limit = total(costs(study).values()), limit_of(block)
    by_calls = cost.calls / limit.calls >= cost.tokens / limit.tokens
    values = {"calls": cost.calls, "tokens": cost.tokens}
    if by_calls:
        return message("judge-spent", **values, knob="max_study_calls", limit=limit.calls)
    return message("judge-spent", **values, knob="max_study_tokens", limit=limit.tokens)
