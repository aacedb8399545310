"""One run in a report: its verdict, its curves, what was found, what to change, and how."""

from __future__ import annotations

from diagnostics.chart.build import Chart, as_svg, chart
from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.formatting import number, plain_name
from diagnostics.messages import TABLE_HEADS, phrase
from diagnostics.model.curves import Run
from diagnostics.model.rate_estimate import RateEstimate
from diagnostics.model.records import Diagnosis
from diagnostics.report.gauge import rate_gauge
from diagnostics.report.html_page import bullets, chip, copyable, details, facts, figure, table, tone, unbroken
from diagnostics.report.sections import Sections, ShownAdvice, ShownFinding

WIDE, NARROW = 950, 380
"""Pixels across, of the chart for a screen and of the one for a phone."""


def run_content(run: Run, diagnosis: Diagnosis, shown: Sections, ident: str, next_run: str = "") -> Markup:
    """All that a report says of a run; ``ident`` names its anchors, ``next_run`` is the YAML file of the next one."""
    drawn = chart(run, diagnosis)
    return joined(
        _verdict(shown, diagnosis.rate),
        figure(_drawings(run, diagnosis, drawn), _caption(drawn)) if drawn.panels else None,
        _findings(shown, ident),
        _advice(shown, ident),
        _next_run(next_run),
        _comparison(shown),
        element("div", _unchecked(shown), _settings(shown), _notes(shown), class_="after"),
    )


def _drawings(run: Run, diagnosis: Diagnosis, drawn: Chart) -> tuple[Markup, Markup]:
    narrow = chart(run, diagnosis, pixels=NARROW * 2 // 3)
    return (
        Markup(as_svg(drawn, width=WIDE, standalone=False)),
        Markup(as_svg(narrow, width=NARROW, standalone=False)),
    )


def _caption(drawn: Chart) -> str:
    words = [phrase("smoothed")] if any(series.is_smoothed for series in drawn.series) else []
    if drawn.drawn < drawn.in_view:
        words.append(phrase("downsampled", shown=number(drawn.drawn), total=number(drawn.in_view)))
    return " ".join(words)


def _verdict(shown: Sections, estimate: RateEstimate | None) -> Markup:
    return element(
        "div",
        element("div", shown.name, class_="over"),
        chip(shown.label),
        element("h2", shown.headline),
        element("p", shown.summary, class_="lead"),
        facts((name, unbroken(value)) for name, value in shown.facts),
        _rate(shown, estimate),
        class_="card verdict",
        style=tone(shown.label),
    )


def _rate(shown: Sections, estimate: RateEstimate | None) -> Markup | None:
    """Where the learning rate stands, drawn and in words."""
    if estimate is None or not shown.rate:
        return None
    return element("div", rate_gauge(estimate), element("p", shown.rate), class_="rate")


def _findings(shown: Sections, ident: str) -> Markup | None:
    if not shown.findings:
        return None
    return joined(element("h3", phrase("findings")), *(_finding(finding, ident) for finding in shown.findings))


def _finding(finding: ShownFinding, ident: str) -> Markup:
    numbers = [element("span", f"{name} ", element("b", value)) for name, value in finding.measured]
    return element(
        "div",
        element("b", plain_name(finding.rule).capitalize()),
        element("div", f"{finding.label} · {finding.where} · {unbroken(finding.confidence)}", class_="where"),
        element("p", finding.says, style="margin-top:6px"),
        element("div", *numbers, class_="numbers") if numbers else None,
        class_="finding",
        style=tone(finding.label),
        id=f"{ident}-{finding.rule}",
    )


def _advice(shown: Sections, ident: str) -> Markup | None:
    if not shown.advice:
        return None
    found = {finding.rule for finding in shown.findings}
    rows = [_advice_row(advice, found, ident) for advice in shown.advice]
    hint = element("p", phrase("advice-hint"), class_="soft small", style="margin:-6px 0 14px")
    return joined(element("h3", shown.advice_heading), hint, table(TABLE_HEADS["advice"], rows))


def _advice_row(advice: ShownAdvice, found: set[str], ident: str) -> list[Child]:
    why = advice.reason(plain_name(advice.rule))
    return [
        element("code", advice.knob),
        element("span", advice.now, class_="nowrap") if advice.now else None,
        _next(advice),
        element("a", why, href=f"#{ident}-{advice.rule}") if advice.rule in found else why,
        advice.expect,
        unbroken(advice.confidence),
    ]


def _next(advice: ShownAdvice) -> Markup:
    """The next value with its factor and the advice in words; the words alone where there is no value."""
    if not advice.has_value:
        return element("div", advice.action)
    factor = element("span", f" {advice.factor}", class_="soft") if advice.factor else None
    value = element("span", element("b", advice.next), factor, class_="nowrap")
    usual = element("div", advice.usual, class_="soft small") if advice.usual else None
    return joined(value, usual, element("div", advice.action, class_="soft small"))


def _next_run(file: str) -> Markup | None:
    """The file of the next run with the first advice in it, to copy."""
    if not file:
        return None
    hint = element("p", phrase("next-run-file-hint"), class_="intro")
    return joined(element("h3", phrase("next-run-file")), hint, copyable(file))


def _comparison(shown: Sections) -> Markup | None:
    if not shown.comparison:
        return None
    return joined(element("h3", shown.comparison_heading), table(TABLE_HEADS["comparison"], shown.comparison))


def _unchecked(shown: Sections) -> Markup | None:
    if not shown.unchecked:
        return None
    rows = [joined(element("b", why), f": {', '.join(map(plain_name, rules))}") for why, rules in shown.unchecked]
    return details(f"{phrase('unchecked')} ({phrase('rules', count=shown.unchecked_count)})", bullets(rows))


def _settings(shown: Sections) -> Markup | None:
    return details(phrase("settings"), facts(shown.settings, "pairs")) if shown.settings else None


def _notes(shown: Sections) -> Markup | None:
    return details(phrase("notes"), bullets(shown.notes)) if shown.notes else None
