"""``python -m tests.check``: format, lint, types and tests, in that order, stopping at the first that fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
STEPS = {
    "ruff format": ["ruff", "format", "--check", "--quiet", "."],
    "ruff check": ["ruff", "check", "--quiet", "."],
    "mypy": ["mypy", "diagnostics", "tuner", "app.py"],
    # One file stays on one worker, so that a model is built once; training threads would fight over the cores.
    "pytest": ["pytest", "-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"],
}


def main() -> int:
    """Run every step; the exit status is that of the first that failed, 0 when all passed."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # every worker and every process would compile all of it anew
    for name, command in STEPS.items():
        began = time.perf_counter()
        status = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, env=environment, check=False).returncode
        print(f"{name}: {'passed' if status == 0 else f'failed ({status})'} in {time.perf_counter() - began:.0f} s")
        if status:
            return status
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
