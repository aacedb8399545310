"""The report of a study as one HTML file that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.model.records import Label
from diagnostics.report.html_page import bullets, change, chip, copyable, details, facts, figure, page, table
from tuner.messages.en import PRICE, TITLES
from tuner.search.proposer import ProposerKind
from tuner.study.report.axes import COLORS, MOVERS, mover, shape
from tuner.study.report.beside import Beside
from tuner.study.report.curve_charts import curves_chart, progress_chart
from tuner.study.report.html_top import top_card
from tuner.study.report.path_chart import path_chart
from tuner.study.report.price_chart import price_chart
from tuner.study.report.rate_chart import rate_chart
from tuner.study.report.sections import NOTHING, Sections, ShownPoint, ShownTrial, sections
from tuner.study.report.tables import Table, price_limit
from tuner.study.report.words import report_phrase
from tuner.study.results import StudyResult

WIDE, NARROW, HALF = 950, 380, 460


def as_html(result: StudyResult, found: Beside = NOTHING, *, image: str = "") -> str:
    """The whole study on one page: what came out, how the search went, the proof, and what to do next.

    ``found`` is what the study's folder holds beside the result, ``image`` the address of the picture that a link to
    the page shows.
    """
    shown = sections(result, found)
    claimed = result.gain is not None and result.gain.claimed
    return page(
        f"{shown.name} · study",
        top_card(shown, Label.HEALTHY if claimed else Label.UNKNOWN),
        _titled("metrics", _table(shown.metrics)),
        _rate(result),
        _path(result),
        _titled("gains", _table(shown.gains, texts=2)),
        _curves(result),
        _trials(shown),
        _titled("proof", _table(shown.proof, bold_rows={-1})),
        _price(result),
        _titled("records", _table(shown.records)),
        _titled("review", *map(_point, shown.review)),
        _next(shown),
        element(
            "div",
            _folded("space", facts(shown.space, "pairs") if shown.space else None),
            _folded("versions", facts(shown.versions, "pairs") if shown.versions else None),
            _folded("notes", bullets(shown.notes) if shown.notes else None),
        ),
        element("footer", "Made by tuner."),
        description=f"{shown.headline}. {shown.lead}",
        image=image,
    )


def _titled(title: str, *content: Child) -> Markup | None:
    """A section with its title; nothing without content."""
    known = [part for part in content if part is not None]
    return joined(element("h3", TITLES[title]), *known) if known else None


def _folded(title: str, content: Child) -> Markup | None:
    return details(TITLES[title], content) if content is not None else None


def _table(shown: Table | None, *, texts: int = 1, bold_rows: Collection[int] = ()) -> Markup | None:
    """A table with ``texts`` columns of text, and numbers to the right of them."""
    if shown is None:
        return None
    rows: list[list[Child]] = [list(row) for row in shown.rows]
    for index in bold_rows:
        rows[index] = [element("b", cell) if cell else cell for cell in rows[index]]
    words = element("p", shown.words, class_="intro") if shown.words else None
    return joined(words, table(shown.heads, rows, numbers=shown.heads[texts:], stacks=texts > 1))


def _rate(result: StudyResult) -> Markup | None:
    wide, narrow = rate_chart(result, width=WIDE), rate_chart(result, width=NARROW)
    if wide is None or narrow is None:
        return None
    return _titled("rate", figure((wide, narrow), report_phrase("rate")))


def _path(result: StudyResult) -> Markup | None:
    wide, narrow = path_chart(result, width=WIDE), path_chart(result, width=NARROW)
    if wide is None or narrow is None:
        return None
    return _titled("path", figure((wide, narrow), joined(_legend(result), report_phrase("path"))))


def _legend(result: StudyResult) -> Markup:
    present = dict.fromkeys(mover(trial) for trial in result.trials)
    entries = []
    for kind in present:
        line = {ProposerKind.FILE: None, ProposerKind.ADVICE: "none"}.get(kind, "4 4")
        stroke = (
            element("path", d="M20,8h22", stroke=COLORS[kind], stroke_width=1.6, stroke_dasharray=line)
            if line
            else None
        )
        sign = element("svg", shape(kind, 9, 8, 6), stroke, width=44 if line else 20, height=16, aria_hidden="true")
        entries.append(element("span", sign, MOVERS[kind]))
    return element("div", *entries, class_="legend")


def _curves(result: StudyResult) -> Markup | None:
    drawings = [
        (TITLES["progress"], progress_chart(result, width=HALF)),
        (TITLES["curves"], curves_chart(result, width=HALF)),
    ]
    cards = [
        element("figure", element("div", title, class_="plotname"), drawing, class_="card")
        for title, drawing in drawings
        if drawing
    ]
    return element("div", *cards, class_="halves") if cards else None


def _price(result: StudyResult) -> Markup | None:
    wide, narrow = price_chart(result, width=WIDE), price_chart(result, width=NARROW)
    if wide is None or narrow is None:
        return None
    return _titled("price", figure((wide, narrow), joined(_legend(result), f"{PRICE['words']} {price_limit(result)}")))


def _trials(shown: Sections) -> Markup | None:
    heads, best = shown.trial_heads, {index for index, trial in enumerate(shown.trials) if trial.is_best}
    return _titled("trials", table(heads, map(_trial, shown.trials), numbers=heads[1:2], chosen=best))


def _trial(trial: ShownTrial) -> list[Child]:
    name = joined(f"{trial.number}", element("span", " best", class_="soft") if trial.is_best else None)
    link = element("a", name, href=f"{quote(trial.report)}/report.html") if trial.report else name
    remarks = (element("div", words, class_="soft small") for words in trial.remarks)
    moved = [
        element("div", element("code", knob), " ", change(old, new), class_="nowrap") for knob, old, new in trial.moves
    ]
    why = element("div", trial.why, class_="soft small") if trial.why else None
    return [
        link,
        trial.value,
        joined(chip(trial.label) if trial.label else None, *remarks),
        joined(*moved, trial.unmoved),
        joined(element("div", trial.proposer), why),
    ]


def _point(point: ShownPoint) -> Markup:
    return element(
        "div",
        element("b", point.title),
        element("p", point.text, style="margin-top:4px"),
        element("pre", element("code", point.yaml.rstrip())) if point.yaml else None,
        class_="finding",
        style="--tone:var(--line)",
    )


def _next(shown: Sections) -> Markup | None:
    if not shown.shell:
        return None
    return _titled(
        "next",
        element("p", report_phrase("beside"), class_="intro"),
        copyable(shown.shell),
        copyable(shown.python) if shown.python else None,
    )
