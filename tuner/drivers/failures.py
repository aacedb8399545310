"""Why a trainer's command ended: told from its status, its last words, its log, and what the kernel counted."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from diagnostics.model.curves import Run
from tuner.config.secret_keys import masked
from tuner.drivers.errors import OutOfMemoryError, TrainerFailed, TrainerKilled
from tuner.drivers.plan import PRINTED, Plan
from tuner.drivers.progress import is_complete, planned_steps
from tuner.training.device_batch import PHRASES
from tuner.training.oom import MemoryKills

KILLED = (-signal.SIGKILL, -signal.SIGTERM, 128 + signal.SIGKILL, 128 + signal.SIGTERM)
"""Statuses of a process, or of the shell or container around it, that somebody killed."""
ALLOCATORS = (
    *PHRASES,
    *("cudnn_status_not_supported", "hip out of memory", "outofmemoryerror", "not enough gpu memory"),
)
TAIL = 1 << 16
"""Bytes at the end of what was printed, in which the reason stands."""
LONGEST_LINE, LONGEST_WORDS = 4000, 500
"""Characters of it that are looked at, and that are kept: a trainer may print anything."""
ERROR = re.compile(r"^(?:\[?rank\d+\]?:\s*)?((?:\w+\.)*\w*(?:Error|Exception|Interrupt|Exit)\b.*)", re.MULTILINE)
LAUNCHER = re.compile(r"ChildFailedError|CalledProcessError")
"""What torchrun, accelerate and their like say of a process that failed, below the error of that process itself."""
COLORS = re.compile(r"\x1b\[[0-9;]*m")


def failure(plan: Plan, status: int, run: Run | None, begun: int, kills: MemoryKills) -> TrainerFailed | None:
    """Why the run failed; None where its status is 0 and its last planned step was logged.

    ``begun`` is how long the printed output was, and ``kills`` the kernel's counts, when the command was started.
    """
    if status == 0 and run is not None and is_complete(run):
        return None
    said = printed_since(plan.folder / PRINTED, begun)
    by_kernel = kills.have_risen()
    patterns = (*ALLOCATORS, *(pattern.lower() for pattern in plan.driver.profile.out_of_memory))
    words = f"{ended(status, run)}: {last_words(said)}" if said.strip() else ended(status, run)
    if status and (any(pattern in said.lower() for pattern in patterns) or (by_kernel and status in KILLED)):
        return OutOfMemoryError(words)
    return TrainerKilled(words) if status in KILLED else TrainerFailed(words)


def printed_since(path: Path, begun: int) -> str:
    """The end of what a command printed since it was started."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(begun, file.tell() - TAIL))
            return COLORS.sub("", file.read().decode("utf-8", "replace"))
    except OSError:
        return ""


def last_words(said: str) -> str:
    """The beginning of the last line that names an error, else of the last line; passwords in addresses are masked."""
    errors = ERROR.findall(said)
    errors = [error for error in errors if not LAUNCHER.search(error)] or errors
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    words = (errors[-1] if errors else lines[-1]).strip()[:LONGEST_LINE] if lines else ""
    return "".join(sign if sign.isprintable() else " " for sign in masked(words))[:LONGEST_WORDS]


def ended(status: int, run: Run | None) -> str:
    """How the command ended: ``status 1 at step 40 of 100``."""
    how = f"status {status}" if status >= 0 else f"killed by {signal.Signals(-status).name}"
    if run is None:
        return f"{how}, nothing logged"
    total = planned_steps(run)
    return f"{how} at step {run.last_step:g}" + (f" of {total:g}" if total else "")
