"""The commands that only read: ``tuner diagnose`` and ``tuner rules``. They need no training library."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from diagnostics.curves import Run
from diagnostics.diagnosis import diagnose as judge
from diagnostics.errors import BadInput
from diagnostics.readers import UnreadableLog, find_runs, read
from diagnostics.verdict import Diagnosis

Pair = tuple[Run, Diagnosis]


def diagnose(
    paths: Sequence[Path],
    *,
    form: str = "text",
    html: Path | None = None,
    fail_on: Iterable[str] = (),
    tags: Mapping[str, str] | None = None,
) -> int:
    """Print the verdict on every run at or below ``paths``; 2 when one could not be read, 1 when ``fail_on`` matched.

    ``form`` is text, md or json. Unreadable paths are reported and the others still come.
    """
    pairs, errors = _judged(paths, tags)
    if form == "json":
        _print_json(pairs, errors)
    elif form == "md":
        _print_markdown(pairs)
    elif html is None:
        _print_text(pairs)
    if html is not None:
        _write_html(pairs, html)
    for name, message in errors:
        print(f"tuner: {message if name in message else f'{name}: {message}'}", file=sys.stderr)
    if any(str(diagnosis.label) in set(fail_on) for _, diagnosis in pairs):
        return 1
    return 2 if errors else 0


def _judged(paths: Sequence[Path], tags: Mapping[str, str] | None) -> tuple[list[Pair], list[tuple[str, str]]]:
    """The runs with their diagnoses in the order of the paths, and what could not be read with its reason."""
    pairs: list[Pair] = []
    errors: list[tuple[str, str]] = []
    for path in paths:
        try:
            runs = find_runs(path)
            if not runs:
                raise UnreadableLog(f"{path}: no training log at or below it; see the README for the formats")
        except UnreadableLog as error:
            errors.append((str(path), str(error)))
            continue
        for found in runs:
            try:
                run = read(found, tags)
                pairs.append((run, judge(run)))
            except UnreadableLog as error:
                errors.append((str(found), str(error)))
    return pairs, errors


def _print_text(pairs: Sequence[Pair]) -> None:
    from rich.console import Console

    from diagnostics.report import as_text

    console = Console()
    for run, diagnosis in pairs:
        console.print(as_text(run, diagnosis))


def _print_markdown(pairs: Sequence[Pair]) -> None:
    from diagnostics.report import as_markdown

    print("\n\n".join(as_markdown(run, diagnosis) for run, diagnosis in pairs))


def _print_json(pairs: Sequence[Pair], errors: Sequence[tuple[str, str]]) -> None:
    from diagnostics.report import as_json

    print(as_json([diagnosis for _, diagnosis in pairs], errors))


def _write_html(pairs: Sequence[Pair], path: Path) -> None:
    from diagnostics.report import as_html

    if not path.parent.is_dir():
        raise BadInput(f"--html {path}: the folder {path.parent} does not exist; make it or choose another")
    if path.is_dir():
        raise BadInput(f"--html {path}: that is a folder; give a file such as {path / 'report.html'}")
    path.write_text(as_html(pairs), encoding="utf-8")
    print(f"wrote {path}")


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
