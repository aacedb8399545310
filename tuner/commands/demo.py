"""``tuner demo``: three made-up logs with a fault each, diagnosed as any log is. It needs no data and no torch."""

from __future__ import annotations

import csv
import json
import os
import sys
import tempfile
import webbrowser
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.synthetic import make
from tuner.batch import diagnose_runs
from tuner.commands.diagnose import next_runs_of, print_text, write_html

LOGS: Mapping[str, tuple[str, float]] = {
    "4-epochs/trainer_state.json": ("eval-loss-rises", 0.8),
    "lr-2e-3.csv": ("loss-diverges", 0.6),
    "lr-3e-5/trainer_state.json": ("rate-too-low", 0.6),
}
"""The logs, by file, each with its fault and how strong that is."""
LOGGED = {"train_loss": "loss", "eval_loss": "eval_loss", "learning_rate": "learning_rate", "grad_norm": "grad_norm"}
"""The curves in the logs, by the names that transformers gives them."""


def demo(out: Path | None, *, browser: bool) -> int:
    """Write the logs and the report on them into ``out``, or a new temporary folder, and print their diagnoses.

    Raises ``BadInput`` when the folder cannot be written.
    """
    folder = out or Path(tempfile.mkdtemp(prefix="tuner-demo-"))
    try:
        paths = [_write(folder / name, make(*fault)) for name, fault in LOGS.items()]
    except OSError as error:
        raise BadInput(f"{folder}: cannot write there ({error.strerror}); give another --out") from error
    found = list(diagnose_runs(paths))
    pairs = [item for item in found if isinstance(item, tuple)]
    print_text(pairs)
    report = folder / "report.html"
    write_html(pairs, (), report, next_runs_of(paths, found))
    print(f"your own runs: tuner diagnose PATH (these three: tuner diagnose {quote(str(folder))})")
    if browser and _has_display():
        webbrowser.open(report.resolve().as_uri())
    return 0


def _has_display() -> bool:
    """Whether a browser would have a window rather than take over the terminal."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _write(path: Path, run: Run) -> Path:
    """Write the log of a run; the path to give to ``tuner diagnose``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = _rows(run)
    if path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            table = csv.DictWriter(file, ["step", "epoch", *LOGGED.values()])
            table.writeheader()
            table.writerows(rows)
        return path
    last = int(run.last_step)
    state = {"global_step": last, "max_steps": last, "num_train_epochs": run.settings.num_train_epochs}
    path.write_text(json.dumps({**state, "log_history": rows}, indent=1), encoding="utf-8")
    return path.parent


def _rows(run: Run) -> list[dict[str, Any]]:
    """What transformers logs of a run: a row for each logging step, and one for each evaluation."""
    epoch = run.curves["epoch"]
    rows: list[dict[str, Any]] = []
    for is_eval in (False, True):
        names = [name for name in LOGGED if name.startswith("eval_") is is_eval and name in run.curves]
        for step in run.curves[names[0]].steps.tolist():
            values = {LOGGED[name]: round(float(run.curves[name].at([step])[0]), 8) for name in names}
            rows.append({"step": int(step), "epoch": round(float(epoch.at([step])[0]), 4), **values})
    return sorted(rows, key=lambda row: row["step"])
