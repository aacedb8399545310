"""The commands that train: ``tuner study``, ``tuner train``, ``tuner merge``."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from diagnostics.curves import Run
from tuner.spec import StudySpec, load_spec
from tuner.training.quiet import let_speak, quiet


def study(
    file: Path, *, trials: int | None = None, out: Path | None = None, storage: str | None = None, verbose: bool = False
) -> int:
    """Run or go on with the study of ``file`` and print where its report lies."""
    spec = _loaded(file, verbose)
    from rich.console import Console

    from tuner.study.loop import run_study
    from tuner.study.progress import progress

    folder = out or Path("runs") / spec.name
    console = Console()
    with quiet(), progress(console) as show:
        run_study(spec, _trainer(spec), folder, storage=storage, trials=trials, show=show)
    print(f"report: {folder / 'study.html'}")
    print(f"best adapter: see the end of {folder / 'study.md'}; curves: tuner inspect {folder}")
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

    folder = out or Path(str(spec.config.get("output_dir") or Path("runs") / spec.name))
    began = time.monotonic()
    run = train_once(spec, {}, folder, _teller(began), say=print)
    _print_diagnosis(run)
    print(f"report: {folder / 'report.html'}")
    return 0


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
        print(f"step {run.last_step:g} ({share:.0%}): {', '.join(told)}{left}", flush=True)
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
    with quiet():
        return load_spec(file)
