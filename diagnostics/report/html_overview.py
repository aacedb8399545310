"""The top of a report of many runs: how many there are of each verdict, as a filter, and one line for each run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.formatting import SIGNS, plain_name
from diagnostics.messages import TABLE_HEADS, phrase
from diagnostics.model.records import Label
from diagnostics.report.html_page import breakable, change, chip, table, tone
from diagnostics.report.sections import Sections, ShownAdvice

UNREAD = "unread"


@dataclass(frozen=True)
class Entry:
    """A run's line in the table: its verdict, the first change to make, and where its details are."""

    name: str
    label: Label
    cause: str
    percent: str
    change: Markup | None
    link: str


def entry(shown: Sections, link: str) -> Entry:
    """The line of a run whose details are at ``link``."""
    first = shown.advice[0] if shown.advice and not shown.advice[0].optional else None
    return Entry(shown.name, shown.label, shown.cause, shown.percent, _short(first) if first else None, link)


def overview(entries: Sequence[Entry], errors: Mapping[str, str]) -> Markup:
    """The runs in the order given, one line each with a link to its details, and the paths that could not be read."""
    rows = [_row(one) for one in entries]
    unread = element("span", phrase("not-read"), class_="soft")
    rows += [[breakable(path), unread, why, None, None] for path, why in errors.items()]
    if not rows:
        return Markup("")
    verdicts = [*(str(one.label) for one in entries), *(UNREAD for _ in errors)]
    return joined(
        _filter(verdicts), element("div", table(TABLE_HEADS["overview"], rows, verdicts=verdicts), class_="overview")
    )


def _filter(verdicts: Sequence[str]) -> Markup | None:
    """A choice of one verdict, made by style alone, so that it needs no script."""
    counts = Counter(verdicts)
    present = [label for label in Label if counts[label]]
    if len(counts) < 2:
        return None
    choices = [_choice("all", phrase("all-runs"), len(verdicts), checked="", style="--tone:var(--ink)")]
    choices += [_choice(label, f"{SIGNS[label]} {label}", counts[label], style=tone(label)) for label in present]
    hidden = (
        f"main:has(#show-{label}:checked) [data-verdict]:not([data-verdict={label}]){{display:none}}"
        for label in present
    )
    name = element("legend", phrase("filter"))
    return joined(element("style", Markup("".join(hidden))), element("fieldset", name, *choices, class_="filter"))


def _choice(value: str, words: str, count: int, *, checked: str | None = None, style: str | None = None) -> Markup:
    button = element("input", type="radio", name="show", id=f"show-{value}", checked=checked)
    return element("label", button, words, element("b", f"{count:,}"), class_="chip", style=style)


def run_summary(shown: Sections) -> Markup:
    """The line of a run that is folded away."""
    parts = [chip(shown.label), element("b", breakable(shown.name)), element("span", shown.certainty, class_="soft")]
    return element("summary", element("span", *parts, class_="line"))


def _row(one: Entry) -> list[Child]:
    link = element("a", breakable(one.name), href=one.link)
    return [link, chip(one.label), one.cause or None, one.percent or None, one.change]


def _short(advice: ShownAdvice) -> Markup:
    if not advice.has_value:
        return joined(advice.action)
    return joined(plain_name(advice.knob), " ", change(advice.now or None, advice.next))
