"""The commands that train: ``tuner study``, ``tuner train``, ``tuner merge``."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from diagnostics.curves import Run
from diagnostics.errors import BadInput
from tuner.cli import STOPPED
from tuner.spec import AS_MANY_AS_FIT, StudySpec, load_spec
from tuner.training.checkpoints import checkpoints
from tuner.training.quiet import let_speak, quiet
from tuner.training.rerun import NAME as CONFIG

STORAGE = "study.db"


def study(
    file: Path,
    budget: Mapping[str, Any] | None = None,
    *,
    stop_early: bool | None = None,
    out: Path | None = None,
    storage: str | None = None,
    verbose: bool = False,
) -> int:
    """Run or go on with the study of ``file`` and print where its report lies.

    ``budget`` holds trials, minutes and steps that replace those of the file; None leaves them as they are there.
    """
    spec = _loaded(file, verbose)
    given = {key: value for key, value in (budget or {}).items() if value is not None}
    if (given.keys() & {"minutes", "steps"}) and not spec.study.trials_given:
        given.setdefault("trials", AS_MANY_AS_FIT)
    given |= {} if stop_early is None else {"stop_early": stop_early}
    spec = replace(spec, study=replace(spec.study, **given))
    from rich.console import Console

    from tuner.study.loop import run_study
    from tuner.study.progress import progress

    folder = out or Path("runs") / spec.name
    console = Console()
    with quiet(), progress(console) as show:
        result = run_study(spec, _trainer(spec), folder, storage=storage, show=show)
    print(f"report: {folder / 'study.html'}; curves: tuner inspect {folder}")
    best = result.winner
    kept = [folder / best.folder / kind for kind in ("adapter", "model")] if best else []  # an absolute one stays so
    for path in (path for path in kept if path.exists()):
        print(f"best {path.name}: {path}")
    return 0


def _trainer(spec: StudySpec) -> Callable[[Mapping[str, Any], Path, Callable[[Run, float], str | None]], Run]:
    """``train`` with the study file bound, as the loop wants it; live verdicts stay out of the table of trials."""
    from tuner.training.train import train as train_once

    def bound(moves: Mapping[str, Any], folder: Path, report: Callable[[Run, float], str | None]) -> Run:
        return train_once(spec, moves, folder, report, say=lambda line: None)

    return bound


def train(file: Path, *, out: Path | None = None, verbose: bool = False) -> int:
    """Train once on the settings of ``file`` and print the diagnosis and where its report lies."""
    spec = _loaded(file, verbose)
    from tuner.training.train import train as train_once

    folder = out or run_folder(spec)
    if (folder / STORAGE).exists():
        raise BadInput(
            f"{folder}: a study lives there, and a run beside its trials would be taken for one; give another --out"
        )
    began = time.monotonic()
    with _taken_back(folder):
        run = _fitting(spec, lambda moves: train_once(spec, moves, folder, _teller(began), say=print))
    _print_diagnosis(run)
    print(f"report: {folder / 'report.html'}")
    return 0


@contextmanager
def _taken_back(folder: Path) -> Iterator[None]:
    """A block whose new folder is gone again when bad input ended it before anything was trained."""
    is_new = not folder.exists()
    try:
        yield
    except BadInput:
        if is_new and not (folder / "trainer_state.json").exists() and not checkpoints(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def run_folder(spec: StudySpec) -> Path:
    """``output_dir`` of the file, or ``runs/<name>-train``; a run's own ``config.yaml`` goes by the run's name."""
    name = spec.path.resolve().parent.name if spec.path.name == CONFIG else spec.name
    return Path(str(spec.config.get("output_dir") or Path("runs") / f"{name}-train"))


def _fitting(spec: StudySpec, train: Callable[[Mapping[str, Any]], Run]) -> Run:
    """The run, on as few rows at once as memory asks for; raises ``BadInput`` when one row is too many."""
    from tuner.training.memory import device_batch, is_out_of_memory, rows

    moves: Mapping[str, Any] = {}
    while True:
        try:
            return train(moves)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        failed = device_batch(spec.config, spec.method, moves)
        if failed.halved is None:
            raise BadInput(
                f"{spec.path}: out of memory with one row on the device; lower max_length, or set "
                "gradient_checkpointing or load_in_4bit"
            )
        print(f"out of memory with {rows(failed)}; again with {rows(failed.halved)}, the effective batch the same")
        moves = failed.halved.moves


def _teller(began: float) -> Callable[[Run, float], str | None]:
    """A report that prints the losses and the time left at every evaluation, and never stops the run."""

    def tell(run: Run, share: float) -> str | None:
        told = []
        for name in ("train_loss", "eval_loss"):
            curve = run.curve(name)
            if curve is not None and len(curve):
                told.append(f"{name} {curve.values[-1]:.4g}")
        spent = time.monotonic() - began
        left = f", about {spent * (1 - share) / share:.0f} s left" if 0 < share < 1 else ""
        print(f"step {run.last_step:g} ({100 * share:.0f} %): {', '.join(told)}{left}", flush=True)
        return None

    return tell


def _print_diagnosis(run: Run) -> None:
    from rich.console import Console

    from diagnostics.diagnosis import diagnose
    from diagnostics.report import as_text

    Console().print(as_text(run, diagnose(run)))


def merge(run: Path, out: Path) -> int:
    """Write the run's adapter merged into its base model to the folder ``out``."""
    from tuner.training.merge import merge as merged

    with quiet():
        merged(run, out)
    print(f"wrote {out}")
    return 0


def _loaded(file: Path, verbose: bool) -> StudySpec:
    if verbose:
        let_speak()
    with quiet(), _interruptible_at_once():
        return load_spec(file)


@contextmanager
def _interruptible_at_once() -> Iterator[None]:
    """A block that Ctrl-C ends together with the process: torch, while it is imported, aborts on the exception.

    Nothing is written in it that would need to be put in order.
    """
    mine = threading.current_thread() is threading.main_thread()
    if not mine or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return

    def leave(number: int, frame: object) -> None:
        os.write(2, f"{STOPPED}\n".encode())
        os._exit(128 + number)

    signal.signal(signal.SIGINT, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
