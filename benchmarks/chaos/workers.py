"""Starting, striking and counting the workers of a scenario."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.chaos.life import Life
from benchmarks.chaos.tally import MARK, Tally, alive

ROOT = Path(__file__).parents[2]
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
PATIENCE = 600.0
"""Seconds after which a life that should end has not, on a machine with much else to do."""


@dataclass
class Workers:
    """The workers of one scenario, all marked; ``environment`` comes on top of this process's own."""

    tally: Tally
    mark: str
    environment: Mapping[str, str] = field(default_factory=dict)
    processes: list[subprocess.Popen[str]] = field(default_factory=list)
    said: str = ""

    def start(self, life: Life) -> subprocess.Popen[str]:
        """A new process for a life."""
        environment = {**os.environ, "OMP_NUM_THREADS": "1", MARK: self.mark, **self.environment}
        process = subprocess.Popen(
            life.command,
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # until the command itself begins
        )
        self.tally.lives += 1
        self.processes.append(process)
        return process

    def wait(self, process: subprocess.Popen[str]) -> int:
        """The status of a life that has ended; a traceback in what it said is noted."""
        try:
            said, _ = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            self.tally.lost.append(f"no end within {PATIENCE:.0f} s: {said[-300:]}")
        self.said = said[-300:]
        if "Traceback" in said:
            self.tally.tracebacks.append(said[-1500:])
        return process.returncode

    def run(self, life: Life) -> int:
        """The status of a life from start to end."""
        return self.wait(self.start(life))

    def finish(self, life: Life) -> None:
        """Let one last life bring the study to its end, which must work."""
        status = self.run(replace(life, point=""))
        if status:
            self.tally.lost.append(f"the last life ended with status {status}: {self.said}")

    def close(self) -> None:
        """Count what runs on though nothing should, and end it."""
        time.sleep(0.5)
        self.tally.zombies += alive(self.mark)
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.communicate()


@contextmanager
def workers(tally: Tally, **environment: str) -> Iterator[Workers]:
    """The workers of a scenario; those that are left after it are counted and ended."""
    made = Workers(tally, f"{os.getpid()}-{random.randrange(10**9)}", environment)
    try:
        yield made
    finally:
        made.close()
