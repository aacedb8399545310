"""The README's commands and tables as data: ``python tests/readme.py study|test|rules``; tests and CI use the same."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def command(name: str) -> str:
    """The command in the fenced block below ``<!-- command: name -->``; raises ``KeyError`` when there is none."""
    text = README.read_text("utf-8")
    found = re.search(rf"<!-- command: {re.escape(name)} -->\s*```(?:bash|sh)\n(.*?)```", text, re.DOTALL)
    if not found:
        raise KeyError(f"README.md has no block <!-- command: {name} -->")
    return " ".join(found.group(1).replace("\\\n", " ").split())


def rule_table() -> str:
    """The rule table as it should stand in the README: name, label, cause and the first fix of every rule."""
    from diagnostics.rules import RULES

    rows = ["| rule | the run is | why | first change |", "|---|---|---|---|"]
    for rule in RULES:
        label = str(rule.label) if rule.sets_label else "(noted)"
        first = f"{rule.fixes[0].knob}: {rule.fixes[0].in_words()}" if rule.fixes else ""
        rows.append(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in (f"`{rule.name}`", label, rule.cause, first)) + " |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    print(rule_table() if sys.argv[1] == "rules" else command(sys.argv[1]))
