"""What loading one data file comes to, in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.wrong_data.case import WrongData
from tuner.config.study_file import StudyBlock, StudySpec
from tuner.errors import SpecError, Unfinished

LIMIT, MEMORY, HANG = 5.0, 1 << 30, 60.0
"""Processor seconds, bytes above what the process held before, and seconds by the clock, that one file may cost."""


LONGEST_LINE = 700


@dataclass(frozen=True)
class Outcome:
    """What came of one case: ``refused``, ``accepted``, or a failure; the line, and what it cost."""

    what: str
    line: str
    seconds: float
    memory: int


def outcome(case: WrongData, folder: Path, limit: float = LIMIT, train: bool = False) -> Outcome:
    """What loading one case comes to, in a process of its own: it may crash, hang, or take all memory."""
    source = case.make(folder)
    mine, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_loaded, args=(case, source, limit, train, theirs))
    child.start()
    theirs.close()
    if not mine.poll(HANG + (60 if train else 0)):
        child.kill()
        child.join()
        return Outcome("hung", "no end by the clock", HANG, 0)
    try:
        found: Outcome = mine.recv()
    except EOFError:
        child.join()
        return Outcome("crashed", f"the process ended with {child.exitcode}", 0.0, 0)
    child.join()
    return found


def _loaded(case: WrongData, source: Path, limit: float, train: bool, answer: Connection) -> None:
    def stop(number: int, frame: object) -> None:
        raise TimeoutError("too much processor time")

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    what, line = _tried(case, source, train)
    seconds, memory = time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    what = "hung" if seconds > limit and not train else "swollen" if memory << 10 > MEMORY else what
    answer.send(Outcome(what, line, seconds, memory << 10))


def _tried(case: WrongData, source: Path, train: bool) -> tuple[str, str]:
    from tuner.data import load_data

    os.environ["HF_HUB_OFFLINE"] = "1"
    config = {"model_name_or_path": "tuner/tiny", "dataset_name": str(source), "max_steps": 1, "use_peft": True}
    try:
        load_data(config, case.method, source.parent)
        if train:
            signal.setitimer(signal.ITIMER_PROF, 0)
            from tuner.training.train import train as train_once

            spec = StudySpec(source.parent / "x.yaml", "x", case.method, config, StudyBlock())
            train_once(spec, {}, source.parent / "run")
        return "accepted", ""
    except (SpecError, Unfinished) as error:
        return _judged(case, source, str(error)), str(error)
    except TimeoutError as error:
        return "hung", str(error)
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return "crashed", f"{type(error).__name__}: {str(error)[:200]} ({last.filename}:{last.lineno})"


def _judged(case: WrongData, source: Path, line: str) -> str:
    """Whether the line is one, short, and names the file and the row."""
    if "\n" in line or len(line) > LONGEST_LINE:
        return "unclear"
    if source.parent.name not in line and source.name not in line:
        return "unclear"
    return "unclear" if case.row is not None and f"row {case.row}" not in line else "refused"
