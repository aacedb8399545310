"""A run's attempts, kept in the study so that they outlive a worker that is killed without warning."""

from __future__ import annotations

import platform
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import optuna

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from tuner.study.passing import is_passing
from tuner.training.device_batch import DeviceBatch
from tuner.training.oom import MemoryKills, boot_id, free_memory_share

if TYPE_CHECKING:
    from tuner.study.protocols import Report

ATTEMPTS_PREFIX = "attempts:"
MAX_LOSSES_WITHOUT_PROGRESS = 10
"""So many losses in a row without progress, with no sign of memory, are reason to stop trying by itself."""
LOW_MEMORY_SHARE = 0.05
"""With less free at the last evaluation, memory is the likely cause of a kill that the kernel does not count."""


@dataclass(frozen=True)
class Attempt:
    """One attempt that is under way, or whose worker was killed.

    ``limit`` are the most rows that it may put on the device (None: as many as the file says), ``kills`` the kernel's
    count when it began, in the machine's run ``boot``, and ``group_kills`` that of its control group's counter
    ``group``; ``steps`` and ``share`` are how far it was at its last evaluation, and ``free`` the share of memory that
    was free then (None: unknown).
    """

    name: str
    limit: DeviceBatch | None
    host: str
    place: str
    kills: int | None
    steps: float = 0.0
    share: float = 0.0
    boot: str = ""
    free: float | None = None
    group: str = ""
    group_kills: int | None = None

    def was_killed_for_memory(self) -> bool:
        """Whether the kernel of this machine, where the attempt ran, has killed for memory since it began.

        Kills of other users of the machine do not count where its control group has a count of its own.

        A machine that was restarted counts from 0 again, and its restart is what ended the attempt.
        """
        if self.host != platform.node() or self.boot not in ("", boot_id()):
            return False
        return MemoryKills(self.kills, self.group, self.group_kills).have_risen()

    def was_short_of_memory(self) -> bool:
        """Whether hardly any memory was free at the last evaluation, and the machine has not been restarted since."""
        restarted = self.host == platform.node() and self.boot not in ("", boot_id())
        return not restarted and self.free is not None and self.free < LOW_MEMORY_SHARE


@dataclass(frozen=True)
class Attempts:
    """All attempts at a run so far, in all workers.

    ``lost`` are the optimizer steps that came to nothing, ``killed`` the workers that died in it, ``in_a_row`` those
    of them that came no further than the one before, and ``reached`` the share of the run that those got to.
    """

    lost: float = 0.0
    killed: int = 0
    in_a_row: int = 0
    reached: float = 0.0
    under_way: Attempt | None = None


@dataclass(frozen=True)
class WorkerLoss:
    """An attempt whose worker was killed: by the kernel for want of memory, with little memory free, or for no known
    reason; ``in_a_row`` such losses came no further than the one before, ``too_often`` that those are many."""

    attempt: Attempt
    by_kernel: bool
    short_of_memory: bool
    in_a_row: int

    @property
    def for_memory(self) -> bool:
        """Whether there is evidence that memory is to blame."""
        return self.by_kernel or self.short_of_memory

    @property
    def too_often(self) -> bool:
        """Whether the run has lost as many workers as it may."""
        return self.in_a_row >= MAX_LOSSES_WITHOUT_PROGRESS


def attempts_at(study: optuna.Study, run: str) -> Attempts:
    """The attempts at a run, by the name of its folder."""
    kept = study.user_attrs.get(f"{ATTEMPTS_PREFIX}{run}")
    if kept is None:
        return Attempts()
    one = kept["under_way"]
    limit = DeviceBatch(**one["limit"]) if one and one["limit"] else None
    return Attempts(**{**kept, "under_way": Attempt(**{**one, "limit": limit}) if one else None})


def was_attempted(study: optuna.Study, run: str) -> bool:
    """Whether a worker of this study has begun the run before."""
    return f"{ATTEMPTS_PREFIX}{run}" in study.user_attrs


def lost_steps(study: optuna.Study) -> dict[str, float]:
    """The optimizer steps that came to nothing in each run of a study, by the name of its folder."""
    kept = study.user_attrs.items()
    return {
        key.removeprefix(ATTEMPTS_PREFIX): float(one["lost"]) for key, one in kept if key.startswith(ATTEMPTS_PREFIX)
    }


def keep(study: optuna.Study, run: str, attempts: Attempts) -> None:
    """Store the attempts at a run where every worker sees them."""
    study.set_user_attr(f"{ATTEMPTS_PREFIX}{run}", asdict(attempts))


def detect_lost_worker(study: optuna.Study, folder: Path) -> WorkerLoss | None:
    """How the last worker in this run died, now noted; None when none did. The caller holds the run's lock."""
    before = attempts_at(study, folder.name)
    attempt = before.under_way
    if attempt is None:
        return None
    in_a_row = 1 if attempt.share > before.reached else before.in_a_row + 1
    loss = WorkerLoss(attempt, attempt.was_killed_for_memory(), attempt.was_short_of_memory(), in_a_row)
    begins_again = loss.for_memory or attempt.place != str(folder.resolve())
    lost = before.lost + (max(attempt.steps, logged_steps(folder)) if begins_again else 0.0)
    reached = 0.0 if loss.for_memory else max(before.reached, attempt.share)
    # After the bound the count begins again: whoever runs the command again wants the run to be tried.
    kept = 0 if loss.for_memory or loss.too_often else in_a_row
    keep(study, folder.name, Attempts(lost, before.killed + 1, kept, reached))
    return loss


@contextmanager
def under_way(study: optuna.Study, folder: Path, limit: DeviceBatch | None, report: Report) -> Iterator[Report]:
    """A block that trains: gives the report to hand on, which notes how far the run is.

    What the block trained before an error is lost; after an interruption, or an error that passes, the run continues
    from there. A worker that
    another one has replaced leaves the record to it.
    """
    before = attempts_at(study, folder.name)
    kills = MemoryKills.now()
    own = Attempt(
        uuid.uuid4().hex,
        limit,
        platform.node(),
        str(folder.resolve()),
        kills.machine,
        boot=boot_id(),
        free=free_memory_share(),
        group=kills.group,
        group_kills=kills.in_group,
    )
    keep(study, folder.name, replace(before, under_way=own))
    seen = [0.0]

    def noted(run: Run, share: float) -> str | None:
        reason = report(run, share)
        seen[0] = run.last_step
        now = replace(own, steps=run.last_step, share=share, free=free_memory_share())
        keep(study, folder.name, replace(before, under_way=now))
        return reason

    try:
        yield noted
    except Exception as error:
        _close(study, folder, own, 0.0 if is_passing(error) else max(seen[0], logged_steps(folder)))
        raise
    except BaseException:
        _close(study, folder, own, 0.0)
        raise
    _close(study, folder, own, 0.0)


def _close(study: optuna.Study, folder: Path, own: Attempt, lost: float) -> None:
    now = attempts_at(study, folder.name)
    if now.under_way is not None and now.under_way.name == own.name:
        keep(study, folder.name, replace(now, lost=now.lost + lost, under_way=None))


def logged_steps(folder: Path) -> float:
    """The last step in the log of a run's folder; 0 without a log."""
    from diagnostics.readers import read

    try:
        return float(read(folder).last_step)
    except (BadInput, OSError):
        return 0.0
