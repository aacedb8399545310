"""``tuner rules``: the rule table, or one rule in full."""

from __future__ import annotations

from diagnostics.errors import BadInput


def rules(name: str | None) -> int:
    """Print the rule table, or all that is known about one rule; raises ``BadInput`` for an unknown name."""
    from difflib import get_close_matches

    from diagnostics.rules import RULES

    if name is None:
        _print_table()
        return 0
    for rule in RULES:
        if rule.name == name:
            print(rule.explain())
            return 0
    near = get_close_matches(name, [rule.name for rule in RULES], n=1, cutoff=0.0)
    raise BadInput(f"{name}: no such rule; did you mean {near[0]}? `tuner rules` lists them all")


def _print_table() -> None:
    from rich.console import Console
    from rich.table import Table

    from diagnostics.rules import RULES

    table = Table("rule", "label", "what it means", box=None, pad_edge=False)
    for rule in RULES:
        table.add_row(rule.name, str(rule.label), rule.cause)
    Console().print(table)
