"""``tuner diagnose``: the verdict on every run at or below some paths. It needs no training library."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from diagnostics.errors import BadInput
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis, Label
from diagnostics.readers import read
from diagnostics.report.write import UnreadRun, as_html, as_json, as_markdown, as_text, write_text
from tuner import batch
from tuner.batch import Diagnosed

Pair = tuple[Run, Diagnosis]


def diagnose(
    paths: Sequence[Path],
    *,
    form: str = "text",
    html: Path | None = None,
    fail_on: Iterable[str] = (),
    tags: Mapping[str, str] | None = None,
    baseline: Path | None = None,
) -> int:
    """Print the verdict on every run at or below ``paths``; return 1 when ``fail_on`` matched, 2 after a read error.

    ``form`` is text, md or json. Unreadable paths are reported and skipped. Each run is compared with the
    one at ``baseline``; raises ``UnreadableLog`` when that run does not exist.
    """
    if html is not None:
        _check_page(html)
    good = None if baseline is None else read(baseline, tags)
    found = list(batch.diagnose_runs(paths, tags, curves=html is not None, baseline=good))
    pairs = [item for item in found if not isinstance(item, UnreadRun)]
    errors = [item for item in found if isinstance(item, UnreadRun)]
    if form == "json":
        _print_json(found)
    elif form == "md":
        _print_markdown(pairs)
    elif html is not None:
        _write_html(pairs, errors, html)
    else:
        _print_text(pairs, len(errors))
    for item in errors:
        where = "" if item.run in item.error else f"{item.run}: "
        print(f"tuner: {where}{item.error}", file=sys.stderr)
    if any(str(diagnosis.label) in set(fail_on) for _, diagnosis in pairs):
        return 1
    return 2 if errors else 0


def _print_text(pairs: Sequence[Pair], unread: int) -> None:
    from rich.console import Console

    console = Console()
    for run, diagnosis in pairs:
        console.print(as_text(run, diagnosis))
    if len(pairs) + unread > 1:
        console.print(_totals(pairs, unread), highlight=False)


def _totals(pairs: Sequence[Pair], unread: int) -> str:
    """How many runs there are of each label: ``12 runs: 9 healthy, 2 overfit, 1 not read``."""
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


def _write_html(pairs: Sequence[Pair], errors: Sequence[UnreadRun], path: Path) -> None:
    page = as_html(pairs, errors=[(item.run, item.error) for item in errors])
    try:
        write_text(path, page)
    except OSError as error:
        raise BadInput(f"--html {path}: cannot be written ({error.strerror}); choose another place") from error
    print(f"wrote {path}")
