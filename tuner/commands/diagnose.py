"""``tuner diagnose``: the verdict on every run at or below some paths. It needs no training library."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis, Label
from diagnostics.readers import read
from diagnostics.report.order import worst_first
from diagnostics.report.terminal_table import runs_table
from diagnostics.report.write import UnreadRun, as_html, as_json, as_markdown, as_text, write_text
from tuner import batch
from tuner.batch import FEW_RUNS, Diagnosed
from tuner.commands.output import show
from tuner.commands.standard_input import with_standard_input

Pair = tuple[Run, Diagnosis]
MORE = "--verbose lists them."
MORE_OF_MANY = "--verbose shows each run in full."


def diagnose(
    paths: Sequence[Path],
    *,
    form: str = "text",
    html: Path | None = None,
    fail_on: Iterable[str] = (),
    tags: Mapping[str, str] | None = None,
    baseline: Path | None = None,
    verbose: bool = False,
) -> int:
    """Print the verdict on every run at or below ``paths``; return 1 when ``fail_on`` matched, 2 after a read error.

    ``form`` is text, md or json; the path ``-`` is a log on standard input. Unreadable paths are reported and skipped.
    Each run is compared with the one at ``baseline``; raises ``UnreadableLog`` when that run does not exist.
    ``verbose`` prints the details of every run.
    """
    if html is not None:
        _check_page(html)
    good = None if baseline is None else read(baseline, tags)
    whole = html is not None or (verbose and form == "text")
    with with_standard_input(paths, tags) as given:
        found = list(batch.diagnose_runs(given, tags, curves=whole, baseline=good))
        next_runs = next_runs_of(given, tags, found) if html is not None else []
    pairs = [item for item in found if not isinstance(item, UnreadRun)]
    errors = [item for item in found if isinstance(item, UnreadRun)]
    if form == "json":
        _print_json(found)
    elif form == "md":
        _print_markdown(pairs)
    elif html is not None:
        write_html(pairs, errors, html, next_runs)
    else:
        print_text(pairs, len(errors), verbose=verbose)
    for item in errors:
        where = "" if item.run in item.error else f"{item.run}: "
        print(f"tuner: {where}{item.error}", file=sys.stderr)
    if any(str(diagnosis.label) in set(fail_on) for _, diagnosis in pairs):
        return 1
    return 2 if errors else 0


def print_text(pairs: Sequence[Pair], unread: int = 0, *, verbose: bool = False) -> None:
    """Print a few runs one by one, and many as a table with the worst first; with ``verbose`` their details before it.

    Where standard output is not a terminal, lines have neither color nor spaces at their ends.
    """
    from rich.console import Console

    console = Console(highlight=False)
    few = len(pairs) <= FEW_RUNS
    for run, diagnosis in pairs if few else worst_first(pairs) if verbose else ():
        show(console, as_text(run, diagnosis, verbose=verbose, more=MORE))
    if not few:
        for line in runs_table(pairs, console.width, ascii_only=console.options.ascii_only):
            show(console, line)
        show(console, "")
    if len(pairs) + unread > 1:
        show(console, _totals(pairs, unread))
    if not few and not verbose and console.is_terminal:
        console.print(MORE_OF_MANY, style="bright_black")


def _totals(pairs: Sequence[Pair], unread: int) -> str:
    """How many runs there are of each label: ``12 runs: 2 overfit, 9 healthy, 1 not read``."""
    labels = [diagnosis.label for _, diagnosis in pairs]
    counts = [f"{labels.count(label)} {label}" for label in Label if label in labels]
    counts += [f"{unread} not read"] if unread else []
    return f"{len(pairs) + unread:,} runs: {', '.join(counts)}"


def _print_markdown(pairs: Sequence[Pair]) -> None:
    print("\n\n".join(as_markdown(run, diagnosis) for run, diagnosis in pairs))


def _print_json(found: Sequence[Diagnosed]) -> None:
    print(as_json([item if isinstance(item, UnreadRun) else item[1] for item in found]))


def _check_page(path: Path) -> None:
    """Raise ``BadInput`` when the page cannot be written, before any time is spent on reading."""
    if not path.parent.is_dir():
        raise BadInput(f"--html {path}: the folder {path.parent} does not exist; create it or choose another")
    if path.is_dir():
        raise BadInput(f"--html {path}: is a folder; give a file, such as {path / 'report.html'}")


def next_runs_of(paths: Sequence[Path], tags: Mapping[str, str] | None, found: Sequence[Diagnosed]) -> list[str]:
    """The file of the next run for each run that was read, from its own config file where it left one."""
    from tuner.config.next_run import next_run_yaml
    from tuner.training.run_config import own_config

    places = batch.places(paths, tags)
    return [
        next_run_yaml(*item, own_config(place) if isinstance(place, Path) else None)
        for place, item in zip(places, found, strict=True)
        if not isinstance(item, UnreadRun)
    ]


def write_html(pairs: Sequence[Pair], errors: Sequence[UnreadRun], path: Path, next_runs: Sequence[str]) -> None:
    """Write the page and print its link; raises ``BadInput`` when it cannot be written."""
    page = as_html(pairs, errors=[(item.run, item.error) for item in errors], next_runs=next_runs)
    try:
        write_text(path, page)
    except OSError as error:
        raise BadInput(f"--html {path}: cannot be written ({error.strerror}); choose another place") from error
    print(f"wrote {path}: {path.resolve().as_uri()}")
