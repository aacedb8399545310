"""Whether a submitted job waits, runs or is gone: asked of Slurm's queue, or of the processes of this machine."""

from __future__ import annotations

import os
import subprocess
import time
from enum import StrEnum
from typing import Any, Protocol

ASK_EVERY = 5.0
"""Seconds between two questions to Slurm, which serves everybody."""
GONE_AFTER = 20.0
"""Seconds after which a job that left the queue without a result has none: shared file systems show files late."""
WAITS = ("PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "SPECIAL_EXIT", "SUSPENDED")


class State(StrEnum):
    """Where a job is."""

    WAITS = "waits"
    RUNS = "runs"
    GONE = "gone"


class Queue(Protocol):
    """Where submitted jobs are."""

    def state(self, job: Any) -> State:
        """Where the job is."""


class SlurmQueue:
    """What ``squeue`` says, which needs no accounting database (as ``sacct`` does)."""

    def __init__(self) -> None:
        self._asked, self._states = -ASK_EVERY, dict[str, str]()
        self._seen: dict[str, float] = {}

    def state(self, job: Any) -> State:
        """Where the job is, by the last answer; one that has just left the queue still counts as running."""
        self._ask()
        now, identity = time.monotonic(), str(job.job_id)
        said = self._states.get(identity)
        if said is not None:
            self._seen[identity] = now
            return State.WAITS if said in WAITS else State.RUNS
        return State.RUNS if now - self._seen.setdefault(identity, now) < GONE_AFTER else State.GONE

    def holds(self, job: Any) -> bool:
        """Whether the queue knows the job now."""
        self._ask()
        return str(job.job_id) in self._states

    def _ask(self) -> None:
        """Ask again after a while; a controller that does not answer leaves everything as it was."""
        if time.monotonic() < self._asked + ASK_EVERY:
            return
        command = ["squeue", "--noheader", "--user", str(os.getuid()), "--format", "%i %T"]
        said = subprocess.run(command, capture_output=True, text=True, check=False)
        self._asked = time.monotonic()
        if said.returncode == 0:
            self._states = dict(line.split(maxsplit=1) for line in said.stdout.splitlines() if " " in line.strip())
        else:
            self._seen = dict.fromkeys(self._seen, self._asked)


class LocalQueue:
    """The processes that submitit starts on this machine, those of a command that is gone among them."""

    def state(self, job: Any) -> State:
        """Where the job is; it never waits."""
        process = getattr(job, "_process", None)
        runs = process.poll() is None if process is not None else self.holds(job)
        return State.RUNS if runs else State.GONE

    def holds(self, job: Any) -> bool:
        """Whether the job's process is one of submitit's."""
        try:
            with open(f"/proc/{job.job_id}/cmdline", "rb") as file:
                words = file.read()
            with open(f"/proc/{job.job_id}/stat", "rb") as file:
                return b"submitit.local" in words and file.read().rpartition(b")")[2].split()[0] != b"Z"
        except OSError:
            return False
