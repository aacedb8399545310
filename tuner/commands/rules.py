"""``tuner rules``: the rule table, one rule in full, or how each rule's advice worked out in past studies."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from diagnostics.errors import BadInput
from diagnostics.formatting import percent
from tuner.errors import nearest

if TYPE_CHECKING:
    from rich.table import Table

    from tuner.commands.rule_records import Rulebook
    from tuner.search.credit import RuleRecord


def rules(name: str | None, *, record: Sequence[Path] = (), as_json: bool = False) -> int:
    """Print the rule table, or all that is known about one rule; with ``record`` how the advice worked out there.

    The exit status is 2 when a study could not be read. Raises ``BadInput`` for an unknown name, for a path without
    a study, and for ``as_json`` without ``record``.
    """
    if record:
        return _print_record(record, name, as_json)
    if as_json:
        raise BadInput("--json needs --record PATH; without it `tuner rules` prints a table")
    if name is None:
        _print_table()
    else:
        _explain(name)
    return 0


def _explain(name: str) -> None:
    from difflib import get_close_matches

    from diagnostics.rules import RULES

    by_name = {rule.name: rule for rule in RULES}
    if name not in by_name:
        near = get_close_matches(name, by_name, n=1, cutoff=0.0)
        raise BadInput(f"{name}: no such rule; did you mean {near[0]}? `tuner rules` lists them all")
    print(by_name[name].explain())


def _print_table() -> None:
    from rich.console import Console
    from rich.table import Table

    from diagnostics.rules import RULES

    table = Table("rule", "label", "what it means", box=None, pad_edge=False)
    for rule in RULES:
        table.add_row(rule.name, str(rule.label), rule.cause)
    Console().print(table)


def _print_record(paths: Sequence[Path], name: str | None, as_json: bool) -> int:
    from diagnostics.rules import RULES
    from tuner.commands.rule_records import COUNTS, rulebook

    book = rulebook(paths)
    known = dict.fromkeys((*(rule.name for rule in RULES), *book.records))
    if name is not None and name not in known:
        raise BadInput(f"{name}: no such rule{nearest(name, known)}; `tuner rules` lists them all")
    rows = [one for one in book.most_followed_first() if name in (None, one.rule)]
    if as_json:
        records = [{"rule": row.rule, **{count: getattr(row, count) for count in COUNTS}} for row in rows]
        print(json.dumps({"studies": list(book.studies), "records": records}, indent=2))
    else:
        _print_records(book, rows, name)
    for line in book.unread:
        print(f"tuner: {line}", file=sys.stderr)
    return 2 if book.unread else 0


def _print_records(book: Rulebook, rows: Sequence[RuleRecord], name: str | None) -> None:
    from rich.console import Console

    count = len(book.studies)
    print(
        f"{count} {'study' if count == 1 else 'studies'}; "
        "each trial that followed advice is compared with the trial that it came from"
    )
    if rows:
        Console().print(_records_table(rows))
    else:
        print(f"{name} gave no advice in them" if name else "no rule gave advice in them")


def _records_table(rows: Sequence[RuleRecord]) -> Table:
    """The records as a table, with the share of the followed advice that helped."""
    from rich.table import Table

    from tuner.commands.rule_records import COUNTS

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("rule", no_wrap=True)
    for head in ("advised", "followed", "helped", "hurt", "within noise", "share that helped"):
        table.add_column(head, justify="right")
    for row in rows:
        share = percent(row.helped / row.followed) if row.followed else "–"
        table.add_row(row.rule, *(str(getattr(row, count)) for count in COUNTS), share)
    return table
