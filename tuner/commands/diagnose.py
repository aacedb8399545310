"""``tuner diagnose``: the verdict on every run at or below some paths. It needs no training library."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.records import Label
from diagnostics.readers import read
from diagnostics.report.order import worst_first
from diagnostics.report.terminal_table import runs_table
from diagnostics.report.write import UnreadRun, as_html, as_markdown, as_text, json_list, json_object, write_text
from tuner import batch
from tuner.batch import FEW_RUNS, Diagnosed, Pair
from tuner.commands.index_pages import MAX_RUNS_IN_A_PAGE, pages_beside, write_index
from tuner.commands.output import complain, show
from tuner.commands.standard_input import with_standard_input

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
        places = batch.places(given, tags)
        if html is not None and len(places) > MAX_RUNS_IN_A_PAGE:
            labels, errors = _write_index(places, html, tags, good)
            return _status(labels, errors, fail_on)
        answers = batch.diagnose_places(places, tags, curves=whole, baseline=good)
        if form == "json":
            shown = dict(zip(map(str, given), map(str, paths), strict=True))  # standard input is read from a file
            labels, errors = _print_json(answers, [shown.get(path, path) for path in map(_path_of, places)])
        else:
            found = list(answers)
            pairs = [item for item in found if not isinstance(item, UnreadRun)]
            errors = [item for item in found if isinstance(item, UnreadRun)]
            labels = {str(diagnosis.label) for _, diagnosis in pairs}
            if form == "md":
                errors += _print_markdown(pairs)
            elif html is not None:
                errors += write_html(pairs, errors, html, next_runs_of(places, found))
            else:
                errors += print_text(pairs, len(errors), verbose=verbose)
    return _status(labels, errors, fail_on)


def _status(labels: set[str], errors: Iterable[UnreadRun], fail_on: Iterable[str]) -> int:
    """The exit status; what could not be read is printed."""
    status = 0
    for item in errors:
        where = "" if item.run in item.error else f"{item.run}: "
        complain(f"{where}{item.error}")
        status = 2
    return status if labels.isdisjoint(fail_on) else 1


def print_text(pairs: Sequence[Pair], unread: int = 0, *, verbose: bool = False) -> list[UnreadRun]:
    """Print a few runs one by one, and many as a table with the worst first; with ``verbose`` their details before it.

    Where standard output is not a terminal, lines have neither color nor spaces at their ends. Returns a line on each
    run that a bug kept from being printed.
    """
    from rich.console import Console

    console = Console(highlight=False)
    few = len(pairs) <= FEW_RUNS
    one_by_one = pairs if few else worst_first(pairs) if verbose else ()
    printed = (
        batch.guarded(pair[0].name, partial(show, console, as_text(*pair, verbose=verbose, more=MORE)))
        for pair in one_by_one
    )
    errors = [answer for answer in printed if answer is not None]
    if not few:
        width, plain = console.width, console.options.ascii_only
        lines, more = batch.each_that_can(pairs, lambda some: runs_table(some, width, ascii_only=plain))
        errors += more
        for line in lines:
            show(console, line)
        show(console, "")
    if len(pairs) + unread > 1:
        show(console, _totals(pairs, unread))
    if not few and not verbose and console.is_terminal:
        console.print(MORE_OF_MANY, style="bright_black")
    return errors


def _totals(pairs: Sequence[Pair], unread: int) -> str:
    """How many runs there are of each label: ``12 runs: 2 overfit, 9 healthy, 1 not read``."""
    labels = [diagnosis.label for _, diagnosis in pairs]
    counts = [f"{labels.count(label)} {label}" for label in Label if label in labels]
    counts += [f"{unread} not read"] if unread else []
    return f"{len(pairs) + unread:,} runs: {', '.join(counts)}"


def _print_markdown(pairs: Sequence[Pair]) -> list[UnreadRun]:
    shown, errors = batch.each_that_can(pairs, lambda some: [as_markdown(*pair) for pair in some])
    print("\n\n".join(shown))
    return errors


def _path_of(place: Path | UnreadRun) -> str:
    """The path of a run, also of one that could not be found."""
    return place.run if isinstance(place, UnreadRun) else str(place)


def _print_json(answers: Iterable[Diagnosed], paths: Sequence[str]) -> tuple[set[str], list[UnreadRun]]:
    """Print the list once it is whole; of each run only its text is kept. The labels found, and what was not read."""
    labels: set[str] = set()
    errors: list[UnreadRun] = []
    objects = []
    for answer, path in zip(answers, paths, strict=True):
        if not isinstance(answer, UnreadRun):
            run, diagnosis = answer
            written = batch.guarded(run.name, partial(json_object, diagnosis, path))
            labels.add(str(diagnosis.label))
        else:
            written = answer
        if isinstance(written, UnreadRun):
            errors.append(written)
            written = json_object(written, path)
        objects.append(written)
    for part in json_list(objects):
        sys.stdout.write(part)
    print()
    return labels, errors


def _check_page(path: Path) -> None:
    """Raise ``BadInput`` when the page cannot be written, before any time is spent on reading."""
    if not path.parent.is_dir():
        raise BadInput(f"--html {path}: the folder {path.parent} does not exist; create it or choose another")
    if path.is_dir():
        raise BadInput(f"--html {path}: is a folder; give a file, such as {path / 'report.html'}")


def next_runs_of(places: Sequence[Path | UnreadRun], found: Sequence[Diagnosed]) -> list[str]:
    """The file of the next run for each run that was read, from its own config file where it left one."""
    files = []
    for place, item in zip(places, found, strict=True):
        if not isinstance(item, UnreadRun) and isinstance(place, Path):
            made = batch.guarded(str(place), partial(_next_run_of, place, item))
            files.append("" if isinstance(made, UnreadRun) else made)
    return files


def _next_run_of(place: Path, pair: Pair) -> str:
    from tuner.config.next_run import next_run_yaml
    from tuner.training.run_config import own_config

    return next_run_yaml(*pair, own_config(place))


def write_html(
    pairs: Sequence[Pair], errors: Sequence[UnreadRun], path: Path, next_runs: Sequence[str]
) -> list[UnreadRun]:
    """Write the page and print its link; raises ``BadInput`` when it cannot be written.

    Returns a line on each run that a bug kept from the page.
    """
    files = {id(run): file for (run, _), file in zip(pairs, next_runs, strict=True)}
    unread = [(item.run, item.error) for item in errors]
    page, more = batch.each_that_can(
        pairs, lambda some: as_html(some, errors=unread, next_runs=[files[id(run)] for run, _ in some])
    )
    with _writable(path):
        write_text(path, page)
    print(f"wrote {path}: {path.resolve().as_uri()}")
    return more


def _write_index(
    places: Sequence[Path | UnreadRun], path: Path, tags: Mapping[str, str] | None, baseline: Run | None
) -> tuple[set[str], list[UnreadRun]]:
    """Write the table of very many runs and a page for each, and print the link."""
    with _writable(path):
        found = write_index(places, path, _next_run_of, tags, baseline)
    print(f"wrote {path}, with a page for each run in {pages_beside(path)}: {path.resolve().as_uri()}")
    return found


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    """A block that writes a page; raises ``BadInput`` when that fails."""
    try:
        yield
    except OSError as error:
        raise BadInput(f"--html {path}: cannot be written ({error.strerror}); choose another place") from error
