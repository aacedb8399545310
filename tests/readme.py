"""The README's commands and outputs as data: ``python -m tests.readme study|test|output``; tests and CI use the same."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def command(name: str) -> str:
    """The command in the fenced block below ``<!-- command: name -->``; raises ``KeyError`` when there is none."""
    text = README.read_text("utf-8")
    found = re.search(rf"<!-- command: {re.escape(name)} -->\s*```(?:bash|sh)\n(.*?)```", text, re.DOTALL)
    if not found:
        raise KeyError(f"README.md has no block <!-- command: {name} -->")
    return " ".join(found.group(1).replace("\\\n", " ").split())


def output_of(folder: Path) -> str:
    """What ``tuner diagnose`` prints of the demo's overfit run, without color, 80 columns wide."""
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    tuner = [sys.executable, "-m", "tuner"]
    demo = [*tuner, "demo", "--no-browser", "--out", "runs"]
    subprocess.run(demo, cwd=folder, env=environment, check=True, capture_output=True)
    sick = next(path for path in sorted((folder / "runs").iterdir()) if "overfit" in path.name)
    done = subprocess.run(
        [*tuner, "diagnose", str(sick.relative_to(folder))],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    return done.stdout


if __name__ == "__main__":
    if sys.argv[1] == "output":
        with tempfile.TemporaryDirectory() as name:
            print(output_of(Path(name)), end="")
    else:
        print(command(sys.argv[1]))
