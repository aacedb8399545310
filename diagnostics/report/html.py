"""Diagnoses as one HTML file that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from diagnostics.chart.build import Chart, as_svg, chart
from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.formatting import number, percent, plain_name, sentence, setting, times
from diagnostics.messages import (
    HEADLINES,
    advice_action,
    all_notes,
    confidence_words,
    finding_message,
    summary,
)
from diagnostics.model.curves import Run
from diagnostics.model.records import Advice, Diagnosis, Finding, Label
from diagnostics.report.html_page import bullets, change, chip, details, facts, figure, page, table, tone
from diagnostics.report.phrases import because, compared, heading, measures, span, step_of, unchecked

Pair = tuple[Run, Diagnosis]
WIDE, NARROW = 950, 380


def as_html(
    pairs: Sequence[Pair], *, title: str | None = None, errors: Mapping[str, str] | Iterable[tuple[str, str]] = ()
) -> str:
    """One self-contained page for one run or many; ``errors`` maps paths that could not be read to why."""
    pairs, errors = list(pairs), dict(errors)
    many = len(pairs) + len(errors) != 1
    title = title or (f"{len(pairs)} runs" if many else f"{pairs[0][0].name if pairs else 'No run'}")
    head = element("header", element("h1", title), _overview(pairs, errors)) if many or errors else None
    sections = [_section(run, diagnosis, f"run-{k}") for k, (run, diagnosis) in enumerate(pairs, 1)]
    return page(f"{title} · diagnosis", head, *sections, _footer())


def _footer() -> Markup:
    command = element("code", "tuner rules NAME")
    return element("footer", "Made by tuner. ", command, " explains a rule and where it comes from.")


def _overview(pairs: Sequence[Pair], errors: Mapping[str, str]) -> Markup:
    """The table on top: one line a run, worst first as the labels are ordered."""
    order = list(Label)
    ranked = sorted(enumerate(pairs, 1), key=lambda item: order.index(item[1][1].label))
    rows: list[list[Child]] = [_overview_row(run, found, f"#run-{k}") for k, (run, found) in ranked]
    rows += [[path, element("span", "not read", class_="soft"), why, None, None] for path, why in errors.items()]
    heads = ("run", "verdict", "cause", "how sure", "change first")
    return element("div", table(heads, rows), style="margin-top:24px") if rows else Markup("")


def _overview_row(run: Run, diagnosis: Diagnosis, link: str) -> list[Child]:
    return [
        element("a", run.name, href=link),
        chip(diagnosis.label),
        plain_name(diagnosis.cause) if diagnosis.cause else None,
        percent(diagnosis.confidence) if diagnosis.label is not Label.UNKNOWN else None,
        _short(diagnosis.advice[0]) if diagnosis.advice and not diagnosis.advice[0].optional else None,
    ]


def _short(advice: Advice) -> Markup:
    if advice.new is None and advice.factor is None:
        return joined(sentence(advice_action(advice)))
    old = None if advice.old is None else setting(advice.knob, advice.old)
    return joined(plain_name(advice.knob), " ", change(old, step_of(advice)))


def _section(run: Run, diagnosis: Diagnosis, ident: str) -> Markup:
    drawn = chart(run, diagnosis)
    return element(
        "section",
        _verdict(run, diagnosis),
        figure(_drawings(run, diagnosis, drawn), _caption(drawn)) if drawn.panels else None,
        _findings(diagnosis, ident),
        _advice(diagnosis, ident),
        _against(diagnosis),
        element("div", _unchecked(diagnosis), _settings(run), _notes(run, diagnosis), class_="after"),
        id=ident,
    )


def _drawings(run: Run, diagnosis: Diagnosis, drawn: Chart) -> tuple[Markup, Markup]:
    narrow = chart(run, diagnosis, pixels=NARROW * 2 // 3)
    return (
        Markup(as_svg(drawn, width=WIDE, standalone=False)),
        Markup(as_svg(narrow, width=NARROW, standalone=False)),
    )


def _caption(drawn: Chart) -> str:
    smoothed = any(series.is_smoothed for series in drawn.series)
    words = "Thin lines are the values as logged, thick ones their running mean. " if smoothed else ""
    if drawn.drawn < drawn.in_view:
        shown = f"{number(drawn.drawn)} of {number(drawn.in_view)}"
        words += f"{shown} points are drawn: the lowest and highest of every pixel."
    return words


def _verdict(run: Run, diagnosis: Diagnosis) -> Markup:
    best = None if diagnosis.best_step is None else f"step {number(diagnosis.best_step)}"
    rows: list[tuple[str, Child]] = [
        ("cause", plain_name(diagnosis.cause) if diagnosis.cause else None),
        ("how sure", _sure(diagnosis.confidence) if diagnosis.label is not Label.UNKNOWN else None),
        ("best checkpoint", best),
        ("could not be checked", _rules(len(diagnosis.skipped)) if diagnosis.skipped else None),
    ]
    return element(
        "div",
        element("div", run.name, class_="over"),
        chip(diagnosis.label),
        element("h2", HEADLINES[diagnosis.label]),
        element("p", summary(diagnosis), class_="lead"),
        facts((name, value) for name, value in rows if value),
        class_="card verdict",
        style=tone(diagnosis.label),
    )


def _rules(count: int) -> str:
    return f"{count} rule{'s' if count != 1 else ''}"


def _findings(diagnosis: Diagnosis, ident: str) -> Markup | None:
    if not diagnosis.findings:
        return None
    return joined(element("h3", "What was found"), *(_finding(finding, ident) for finding in diagnosis.findings))


def _finding(finding: Finding, ident: str) -> Markup:
    numbers = [element("span", f"{name} ", element("b", value)) for name, value in measures(finding)]
    where = joined(f"{finding.label} · {span(finding)} · ", _sure(finding.confidence))
    return element(
        "div",
        element("b", plain_name(finding.rule).capitalize()),
        element("div", where, class_="where"),
        element("p", sentence(finding_message(finding)), style="margin-top:6px"),
        element("div", *numbers, class_="numbers") if numbers else None,
        class_="finding",
        style=tone(finding.label),
        id=f"{ident}-{finding.rule}",
    )


def _advice(diagnosis: Diagnosis, ident: str) -> Markup | None:
    if not diagnosis.advice:
        return None
    heads = ("knob", "now", "next", "why", "what to expect", "how sure")
    found = {finding.rule for finding in diagnosis.findings}
    rows = [_advice_row(advice, found, ident) for advice in diagnosis.advice]
    hint = "Best first. Change one thing at a time, so that the next run shows what it did."
    lead = element("p", hint, class_="soft small", style="margin:-6px 0 14px")
    return joined(element("h3", heading(diagnosis.advice)), lead, table(heads, rows))


def _advice_row(advice: Advice, found: set[str], ident: str) -> list[Child]:
    why = because(advice, plain_name(advice.because))
    return [
        element("code", advice.knob),
        element("span", setting(advice.knob, advice.old), class_="nowrap") if advice.old is not None else None,
        _next(advice),
        element("a", why, href=f"#{ident}-{advice.because}") if advice.because in found else why,
        advice.expect,
        _sure(advice.confidence),
    ]


def _against(diagnosis: Diagnosis) -> Markup | None:
    if diagnosis.baseline is None:
        return None
    rows: list[list[Child]] = [list(row) for row in compared(diagnosis.baseline)]
    head = element("h3", f"Against {diagnosis.baseline.title}")
    return joined(head, table(("question", "this run is", "evidence"), rows))


def _next(advice: Advice) -> Markup:
    """The next value with its factor and the advice in words; the words alone where there is no value."""
    if advice.new is None and advice.factor is None:
        return element("div", sentence(advice_action(advice)))
    factor = times(advice.factor) if advice.new is not None else ""
    value = joined(element("b", step_of(advice)), element("span", f" {factor}", class_="soft") if factor else None)
    return joined(
        element("span", value, class_="nowrap"), element("div", sentence(advice_action(advice)), class_="soft small")
    )


def _sure(confidence: float) -> Markup:
    return joined(f"{confidence_words(confidence)} ", element("span", f"({percent(confidence)})", class_="nowrap"))


def _unchecked(diagnosis: Diagnosis) -> Markup | None:
    reasons = unchecked(diagnosis)
    if not reasons:
        return None
    rows = [joined(element("b", why), f": {', '.join(map(plain_name, rules))}") for why, rules in reasons]
    return details(f"What could not be checked ({_rules(len(diagnosis.skipped))})", bullets(rows))


def _settings(run: Run) -> Markup | None:
    known = run.settings.known()
    if not known:
        return None
    return details("Settings of this run", facts(((k, setting(k, v)) for k, v in known.items()), "pairs"))


def _notes(run: Run, diagnosis: Diagnosis) -> Markup | None:
    notes = all_notes(run, diagnosis)
    return details("Notes on the log", bullets(notes)) if notes else None
