"""The README's commands as data: ``python tests/readme.py study|test`` prints one; tests and CI run the same text."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def command(name: str) -> str:
    """The command in the fenced block below ``<!-- command: name -->``; raises ``KeyError`` when there is none."""
    found = re.search(
        rf"<!-- command: {re.escape(name)} -->\s*```(?:bash|sh)\n(.*?)```", README.read_text("utf-8"), re.DOTALL
    )
    if not found:
        raise KeyError(f"README.md has no block <!-- command: {name} -->")
    return " ".join(found.group(1).replace("\\\n", " ").split())


if __name__ == "__main__":
    print(command(sys.argv[1]))
