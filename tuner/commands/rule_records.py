"""What following each rule's advice has brought, over all studies below some folders: ``tuner rules --record``."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from diagnostics.errors import BadInput
from diagnostics.formatting import percent
from tuner.errors import nearest
from tuner.search.credit import RuleRecord, summed

if TYPE_CHECKING:
    from rich.table import Table

FILE = "study.json"
COUNTS = ("advised", "followed", "helped", "hurt", "even")


@dataclass(frozen=True)
class Rulebook:
    """The studies that were read, the rules' records over all of them, and what could not be read."""

    studies: tuple[str, ...]
    records: Mapping[str, RuleRecord]
    unread: tuple[str, ...] = ()


def rulebook(paths: Iterable[Path]) -> Rulebook:
    """The records of all studies at or below the paths; raises ``BadInput`` when there is no study at one of them."""
    files: dict[Path, Path] = {}
    for path in paths:
        found = list(_studies(path))
        if not found:
            raise BadInput(f"{path}: no study at or below it; give a folder that `tuner study` wrote {FILE} into")
        files |= {file.resolve(): file for file in found}
    studies, records, unread = [], list[RuleRecord](), []
    for file in files.values():
        try:
            records += list(_records(file))
            studies.append(str(file.parent))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            unread.append(f"{file}: holds no study that can be read ({error or type(error).__name__})")
    return Rulebook(tuple(studies), summed(records), tuple(unread))


def _studies(path: Path) -> Iterator[Path]:
    if path.is_file() and path.name == FILE:
        yield path
    elif path.is_dir():
        yield from sorted(path.rglob(FILE))


def _records(file: Path) -> Iterator[RuleRecord]:
    """The records in a study's file, each count a whole number of 0 or more."""
    for raw in json.loads(file.read_text(encoding="utf-8"))["records"]:
        counts = {name: raw[name] for name in COUNTS if name != "followed"}
        if not all(isinstance(count, int) and count >= 0 for count in counts.values()):
            raise ValueError(f"the counts of {raw['rule']} are no whole numbers")
        yield RuleRecord(str(raw["rule"]), **counts)


def print_record(paths: Sequence[Path], name: str | None, *, as_json: bool = False) -> int:
    """Print the record of all rules, or of one; 2 when a study could not be read.

    Raises ``BadInput`` when there is no study, or no such rule.
    """
    from diagnostics.rules import RULES

    book = rulebook(paths)
    known = dict.fromkeys((*(rule.name for rule in RULES), *book.records))
    if name is not None and name not in known:
        raise BadInput(f"{name}: no such rule{nearest(name, known)}; `tuner rules` lists them all")
    rows = [record for record in _ordered(book) if name in (None, record.rule)]
    if as_json:
        shown = [{"rule": row.rule, **{count: getattr(row, count) for count in COUNTS}} for row in rows]
        print(json.dumps({"studies": list(book.studies), "records": shown}, indent=2))
    else:
        _print_table(book, rows, name)
    for line in book.unread:
        print(f"tuner: {line}", file=sys.stderr)
    return 2 if book.unread else 0


def _ordered(book: Rulebook) -> list[RuleRecord]:
    """The most followed first."""
    return sorted(book.records.values(), key=lambda one: (-one.followed, -one.advised, one.rule))


def _print_table(book: Rulebook, rows: Sequence[RuleRecord], name: str | None) -> None:
    from rich.console import Console

    count = len(book.studies)
    print(
        f"{count} {'study' if count == 1 else 'studies'}; "
        "a trial that followed an advice is compared with the one that it came from"
    )
    if rows:
        Console().print(table(rows))
    else:
        print(f"{name} gave no advice in them" if name else "no rule gave advice in them")


def table(rows: Sequence[RuleRecord]) -> Table:
    """The records as a table, with the share of those followed that helped."""
    from rich.table import Table

    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    made.add_column("rule", no_wrap=True)
    for head in ("advised", "followed", "helped", "hurt", "within noise", "share that helped"):
        made.add_column(head, justify="right")
    for row in rows:
        share = percent(row.helped / row.followed) if row.followed else "–"
        made.add_row(row.rule, *(str(getattr(row, count)) for count in COUNTS), share)
    return made
