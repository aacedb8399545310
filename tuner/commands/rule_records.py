"""How following each rule's advice worked out, over all studies below some folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from diagnostics.errors import BadInput
from tuner.config.bounded_read import read_json
from tuner.errors import error_text
from tuner.search.credit import RuleRecord, summed
from tuner.study.folder import RESULT

COUNTS = ("advised", "followed", "helped", "hurt", "even")


@dataclass(frozen=True)
class Rulebook:
    """The studies that were read, the rules' records over all of them, and a line for each that cannot be read."""

    studies: tuple[str, ...]
    records: Mapping[str, RuleRecord]
    unread: tuple[str, ...] = ()

    def most_followed_first(self) -> list[RuleRecord]:
        """The records in the order of how often the advice was followed, then given."""
        return sorted(self.records.values(), key=lambda one: (-one.followed, -one.advised, one.rule))


def rulebook(paths: Iterable[Path]) -> Rulebook:
    """The records of all studies at or below the paths; raises ``BadInput`` when there is no study at one of them."""
    files: dict[Path, Path] = {}
    for path in paths:
        found = list(_studies(path))
        if not found:
            raise BadInput(f"{path}: contains no study; give a folder that `tuner study` wrote {RESULT} into")
        files |= {file.resolve(): file for file in found}
    studies, records, unread = [], list[RuleRecord](), []
    for file in files.values():
        try:
            records += list(_records(file))
            studies.append(str(file.parent))
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            unread.append(f"{file}: not a readable study ({error_text(error)})")
    return Rulebook(tuple(studies), summed(records), tuple(unread))


def _studies(path: Path) -> Iterator[Path]:
    if path.is_file() and path.name == RESULT:
        yield path
    elif path.is_dir():
        yield from sorted(path.rglob(RESULT))


def _records(file: Path) -> Iterator[RuleRecord]:
    """The records in a study's file; raises ``ValueError`` unless each count is a whole number of 0 or more."""
    yield from map(RuleRecord.from_dict, read_json(file)["records"])
