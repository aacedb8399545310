"""One worker of a pool: a process that runs the study's loop and tells the parent what happens."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from tuner.config.library_logging import quiet, set_verbose
from tuner.errors import Broken
from tuner.study.events import Event
from tuner.study.loop import run_study
from tuner.study.pool.gpus import slot
from tuner.study.protocols import Train

if TYPE_CHECKING:
    from optuna.samplers import BaseSampler

    from tuner.config.study_file import StudySpec

ORPHAN_SECONDS = 120.0
"""How long a worker whose parent is gone may take to end its step and save it."""


@dataclass(frozen=True)
class Job:
    """What every worker of a pool does; ``threads`` are those that each may use."""

    spec: StudySpec
    train: Train
    out: Path
    storage: str | None
    base: BaseSampler | None
    threads: int
    verbose: bool


def work(job: Job, parent: Connection, told: Connection) -> None:
    """Run the study and send each event to ``told``; ``parent`` closes when the parent is gone.

    A process group of its own: Ctrl-C in the terminal reaches the parent alone, which passes it on once.
    """
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
    signal.signal(
        signal.SIGTERM, signal.SIG_DFL
    )  # the parent decides which signals count, and passes them on by this one
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    if job.verbose:
        set_verbose()

    def show(event: Event) -> None:
        with suppress(OSError):  # a parent that is gone; the thread above ends this process
            told.send(event)

    try:
        with quiet():
            _limit_threads(job.threads)
            with slot(job.spec.study, show):
                run_study(job.spec, job.train, job.out, storage=job.storage, base=job.base, show=show)
    except KeyboardInterrupt:
        os._exit(128 + signal.SIGINT)  # nothing is left to be put in order, and a traceback would hide the display
    except Exception as error:
        with suppress(OSError):
            told.send(Broken.now(error))


def _end_with_parent(parent: Connection) -> None:
    """Interrupt this process when the parent ends, by ``kill -9`` as well; end it when that takes too long."""
    with suppress(EOFError, OSError):
        parent.recv()
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(ORPHAN_SECONDS)
    os._exit(128 + signal.SIGTERM)


def _limit_threads(threads: int) -> None:
    """Let torch use so many threads, unless the user has said how many."""
    if "OMP_NUM_THREADS" in os.environ:
        return
    with suppress(ModuleNotFoundError):
        import torch

        torch.set_num_threads(threads)
