"""The process between a worker and a trainer: it starts the trainer, and leaves no process of it behind.

Run as a file by any Python 3, so it imports nothing of ours. The first line on standard input is a JSON object with
``argv``, ``log``, ``tag``, ``stop`` (a signal's number), ``grace`` (seconds) and ``ignored`` (signals' numbers); any
later line, or the end of the input, stops the trainer. The end of the input means that the worker is gone, by
``kill -9`` as well. When the trainer has ended, and with it every process that it started, the status is written to
standard output.

A process is the trainer's when it descends from it, or when the variable ``TUNER_RUN`` in its environment holds the
tag: torchrun gives every rank a session of its own, and a rank whose launcher was killed has no parent left.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from typing import Any

TAG = "TUNER_RUN"
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WARNING = (signal.SIGUSR1, signal.SIGUSR2)
"""Signals with which a cluster announces an end, to every process of a job."""
PAUSE = 0.05
PATIENCE = 10.0
"""Seconds in which what the trainer left behind may end by itself."""


def prctl(option: int, value: int) -> None:
    """Set an option of this process, where the system is Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def of_run(tag: str, below: int | None = None) -> list[int]:
    """The processes whose environment holds the tag, and those that descend from the process ``below``.

    This process itself, and what has ended, are left out.
    """
    found = []
    parents = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                state, parent = file.read().rpartition(b")")[2].split()[:2]
            with open(f"/proc/{name}/environ", "rb") as file:
                tagged = f"{TAG}={tag}".encode() in file.read().split(b"\0")
        except OSError:
            continue
        if state != b"Z":
            parents[int(name)] = int(parent)
            if tagged:
                found.append(int(name))
    return sorted({*found, *(one for one in parents if below is not None and _descends(one, below, parents))})


def _descends(process: int, below: int, parents: dict[int, int]) -> bool:
    seen = set()
    while process in parents and process not in seen:
        seen.add(process)
        process = parents[process]
    return process == below


def send(processes: list[int], number: int) -> None:
    """Send a signal to each of the processes that is still there."""
    for process in processes:
        with contextlib.suppress(OSError):
            os.kill(process, number)


def end_all(tag: str, patience: float = PATIENCE, below: int | None = None) -> None:
    """End every process of the run: ask, wait, then kill until none is left."""
    end = time.monotonic() + patience
    asked: set[int] = set()
    while left := of_run(tag, below):
        if time.monotonic() > end:
            send(left, signal.SIGKILL)
        else:
            send([one for one in left if one not in asked], signal.SIGTERM)
            asked |= set(left)
        if below == os.getpid():
            _reap()
        time.sleep(PAUSE)


def _reap() -> None:
    """Take the status of children that ended; orphans of the trainer become ours."""
    with contextlib.suppress(OSError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _as_started_by_hand(ignored: list[int]) -> None:
    """Signals that a background job ignores count again in the trainer, which ends with this process."""
    for number in ENDING:
        signal.signal(number, signal.SIG_DFL)
    for one in ignored:
        signal.signal(one, signal.SIG_IGN)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def keep(order: dict[str, Any]) -> int:
    """Run the trainer to its end, or until it is told to stop; its status, negative for a signal."""
    with open(order["log"], "ab", buffering=0) as log:
        trainer = subprocess.Popen(
            order["argv"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=lambda: _as_started_by_hand(order.get("ignored", [])),
        )
    asked = None
    while trainer.poll() is None:
        if asked is None and select.select([0], [], [], PAUSE)[0]:
            asked = time.monotonic()
            send([-trainer.pid], order["stop"])  # the group, as Ctrl-C in a terminal does
        elif asked is not None:
            if time.monotonic() > asked + order["grace"]:
                trainer.kill()
            time.sleep(PAUSE)
    status = trainer.returncode
    patience = PATIENCE if asked is None else max(0.0, asked + order["grace"] - time.monotonic())
    end_all(order["tag"], patience, below=os.getpid())
    return status


def first_line() -> bytes:
    """The first line on standard input, and not a byte more: the next one is waited for."""
    line = b""
    while not line.endswith(b"\n") and (sign := os.read(0, 1)):
        line += sign
    return line


def main() -> None:
    """Read the order, keep the trainer, and tell how it ended."""
    for number in (*ENDING, *WARNING):
        signal.signal(number, lambda number, frame: None)  # the worker decides; a closed input says that it is gone
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    order = json.loads(first_line())
    try:
        status, problem = keep(order), ""
    except OSError as error:
        status, problem = 127, f"{error.strerror}: {order['argv'][0]}"
    with contextlib.suppress(OSError):  # the worker is gone
        print(json.dumps({"status": status, "problem": problem}), flush=True)


if __name__ == "__main__":
    main()
