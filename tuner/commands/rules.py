"""``tuner rules``: the rule table, one rule in full, or how each rule's advice worked out in past studies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from diagnostics.errors import BadInput
from diagnostics.formatting import SIGNS, percent
from diagnostics.model.label import Label
from diagnostics.model.records import current_rule_name
from tuner.commands.output import complain, show
from tuner.errors import nearest

if TYPE_CHECKING:
    from diagnostics.rules import Rule
    from tuner.commands.rule_records import Rulebook
    from tuner.search.credit import RuleRecord


MAX_WIDTH = 100
"""Lines longer than this are hard to read."""


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
        from diagnostics.rules import RULES

        _print_table(RULES)
    else:
        _explain(name)
    return 0


def _explain(name: str) -> None:
    """Print all rules of a label, or one rule below the curve of a synthetic run on which it fires."""
    from diagnostics.rules import RULES

    by_name = {rule.name: rule for rule in RULES}
    name = current_rule_name(name)
    if name in set(Label):
        _print_table([rule for rule in RULES if rule.label == name])
        return
    if name not in by_name:
        near = get_close_matches(name, [*by_name, *(rule.label for rule in RULES)], n=1, cutoff=0.0)
        raise BadInput(f"{name}: no such rule; did you mean {near[0]}? `tuner rules` lists them all")
    console = Console(highlight=False)
    if console.is_terminal:
        _draw_example(by_name[name], console)
    show(console, Text("\n".join(_wrapped(by_name[name].explain(), min(console.width, MAX_WIDTH)))))


def _draw_example(rule: Rule, console: Console) -> None:
    from diagnostics.chart.build import chart
    from diagnostics.diagnosis.example import example_of
    from diagnostics.report.terminal_curve import curve_lines

    example = example_of(rule.name)
    if example is None:
        return
    drawn, plain = chart(*example), console.options.ascii_only
    for line in curve_lines(drawn, rule.name, console.width, ascii_only=plain, curves=rule.needs):
        console.print(line)
    console.print()


def _wrapped(explanation: str, width: int) -> Iterator[str]:
    """The lines of an explanation, wrapped at words and indented below where their text begins."""
    for line in explanation.splitlines():
        found = re.match(r" +(?:\d+\. |- )?|\w[\w ]*?  +", line)
        indent = " " * len(found[0] if found else "")
        yield from wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]


def _print_table(rules: Sequence[Rule]) -> None:
    """Print the rules grouped by label, each with what it means."""
    from diagnostics.messages import HEADLINES, phrase
    from diagnostics.report.terminal_curve import LABEL_COLORS

    console = Console(highlight=False)
    for label in dict.fromkeys(rule.label for rule in rules):
        head = Text.assemble((f"{SIGNS[label]} {label}", f"bold {LABEL_COLORS[label]}"), f"  {HEADLINES[label]}")
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(max_width=MAX_WIDTH)
        for rule in rules:
            if rule.label is label:
                noted = "" if rule.sets_label else f" ({phrase('noted')})"
                table.add_row(rule.name + noted, rule.cause)
        show(console, Group(head, Padding(table, (0, 0, 1, 2))))
    show(console, Text("`tuner rules NAME` explains a rule.", style="bright_black"))


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
        complain(line)
    return 2 if book.unread else 0


def _print_records(book: Rulebook, rows: Sequence[RuleRecord], name: str | None) -> None:
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
    from tuner.commands.rule_records import COUNTS

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("rule", no_wrap=True)
    for head in ("advised", "followed", "helped", "hurt", "within noise", "share that helped"):
        table.add_column(head, justify="right")
    for row in rows:
        share = percent(row.helped / row.followed) if row.followed else "–"
        table.add_row(row.rule, *(str(getattr(row, count)) for count in COUNTS), share)
    return table
