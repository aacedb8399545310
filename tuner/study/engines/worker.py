"""A worker on a node of a cluster: ``tuner study --engine local`` below a keeper, which leaves none of it behind."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from tuner.drivers.process import Trainer
from tuner.study.engines.engine import Ended, Order

POLL = 0.5


def command(order: Order, environment: Mapping[str, str]) -> list[str]:
    """The command line of a worker that finds this environment: the GPUs that the cluster gave it are its slot."""
    visible = environment.get("CUDA_VISIBLE_DEVICES", "").strip()
    gpus = ["--gpus", visible] if visible and visible not in ("-1", "NoDevFiles") else []
    return [sys.executable, "-m", "tuner", *order.words, *gpus]


class Worker:
    """The process of a worker; it ends with this one, even when this one is killed."""

    def __init__(self) -> None:
        self._asked = False
        self._process: Trainer | None = None

    def run(self, order: Order) -> Ended:
        """Start the worker and wait for its end."""
        if order.folder.is_dir():
            os.chdir(order.folder)
        order.log.parent.mkdir(parents=True, exist_ok=True)
        order.stop_file.unlink(missing_ok=True)
        environment = {**os.environ, **order.environment}
        begun = order.log.stat().st_size if order.log.exists() else 0
        words, run, deaf = command(order, environment), order.log.with_suffix(""), (signal.SIGUSR1, signal.SIGUSR2)
        with Trainer(words, run, order.log, environment, ignored=deaf) as process:  # it is told to stop by its keeper
            self._process = process
            while (status := process.wait(POLL)) is None:
                if self._asked or order.stop_file.exists():
                    status = process.stop()
                    break
        order.stop_file.unlink(missing_ok=True)
        return Ended(status, _last_line(order.log, begun))

    def stop(self) -> None:
        """Have ``run``, in another thread, ask the worker to end its step, save it and stop."""
        self._asked = True

    def end(self) -> None:
        """Have the worker end its step, save it and stop, and wait until nothing of it is left."""
        if self._process is not None:
            self._process.stop()


def _last_line(log: Path, begun: int) -> str:
    """The last line that the worker printed since it was started."""
    with log.open("rb") as file:
        file.seek(max(begun, file.seek(0, 2) - 4096))
        lines = file.read().decode("utf-8", "replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
