"""Why a run in several processes failed: the error of the one that failed first."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping

from diagnostics.errors import BadInput
from tuner.drivers.errors import OutOfMemoryError, RankFailed, TrainerKilled
from tuner.drivers.failures import KILLED, ended, last_words
from tuner.errors import Broken, Unfinished
from tuner.training.device_batch import is_out_of_memory
from tuner.training.oom import MemoryKills
from tuner.training.rank_words import Ended

OF_ANOTHER = ("connection closed by peer", "connection reset by peer", "gloo", "nccl", "distbackenderror")
"""What a process says when one that it trains with is gone: the reason lies there."""
STATUS = re.compile(r"rank\s*:\s*(\d+).*\n\s*exitcode\s*:\s*(-?\d+)")
"""How torchrun tells the status of a process that failed."""


class RankTrace(Exception):
    """The traceback of a process that failed, as the cause of the error here."""

    def __str__(self) -> str:
        """The traceback."""
        return f"\n{self.args[0]}"


def why_failed(last: Mapping[int, Ended | Broken], count: int, printed: str, kills: MemoryKills) -> Exception:
    """The error of the process that failed first, with its traceback as the cause.

    ``last`` holds the last words of the processes, the earliest first, ``printed`` what all ``count`` of them and
    torchrun printed, and ``kills`` the kernel's count of kills when they were started.
    """
    broken = [(rank, one) for rank, one in last.items() if isinstance(one, Broken)]
    own = [(rank, one) for rank, one in broken if not _is_of_another(one.error)]
    silent = [rank for rank in range(count) if rank not in last]
    if not own and silent:
        return _vanished(silent, count, printed, kills, nothing_said=not last)
    rank, first = (own or broken)[0]
    error = _named(f"process {rank} of {count}", first.error)
    error.__cause__ = RankTrace(first.trace)
    return error


def _is_of_another(error: Exception) -> bool:
    """Whether a process only says that it lost another one."""
    text = str(error).lower()
    return not is_out_of_memory(error) and any(phrase in text for phrase in OF_ANOTHER)


def _named(process: str, error: Exception) -> Exception:
    """The error with the name of its process, unless it is about the input or the machine."""
    if isinstance(error, (BadInput, Unfinished, OSError)):
        return error
    return (OutOfMemoryError if is_out_of_memory(error) else RankFailed)(f"{process}: {error}")


def _vanished(silent: list[int], count: int, printed: str, kills: MemoryKills, *, nothing_said: bool) -> Exception:
    """Why a process ended without a word: killed, as far as torchrun knows nothing else.

    Of several, it is the one that torchrun did not end itself for the sake of the first.
    """
    known = {int(rank): int(status) for rank, status in STATUS.findall(printed)}
    rank = min(silent, key=lambda one: known.get(one, -signal.SIGKILL) == -signal.SIGTERM)
    status = known.get(rank, -signal.SIGKILL)
    words = f"process {rank} of {count}: {ended(status, None).removesuffix(', nothing logged')}"
    if status in KILLED:
        return OutOfMemoryError(words) if kills.have_risen() else TrainerKilled(words)
    return RankFailed(f"{words}: {last_words(printed)}" if nothing_said else words)
