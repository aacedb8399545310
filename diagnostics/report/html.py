"""Diagnoses as one HTML file that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from diagnostics.chart.markup import Markup, element
from diagnostics.messages import phrase
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis, Label
from diagnostics.report.html_overview import entry, overview, run_summary
from diagnostics.report.html_page import page, to_index, to_top
from diagnostics.report.html_run import run_content
from diagnostics.report.order import severity
from diagnostics.report.sections import Sections, sections

Pair = tuple[Run, Diagnosis]
MAX_OPEN_RUNS = 10
"""In a report of more runs every run is folded; in a smaller one only those that are healthy."""


def as_html(
    pairs: Sequence[Pair],
    *,
    title: str | None = None,
    errors: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    next_runs: Sequence[str] = (),
    image: str = "",
    index: str = "",
) -> str:
    """One self-contained page for one run or many, the worst first.

    ``errors`` maps paths that could not be read to why. ``next_runs`` holds the YAML file of the next run for each
    pair, empty where there is none. ``image`` is the address of the picture that a link to the page shows, ``index``
    that of the page that leads to this one.
    """
    pairs, errors = list(pairs), dict(errors)
    files = list(next_runs) or [""] * len(pairs)
    many = len(pairs) + len(errors) != 1
    both = sorted(zip(pairs, files, strict=True), key=lambda item: severity(item[0][1]))
    ranked = [(*pair, sections(*pair), file) for pair, file in both]
    shown = [one for _, _, one, _ in ranked]
    title = title or _title(shown, many)
    entries = [entry(one, f"#run-{k}") for k, one in enumerate(shown, 1)]
    head = element("header", element("h1", title), overview(entries, errors)) if many or errors else None
    body = [_section(*one, ident=f"run-{k}", fold=_folds(one[2], len(ranked))) for k, one in enumerate(ranked, 1)]
    description = shown[0].summary if shown and not many else ""
    extra = to_index(index) if index else to_top() if many and len(ranked) > 1 else None
    return page(phrase("page", title=title), head, *body, footer(), extra, description=description, image=image)


def _title(shown: Sequence[Sections], many: bool) -> str:
    if many:
        return phrase("page-of-many", count=len(shown))
    return shown[0].name if shown else phrase("page-of-none")


def _folds(shown: Sections, runs: int) -> bool:
    """Whether a run among so many is folded."""
    return runs > MAX_OPEN_RUNS or (runs > 1 and shown.label is Label.HEALTHY)


def _section(run: Run, diagnosis: Diagnosis, shown: Sections, next_run: str, *, ident: str, fold: bool) -> Markup:
    content = run_content(run, diagnosis, shown, ident, next_run)
    verdict = str(shown.label)
    if not fold:
        return element("section", content, id=ident, data_verdict=verdict)
    return element("details", run_summary(shown), content, class_="run", id=ident, data_verdict=verdict)


def footer() -> Markup:
    """What made the page, and how to learn more of its rules."""
    before, after = phrase("made-by", command="\n").split("\n")
    return element("footer", before, element("code", "tuner rules NAME"), after)
