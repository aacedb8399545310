"""One run of our own trainer in several processes, a device for each: started by torchrun, kept and followed."""

from __future__ import annotations

import os
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, Listener, wait
from pathlib import Path
from typing import Any

from diagnostics.model.curves import Run
from tuner.config.library_logging import quiet
from tuner.config.overrides import shared_by, with_overrides
from tuner.config.study_spec import StudySpec
from tuner.drivers.failures import printed_since
from tuner.drivers.plan import PRINTED
from tuner.drivers.process import Trainer, end_left_over
from tuner.drivers.rank_failures import why_failed
from tuner.drivers.slots import mine
from tuner.errors import Broken, SpecError
from tuner.training.checkpoints import clear
from tuner.training.device_batch import lowered_batch_note
from tuner.training.oom import MemoryKills
from tuner.training.protocol import Report
from tuner.training.rank_words import KEY, STOP, Answer, Ended, Evaluated, Hello
from tuner.training.run_config import rerun_config
from tuner.training.train import Task, finished, opened, set_environment

POLL = 0.25
"""Seconds between two looks at whether the processes have ended."""
LAUNCHER = (sys.executable, "-m", "torch.distributed.run", "--standalone")


def train_on_devices(
    spec: StudySpec, overrides: Mapping[str, Any], out: Path, report: Report | None, devices: int
) -> Run:
    """As ``tuner.training.train.train`` with ``reuse``, in so many processes at the same effective batch.

    They see the devices of the slot that this process holds, which stays held until the last of them has ended; on a
    machine without GPUs they share its cores. Ctrl-C and SIGTERM end them after their step, with a checkpoint. Raises
    ``OutOfMemoryError``, ``TrainerKilled`` where one of them was killed, ``RankFailed`` with the error of the one that
    failed first, and what is bad input or the machine's as it is.
    """
    set_environment(spec)
    with quiet():
        known = finished(spec, overrides, out)
    if known is not None:
        return known
    end_left_over(out)
    config = with_overrides(spec.config, overrides)
    _check_devices(spec, devices)
    shared = shared_by(config, devices)
    checkpoint = opened(out, rerun_config(spec, config, out))
    note = lowered_batch_note(spec.config, spec.method, overrides)
    run = _Together(Task(spec, shared, out, checkpoint, (note,) if note else ()), devices, report).trained()
    clear(out)
    return replace(run, name=out.name)


def _check_devices(spec: StudySpec, devices: int) -> None:
    """Raise ``SpecError`` where the machine has GPUs, but not one for each process."""
    import torch

    count = torch.accelerator.device_count() if torch.accelerator.is_available() else devices
    if count < devices and not spec.config.get("use_cpu"):
        raise SpecError(f"{spec.path}: gpus_per_trial {devices}: this process sees {count} GPUs")


@dataclass
class _Together:
    """A run under way in several processes, each with a line to this one."""

    task: Task
    devices: int
    report: Report | None
    lines: dict[Connection, int] = field(default_factory=dict)
    last: dict[int, Ended | Broken] = field(default_factory=dict)
    asks: Connection | None = None
    interrupted: bool = False

    def trained(self) -> Run:
        """Start the processes, answer the first of them, and give the run that it logged."""
        printed, kills, key = self.task.out / PRINTED, MemoryKills.now(), secrets.token_bytes(32)
        begun = printed.stat().st_size if printed.exists() else 0
        with Listener(family="AF_UNIX", authkey=key) as listener:
            self._welcome(listener)
            with self._launched(str(listener.address), key) as launcher:
                while not self._has_ended(launcher):
                    pass
            self._listen(0)
        first = self.last.get(0)
        if self.interrupted or first == Ended(None):
            raise KeyboardInterrupt
        if launcher.status == 0 and isinstance(first, Ended) and first.run is not None:
            return first.run
        raise why_failed(self.last, self.devices, printed_since(printed, begun), kills)

    @contextmanager
    def _launched(self, address: str, key: bytes) -> Iterator[Trainer]:
        argv = [*LAUNCHER, f"--nproc-per-node={self.devices}", "-m", "tuner.training.rank", address]
        environment = {**os.environ, KEY: key.hex(), "TORCH_CPP_LOG_LEVEL": "ERROR"}
        out = self.task.out
        with Trainer(argv, out, out / PRINTED, environment, held=mine().handles) as launcher:
            yield launcher

    def _welcome(self, listener: Listener) -> None:
        """Give each process that calls its task, in a thread that ends with the listener."""

        def accept() -> None:
            for line in _callers(listener):
                with suppress(EOFError, OSError):
                    said = line.recv()
                    assert isinstance(said, Hello)
                    line.send(self.task)
                    self.lines[line] = said.rank

        threading.Thread(target=accept, daemon=True).start()

    def _has_ended(self, launcher: Trainer) -> bool:
        """Listen for a while; the first interruption is passed on, so that the run ends its step and saves it."""
        try:
            self._listen(POLL)
            return launcher.wait(0) is not None
        except KeyboardInterrupt:
            if self.interrupted:
                raise
            self.interrupted = True
            for line in list(self.lines):
                with suppress(OSError):
                    line.send(STOP)
                    if line is self.asks:
                        line.send(Answer(None))
            return False

    def _listen(self, seconds: float) -> None:
        """Take what the processes say until nothing was said for so long; an evaluation gets its answer."""
        if not self.lines:
            threading.Event().wait(seconds)
        for line in wait(list(self.lines), seconds):
            assert isinstance(line, Connection)
            try:
                said = line.recv()
            except (EOFError, OSError):
                del self.lines[line]
            else:
                self._heard(line, said)

    def _heard(self, line: Connection, said: Evaluated | Ended | Broken) -> None:
        if isinstance(said, Evaluated):
            self.asks = line
            reason = self.report(said.run, said.share) if self.report is not None else None
            with suppress(OSError):  # it has died over the question
                line.send(Answer(reason))
            self.asks = None
        else:
            self.last[self.lines[line]] = said


def _callers(listener: Listener) -> Iterator[Connection]:
    """The connections to the listener until it is closed; one that does not know the key is no caller."""
    while True:
        try:
            yield listener.accept()
        except AuthenticationError:
            continue
        except OSError:
            return
