"""``tuner train``: one run, with its diagnosis report."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import Any

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.methods import method_record
from tuner.commands.loading import load_study_file
from tuner.commands.output import announce
from tuner.config.study_file import StudySpec
from tuner.config.trust import CONFIG_FILE
from tuner.errors import Unfinished, error_text
from tuner.study.folder import DATABASE
from tuner.study.passing import is_passing
from tuner.training.checkpoints import checkpoints


def train(file: Path, *, out: Path | None = None, verbose: bool = False, trust_remote_code: bool = False) -> int:
    """Train once with the settings of ``file`` and print the diagnosis and where its report is."""
    spec = load_study_file(file, verbose, trust_remote_code)
    if spec.driver is not None:
        name = spec.driver.profile.name
        raise BadInput(
            f"{file}: its trainer is {name}; start that, or `tuner study {quote(str(file))} --trials 1` for one trial"
        )
    from tuner.training.train import train as train_once

    folder = out or run_folder(spec)
    if (folder / DATABASE).exists():
        raise BadInput(
            f"{folder}: contains a study, and a run there would be mistaken for one of its trials; give another --out"
        )
    announce("loading the model and the data …")
    began = time.monotonic()
    with _removed_on_bad_input(folder):
        run = _fitting(spec, lambda overrides: train_once(spec, overrides, folder, _progress_printer(began), say=print))
    _print_diagnosis(run)
    print(f"report: {folder / 'report.html'}")
    return 0


@contextmanager
def _removed_on_bad_input(folder: Path) -> Iterator[None]:
    """A block whose new folder is removed again when bad input ended it before anything was trained."""
    is_new = not folder.exists()
    try:
        yield
    except BadInput:
        if is_new and not (folder / "trainer_state.json").exists() and not checkpoints(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def run_folder(spec: StudySpec) -> Path:
    """``output_dir`` of the file, or ``runs/<name>-train``; a run's own ``config.yaml`` takes the run's name."""
    name = spec.path.resolve().parent.name if spec.path.name == CONFIG_FILE else spec.name
    return Path(str(spec.config.get("output_dir") or Path("runs") / f"{name}-train"))


def _fitting(spec: StudySpec, train: Callable[[Mapping[str, Any]], Run]) -> Run:
    """The run, with as few rows at once as memory requires; raises ``BadInput`` when one row is too many."""
    from tuner.training.device_batch import device_batch, is_out_of_memory, rows

    overrides: Mapping[str, Any] = {}
    while True:
        try:
            return train(overrides)
        except Exception as error:
            if is_passing(error) and not isinstance(error, BadInput):
                raise Unfinished(
                    f"{spec.path}: {error_text(error, 300)}; the same command continues once the cause is gone"
                ) from error
            if not is_out_of_memory(error):
                raise
        failed = device_batch(spec.config, spec.method, overrides)
        if failed.halved is None:
            raise BadInput(
                f"{spec.path}: out of memory with one row on the device; lower max_length, or set "
                "gradient_checkpointing or load_in_4bit"
            )
        print(f"out of memory with {rows(failed)}; retrying with {rows(failed.halved)} and the same effective batch")
        overrides = failed.halved.overrides


def _progress_printer(began: float) -> Callable[[Run, float], str | None]:
    """A report that prints the losses (or rewards) and the time left at every evaluation, and never stops the run."""

    def report(run: Run, share: float) -> str | None:
        losses = []
        is_loss = method_record(run.settings.method).loss_is_objective
        for name in ("train_loss", "eval_loss") if is_loss else ("reward", "eval_reward"):
            curve = run.curve(name)
            if curve is not None and len(curve):
                losses.append(f"{name} {curve.values[-1]:.4g}")
        spent = time.monotonic() - began
        left = f", about {spent * (1 - share) / share:.0f} s left" if 0 < share < 1 else ""
        print(f"step {run.last_step:g} ({100 * share:.0f} %): {', '.join(losses)}{left}", flush=True)
        return None

    return report


def _print_diagnosis(run: Run) -> None:
    from rich.console import Console

    from diagnostics.diagnosis.diagnose import diagnose
    from diagnostics.report.write import as_text

    Console().print(as_text(run, diagnose(run)))
