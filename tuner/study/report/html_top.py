"""The first card of a study's page: the gain, answers before and after, and what changed."""

from __future__ import annotations

from diagnostics.chart.markup import Markup, element, joined
from diagnostics.model.records import Label
from diagnostics.report.html_page import copyable, details, facts, table, tone, unbroken
from tuner.messages.en import HEADS, TITLES
from tuner.study.answers import AnswerPair
from tuner.study.report.sections import Sections, ShownAnswers
from tuner.study.report.tables import Table


def top_card(shown: Sections, label: Label) -> Markup:
    """What came of the study, as far as one screen holds it."""
    return element(
        "div",
        element("div", TITLES["study"].format(name=shown.name), class_="over"),
        element("h1", unbroken(shown.headline)),
        element("p", shown.lead, class_="lead", style="margin-top:10px"),
        element("p", shown.doubt, class_="doubt") if shown.doubt else None,
        facts(shown.facts),
        _answers(shown.answers) if shown.answers else None,
        _settings(shown.settings) if shown.settings else None,
        details(TITLES["winner-file"], copyable(shown.winner_file)) if shown.winner_file else None,
        class_="card verdict",
        style=tone(label),
    )


def _answers(shown: ShownAnswers) -> Markup:
    """The answers that became right, and folded away those that are still wrong."""
    missed = details(shown.missed_title, *map(_pair, shown.missed)) if shown.missed else None
    head = element("h3", TITLES["answers"])
    return joined(head, element("p", shown.count, class_="intro"), *map(_pair, shown.fixed), missed)


def _pair(pair: AnswerPair) -> Markup:
    """A question with both answers, and the reference where neither matches it."""
    wrong_still = None if pair.matches or pair.matched_before else _answer(HEADS["reference"], pair.reference, None)
    return element(
        "div",
        element("p", pair.question, class_="question"),
        _answer(HEADS["answer-before"], pair.before, pair.matched_before),
        _answer(HEADS["answer-after"], pair.after, pair.matches),
        wrong_still,
        class_="answers",
    )


def _answer(who: str, words: str, right: bool | None) -> Markup:
    """An answer with a sign that says whether it is right; None for the reference itself."""
    sign = "" if right is None else "✓ " if right else "✗ "
    color = None if right is None else tone(Label.HEALTHY if right else Label.BROKEN)
    head = element("div", sign, who, class_="who", style=color)
    return element("div", head, element("code", words.strip() or "–"), class_="answer")


def _settings(shown: Table) -> Markup:
    """The settings that changed, old and new."""
    rows = [[element("code", name), *values] for name, *values in shown.rows]
    inner = table(shown.heads, rows, numbers=shown.heads[1:], stacks=False)
    return joined(element("h3", TITLES["changed"]), element("div", inner, style="max-width:520px"))
