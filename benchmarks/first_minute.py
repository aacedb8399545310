"""How long does a stranger wait? The first minute in a new environment, step by step.

    python -m benchmarks.first_minute [--log FILE] [--train]

Builds the wheel, installs it alone into a new virtual environment, and times the commands that a newcomer types there:
the demo, the verdict on a log (``--log``: one of yours), the rule table. ``--train`` also installs the training extra
and times the first line and the first trial of ``tuner study``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOG = ROOT / "tests" / "data" / "logs" / "trl-sft"


def main() -> int:
    """Print one line a step: seconds, and what was done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--log", type=Path, default=LOG, help="the log to diagnose (default: a small one of the tests)")
    parser.add_argument("--train", action="store_true", help="install the training extra and start a study as well")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        steps(folder, given.log.resolve(), train=given.train)
    return 0


def steps(folder: Path, log: Path, *, train: bool) -> None:
    """Run and time every step in ``folder``."""
    _timed("build the wheel", [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)])
    wheel = next(folder.glob("*.whl"))
    print(f"{'':>8}  wheel: {wheel.stat().st_size / 1e6:.1f} MB")
    _timed("make an environment", [sys.executable, "-m", "venv", str(folder / "venv")])
    pip, tuner = str(folder / "venv/bin/pip"), str(folder / "venv/bin/tuner")
    _timed("install the core", [pip, "install", "-q", str(wheel)])
    _timed("tuner demo", [tuner, "demo", "--no-browser"], cwd=folder)
    _timed("tuner diagnose LOG (first time)", [tuner, "diagnose", str(log)], cwd=folder)
    _timed("tuner diagnose LOG (again)", [tuner, "diagnose", str(log)], cwd=folder)
    _timed("tuner rules", [tuner, "rules"], cwd=folder)
    if train:
        _timed("install the training extra", [pip, "install", "-q", f"{wheel}[train]"])
        _timed("tuner init sft", [tuner, "init", "sft"], cwd=folder)
        first_lines([tuner, "study", "sft.yaml", "--trials", "1"], folder)


def first_lines(command: Sequence[str], folder: Path) -> None:
    """The seconds until a study prints its first line, and until its first trial has ended."""
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as study:
        assert study.stdout is not None
        for number, line in enumerate(study.stdout):
            if number == 0 or line.startswith("trial 0: "):
                print(f"{time.perf_counter() - began:8.2f}  tuner study: {line.strip()[:90]}")


def _timed(what: str, command: Sequence[str], cwd: Path | None = None) -> None:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    print(f"{time.perf_counter() - began:8.2f}  {what}{'' if done.returncode == 0 else f': status {done.returncode}'}")
    if done.returncode:
        print(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
