"""A trainer's process, held by a keeper that ends with this process and leaves none of the trainer's behind."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tuner.drivers.errors import TrainerFailed
from tuner.drivers.keeper import TAG, end_all, of_run

KEEPER = Path(__file__).with_name("keeper.py")
GRACE = 60.0
"""Seconds in which a trainer that is told to stop may write a checkpoint."""


def tag_of(run: Path) -> str:
    """The tag of a run's processes: the whole path of its folder, so that a later worker knows them too."""
    return str(run.resolve())


def end_left_over(run: Path) -> None:
    """End what an earlier worker, killed without warning, has left running of this run; waits until none is left."""
    tag = tag_of(run)
    if of_run(tag):
        end_all(tag)


class Trainer:
    """A running trainer; as a context it never outlives its block."""

    def __init__(
        self,
        argv: Sequence[str],
        run: Path,
        log: Path,
        environment: Mapping[str, str],
        stop: str = "SIGTERM",
        grace: float = GRACE,
        held: Sequence[int] = (),
        ignored: Sequence[signal.Signals] = (),
    ) -> None:
        """Start ``argv`` with its output appended to ``log``; files in ``held`` stay open until all of it has ended.

        It is deaf to the signals in ``ignored`` as long as it does not ask for them.
        """
        tag = tag_of(run)
        order: dict[str, Any] = {
            "argv": list(argv),
            "log": str(log),
            "tag": tag,
            "stop": int(signal.Signals[stop]),
            "grace": grace,
        }
        order["ignored"] = list(map(int, ignored))
        self.status: int | None = None
        self._answer = b""
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", str(KEEPER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**environment, TAG: tag},
            start_new_session=True,
            pass_fds=tuple(held),
        )
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(json.dumps(order).encode() + b"\n")
        self._keeper.stdin.flush()

    def wait(self, seconds: float) -> int | None:
        """The trainer's status once all of its processes have ended; None while one runs after so many seconds."""
        end = time.monotonic() + seconds
        while self.status is None and self._keeper.poll() is None and time.monotonic() < end:
            time.sleep(min(0.05, seconds))
        if self.status is None and self._keeper.poll() is not None:
            self.status = self._told()
        return self.status

    def stop(self) -> int:
        """Tell the trainer to stop, and wait until all of its processes have ended; its status."""
        assert self._keeper.stdin is not None
        with suppress(OSError):  # it has ended by now
            self._keeper.stdin.write(b"stop\n")
            self._keeper.stdin.close()
        while (status := self.wait(1.0)) is None:
            pass
        return status

    def _told(self) -> int:
        """The status that the keeper told; raises ``TrainerFailed`` where the command could not be started."""
        assert self._keeper.stdout is not None
        told: dict[str, Any] = json.loads(self._keeper.stdout.read() or b"{}")
        if told.get("problem"):
            raise TrainerFailed(told["problem"])
        return int(told.get("status", -signal.SIGKILL))

    def __enter__(self) -> Trainer:
        """The trainer itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Stop it where it still runs, and wait until nothing of it is left."""
        if self.status is None:
            with suppress(TrainerFailed):
                self.stop()
        for pipe in (self._keeper.stdin, self._keeper.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()
