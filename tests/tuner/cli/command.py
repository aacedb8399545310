"""The command line in a process of its own, and the names of its commands."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from tuner.cli import parser_of_all

ROOT = Path(__file__).parents[3]
_ACTIONS = parser_of_all()._actions
COMMANDS = tuple(next(action for action in _ACTIONS if isinstance(action, argparse._SubParsersAction)).choices)


def tuner(*args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tuner", *args], capture_output=True, text=True, cwd=cwd, check=False)
