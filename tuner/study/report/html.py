"""The report of a study as one HTML file that needs nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from diagnostics.chart.markup import Child, Markup, element, joined
from diagnostics.formatting import duration, plain_name, sentence, setting
from diagnostics.model.records import Label
from diagnostics.report.html_page import bullets, change, chip, details, facts, figure, page, table, tone
from tuner.messages import text
from tuner.search.proposer import ProposerKind
from tuner.study.report.axes import COLORS, MOVERS, mover, shape
from tuner.study.report.curve_charts import curves_chart, progress_chart
from tuner.study.report.path_chart import path_chart
from tuner.study.report.words import (
    RECORD,
    better_by,
    changed,
    commands,
    counts,
    headline,
    lead,
    measure,
    measured,
    noise,
    outcome,
    place,
    proof,
    record,
    snippet,
    steps,
)
from tuner.study.results import Pair, StudyResult, TrialResult
from tuner.study.words import direction_words, moves, paragraph_words, proposer_words, title_words, unmoved

WIDE, NARROW, HALF = 950, 380, 460


def as_html(result: StudyResult) -> str:
    """The whole study on one page: what came out, how the search went, the proof, and what to do next."""
    return page(
        f"{result.name} · study",
        _top(result),
        _metrics(result),
        _path(result),
        _curves(result),
        _trials(result),
        _proof(result),
        _records(result),
        _review(result),
        _next(result),
        element("div", _space(result), _versions(result), _notes(result)),
        element("footer", "Made by tuner."),
    )


def _top(result: StudyResult) -> Markup:
    share = better_by(result)
    good = share is not None and share > 0 and result.gain is not None and result.gain.claimed
    rows: list[tuple[str, Child]] = [
        ("trials", counts(result)),
        ("time", duration(result.seconds)),
        ("steps", steps(result)),
        ("exact match", _exact_match(result)),
        ("method", result.method.upper()),
        ("metric", f"{plain_name(result.metric)} ({direction_words(result.direction)})"),
        ("noise", noise(result)),
    ]
    return element(
        "div",
        element("div", f"Study {result.name}", class_="over"),
        element("h1", headline(result)),
        element("p", lead(result), class_="lead", style="margin-top:10px"),
        facts((name, value) for name, value in rows if value),
        _changed(result),
        class_="card verdict",
        style=tone(Label.HEALTHY if good else Label.UNKNOWN),
    )


def _exact_match(result: StudyResult) -> Markup | None:
    """From the untouched model to the best trial, where both were measured."""
    pair = [(name, a, b) for name, a, _, b in measured(result) if name.endswith("exact_match")]
    known = [change(measure(name, a), measure(name, b)) for name, a, b in pair if a is not None and b is not None]
    return known[0] if known else None


def _changed(result: StudyResult) -> Markup | None:
    rows = [
        [element("code", knob), setting(knob, old), element("b", setting(knob, new))]
        for knob, old, new in changed(result)
    ]
    if not rows:
        return None
    heads = ("setting", "your file", f"trial {result.best}")
    return element("div", table(heads, rows, numbers=heads[1:], stacks=False), style="margin-top:24px;max-width:520px")


def _metrics(result: StudyResult) -> Markup | None:
    rows = [
        [plain_name(name).capitalize(), *(measure(name, value) if value is not None else None for value in values)]
        for name, *values in measured(result)
    ]
    if not rows:
        return None
    heads = ("metric (eval: held-out rows)", "untouched model", "your file", "best trial")
    return joined(element("h3", "Before and after"), table(heads, rows, numbers=heads[1:], stacks=False))


def _path(result: StudyResult) -> Markup | None:
    wide, narrow = path_chart(result, width=WIDE), path_chart(result, width=NARROW)
    if wide is None or narrow is None:
        return None
    words = "Numbers are trials in the order they were tried; an arrow leads to each from the trial it moved on from. "
    words += "A cross at the edge is a trial that diverged, was stopped, or is too bad "
    words += "for the axis. Points that would cover each other stand side by side."
    return joined(element("h3", "The path of the search"), figure((wide, narrow), joined(_legend(result), words)))


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
        ("Best so far", progress_chart(result, width=HALF)),
        ("Every trial's curve", curves_chart(result, width=HALF)),
    ]
    cards = [
        element("figure", element("div", title, class_="plotname"), drawing, class_="card")
        for title, drawing in drawings
        if drawing
    ]
    return element("div", *cards, class_="halves") if cards else None


def _trials(result: StudyResult) -> Markup:
    heads = ("trial", plain_name(result.metric), "verdict", "what moved", "who moved it, and why")
    rows = [_trial(result, trial) for trial in result.trials]
    marked = {index for index, trial in enumerate(result.trials) if trial.number == result.best}
    return joined(element("h3", "All trials"), table(heads, rows, numbers=heads[1:2], chosen=marked))


def _trial(result: StudyResult, trial: TrialResult) -> list[Child]:
    name = joined(f"{trial.number}", element("span", " best", class_="soft") if trial.number == result.best else None)
    here = trial.folder and not trial.host
    link = element("a", name, href=f"{quote(trial.folder)}/report.html") if here else name
    said = (plain_name(trial.cause) if trial.cause else "", outcome(trial), trial.memory, place(trial))
    verdict = joined(
        chip(trial.label) if trial.label else None,
        *(element("div", words, class_="soft small") for words in said if words),
    )
    moved = [
        element("div", element("code", knob), " ", change(old, new), class_="nowrap") for knob, old, new in moves(trial)
    ]
    why = joined(
        element("div", proposer_words(trial.proposer)),
        element("div", sentence(text(trial.because)), class_="soft small") if trial.because else None,
    )
    return [
        link,
        measure(result.metric, trial.value),
        verdict,
        joined(*moved, None if moved else unmoved(trial.proposer)),
        why,
    ]


def _proof(result: StudyResult) -> Markup | None:
    gain = result.gain
    if gain is None or not gain.pairs:
        return None
    heads = ("seed", "your file", "best settings", "better by")
    rows = [_pair(result, pair) for pair in gain.pairs]
    spread = f"{measure(result.metric, gain.mean)} ± {measure(result.metric, float(f'{gain.stderr:.2g}'))}"
    rows.append([element("b", "mean ± standard error"), None, None, element("b", spread)])
    verdict = "The gain is real: " if gain.claimed else ""
    words = f"Both were trained again with the same fresh seeds. {verdict}{proof(result)}"
    pairs = table(heads, rows, numbers=heads[1:], stacks=False)
    return joined(element("h3", "The proof"), element("p", words, class_="intro"), pairs)


def _pair(result: StudyResult, pair: Pair) -> list[Child]:
    values = (pair.baseline, pair.winner, result.direction.gain(pair.baseline, pair.winner))
    return [str(pair.seed), *(measure(result.metric, value) for value in values)]


def _records(result: StudyResult) -> Markup | None:
    if not result.records:
        return None
    heads = ("rule", *RECORD)
    rows: list[Sequence[Child]] = [[plain_name(one.rule), *map(str, record(one))] for one in result.records]
    words = "How many verdicts gave a rule's advice, and how the trials that followed it compare with those they came "
    words += "from."
    counted = table(heads, rows, numbers=heads[1:], stacks=False)
    return joined(element("h3", "How the advice did"), element("p", words, class_="intro"), counted)


def _review(result: StudyResult) -> Markup | None:
    if not result.review:
        return None
    parts = [
        element(
            "div",
            element("b", title_words(one)),
            element("p", paragraph_words(one), style="margin-top:4px"),
            element("pre", element("code", one.yaml.rstrip())) if one.yaml else None,
            class_="finding",
            style="--tone:var(--line)",
        )
        for one in result.review
    ]
    return joined(element("h3", "Across all trials"), *parts)


def _next(result: StudyResult) -> Markup | None:
    if result.winner is None:
        return None
    shell = "\n\n".join(f"# {what}\n{command}" for what, command in commands(result).items())
    return joined(
        element("h3", "Next steps"),
        element(
            "p",
            "Trials lie beside this report, each with the settings, the log and a report of its own.",
            class_="intro",
        ),
        element("pre", element("code", shell)),
        element("pre", element("code", snippet(result))),
    )


def _space(result: StudyResult) -> Markup | None:
    rows = [(knob, str(span)) for knob, span in result.space.items()]
    return details("The space that was searched", facts(rows, "pairs")) if rows else None


def _versions(result: StudyResult) -> Markup | None:
    return details("Versions", facts(result.versions.items(), "pairs")) if result.versions else None


def _notes(result: StudyResult) -> Markup | None:
    return details("Notes", bullets(map(text, result.notes))) if result.notes else None
