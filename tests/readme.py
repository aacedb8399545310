"""The README's commands and output as data: ``python -m tests.readme study|test|output``. Tests and CI use the same."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import subprocess
import sys
import tempfile
import termios
from collections.abc import Mapping, Sequence
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
    return _in_a_terminal([*tuner, "diagnose", "runs/4-epochs"], folder, environment)


def _in_a_terminal(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """What a command prints in a terminal of 80 columns and 24 lines, which is more than it prints into a pipe."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=theirs, stderr=theirs, stdin=theirs):
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):  # the other side is closed
            while part := os.read(ours, 65536):
                text += part
    os.close(ours)
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text.decode("utf-8")).replace("\r\n", "\n").splitlines()
    return "\n".join(line.rstrip() for line in lines).strip("\n") + "\n"


if __name__ == "__main__":
    if sys.argv[1] == "output":
        with tempfile.TemporaryDirectory() as name:
            print(output_of(Path(name)), end="")
    else:
        print(command(sys.argv[1]))
