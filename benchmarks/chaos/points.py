"""The points at which a life can be struck, each patched into the process that is to die there."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.chaos.life import Life, note

Arm = Callable[["Strike"], None]


class Strike:
    """The signal that a life gets, at the n-th time that it comes by its point."""

    def __init__(self, life: Life) -> None:
        self.life, self.left = life, life.count

    def __call__(self) -> None:
        """Pass the point; the last time, the signal comes."""
        self.left -= 1
        if self.left == 0:
            note(self.life.ledger, "struck", self.life.point, signal.Signals(self.life.signal).name)
            os.kill(os.getpid(), self.life.signal)


def around(target: str, *, after: bool = False) -> Arm:
    """A point before (or after) a function is called, by ``module:Class.name``."""

    def arm(strike: Strike) -> None:
        owner, name = _owner(target)
        plain = getattr(owner, name)

        def struck(*args: Any, **more: Any) -> Any:
            if not after:
                strike()
            answer = plain(*args, **more)
            if after:
                strike()
            return answer

        setattr(owner, name, struck)

    return arm


def _owner(target: str) -> tuple[Any, str]:
    module, _, path = target.partition(":")
    *holders, name = path.split(".")
    owner: Any = import_module(module)
    for holder in holders:
        owner = getattr(owner, holder)
    return owner, name


def at_import(strike: Strike) -> None:
    """A point at each import of a module."""

    class Finder:
        @staticmethod
        def find_spec(*given: object) -> None:
            strike()

    sys.meta_path.insert(0, Finder)


def at_statement(strike: Strike) -> None:
    """A point at each statement that the database is sent, in the middle of transactions as well."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    event.listen(Engine, "after_cursor_execute", lambda *given: strike())


def half_written_tensors(strike: Strike) -> None:
    """A point at which half of a file of torch (optimizer, scheduler, random state) is on the disk."""
    import torch

    plain = torch.save

    def half(made: Any, place: Any, *rest: Any, **more: Any) -> None:
        whole = io.BytesIO()
        plain(made, whole, *rest, **more)
        if isinstance(place, (str, os.PathLike)):
            Path(place).write_bytes(whole.getvalue()[: whole.tell() // 2])
        strike()
        plain(made, place, *rest, **more)

    torch.save = half


def half_written_weights(only: str) -> Arm:
    """A point at which half of a file of weights is on the disk, in a folder whose name begins with ``only``."""

    def arm(strike: Strike) -> None:
        from peft import peft_model

        plain = peft_model.safe_save_file

        def half(tensors: Any, place: Any, **more: Any) -> None:
            plain(tensors, place, **more)
            if Path(place).parent.name.startswith(only):
                whole = Path(place).read_bytes()
                Path(place).write_bytes(whole[: len(whole) // 2])
                strike()
                Path(place).write_bytes(whole)

        peft_model.safe_save_file = half

    return arm


def half_written_report(strike: Strike) -> None:
    """A point at which half of a report lies in its draft."""
    plain = Path.write_bytes

    def half(self: Path, data: Any) -> int:
        if self.name.endswith(".part"):
            plain(self, data[: len(data) // 2])
            strike()
        return plain(self, data)

    Path.write_bytes = half  # type: ignore[method-assign, assignment]


STUDY_POINTS: Mapping[str, Arm] = {
    "import": at_import,
    "before ask": around("optuna.study:Study.ask"),
    "after ask": around("optuna.study:Study.ask", after=True),
    "lock": around("tuner.study.workers.file_locks:FileLocks.try_lock", after=True),
    "statement": at_statement,
    "log": around("tests.tuner.madeup:Bowl.run", after=True),
    "evaluation": around("tuner.study.workers.attempts:keep", after=True),
    "before tell": around("optuna.study:Study.tell"),
    "after tell": around("optuna.study:Study.tell", after=True),
    "report half written": half_written_report,
    "report written": around("os:replace", after=True),
    "before outcome": around("tuner.study.loop:write_outcome"),
    "before repeat": around("tuner.study.run_repeat:train_fitting"),
    "before repeat is kept": around("tuner.study.repeats:save"),
    "after repeat is kept": around("tuner.study.repeats:save", after=True),
}
"""Those of every study."""
REAL_POINTS: Mapping[str, Arm] = {
    "first log": around("tuner.callback:DiagnosisCallback.on_log", after=True),
    "checkpoint half written": half_written_tensors,
    "checkpoint weights half written": half_written_weights("checkpoint"),
    "adapter half written": half_written_weights("adapter"),
    "adapter saved": around("tuner.training.session:Session._save_weights", after=True),
    "reports of a run": around("diagnostics.report.write:write_reports"),
}
"""Those of TRL's trainer."""
POINTS: Mapping[str, Arm] = {**STUDY_POINTS, **REAL_POINTS}
