"""Starting a run or a study from the page: what may be started, where it may write, and the process itself."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

from diagnostics.errors import BadInput
from tuner.config.next_run import FILL_IN
from tuner.config.yaml_text import read_plain
from tuner.inspector.access import without_token
from tuner.inspector.jobs import processes
from tuner.inspector.jobs.allowed import Origin, check_allowed
from tuner.inspector.jobs.record import HIDDEN, LOG, STOP, Job, job, write_record
from tuner.inspector.jobs.worker import EXIT

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*")
MAX_NAME_LENGTH = 120


class NotStarted(BadInput):
    """The run was not started; the message says why and what to do."""


@dataclass(frozen=True)
class Plan:
    """A checked run that can be started: its kind, its file's text and place, and its output folder."""

    kind: str
    text: str
    file: Path
    folder: Path


def plan(root: Path, name: str, text: str, origin: Origin | None = None) -> Plan:
    """What ``text`` would start as ``root/name.yaml`` into ``root/name``.

    ``origin`` is the run that the text was made from. Raises ``NotStarted`` for a name that is taken or leads out of
    ``root``, and for a text that is not a file for ``tuner train`` or ``tuner study`` or leaves a place to fill in;
    ``NotAllowed`` for keys that a page does not start.
    """
    folder = _inside(root, name.strip())
    file = folder.with_name(f"{folder.name}.yaml")
    if folder.exists() and any(folder.iterdir()):
        raise NotStarted(f"{name}: there is a folder of that name already; choose another name")
    if file.exists():
        raise NotStarted(f"{name}.yaml: there is a file of that name already; choose another name")
    config = _config(text)
    check_allowed(config, root, origin)
    return Plan("study" if config.get("study") else "train", text, file, folder)


def _inside(root: Path, name: str) -> Path:
    if not NAME.fullmatch(name) or len(name) > MAX_NAME_LENGTH:
        raise NotStarted(f"{name or 'nothing'}: no name for a run; use letters, digits, dots, dashes and slashes")
    folder = root / name
    if not folder.resolve().is_relative_to(root.resolve()) or folder.resolve() == root.resolve():
        raise NotStarted(f"{name}: leads out of the opened folder; choose a name inside it")
    return folder


def _config(text: str) -> dict[str, Any]:
    try:
        config = read_plain(text)
    except ValueError as error:
        raise NotStarted(f"the file cannot be started: {error}") from error
    if not isinstance(config, dict) or "method" not in config:
        raise NotStarted("the file must be a mapping with `method: sft` or another method")
    gaps = [str(key) for key, value in config.items() if value == FILL_IN]
    if gaps:
        raise NotStarted(f"{', '.join(gaps)}: replace {FILL_IN} first")
    return config


def free_name(root: Path, stem: str) -> str:
    """A name made of ``stem`` that is not taken in ``root`` yet: ``stem``, ``stem-2``, …"""
    clean = re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-._")[: MAX_NAME_LENGTH - 8] or "next"
    names = (clean if n == 1 else f"{clean}-{n}" for n in range(1, 10_000))
    return next(name for name in names if not (root / name).exists() and not (root / f"{name}.yaml").exists())


def start(root: Path, wanted: Plan) -> Job:
    """The run, started in the background as a process of its own, which continues when the page or the server ends."""
    wanted.folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        with wanted.file.open("x", encoding="utf-8") as file:
            file.write(wanted.text)
    except FileExistsError:
        raise NotStarted(f"{wanted.file.name}: there is a file of that name already; choose another name") from None
    return _started(root, wanted.kind, wanted.file, wanted.folder)


def resume(root: Path, ended: Job) -> Job:
    """A run that was stopped or failed, started again: it continues from its last checkpoint.

    Raises ``NotStarted`` while it is still running, and when its file is gone; ``NotAllowed`` when that now has keys
    that a page does not start.
    """
    if ended.is_on:
        raise NotStarted(f"{ended.name}: is still running")
    try:
        config = _config(ended.file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise NotStarted(f"{ended.file.name}: cannot be read, so {ended.name} cannot be resumed: {error}") from error
    # What it names was checked when it was started, and it may name that again.
    check_allowed(config, root, Origin(config, ended.file.parent))
    return _started(root, ended.kind, ended.file, ended.folder)


def _started(root: Path, kind: str, file: Path, folder: Path) -> Job:
    if not hasattr(os, "killpg"):
        raise NotStarted("runs cannot be started from the page on this system; use the command line")
    kept = folder / HIDDEN
    kept.mkdir(parents=True, exist_ok=True)
    for left in (EXIT, STOP):
        (kept / left).unlink(missing_ok=True)
    out = str(folder.resolve())
    command = [sys.executable, "-P", "-m", "tuner.inspector.jobs.worker", f"{out}/{HIDDEN}"]
    command += [kind, str(file.resolve()), "--out", out]
    with (kept / LOG).open("ab") as log:
        if log.tell():
            log.write(b"-- resumed --\n")
            log.flush()
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=without_token(os.environ),
        )
    running = processes.process(child.pid)
    Thread(target=child.wait, daemon=True).start()  # so that it leaves no zombie while the server lives
    if running is None:
        raise NotStarted(f"{file.name}: ended at once; {kept / LOG} has the reason")
    write_record(root, folder, kind, file, running)
    known = job(root, folder)
    if known is None:
        raise NotStarted(f"{file.name}: its record could not be written to {kept}")
    return known
