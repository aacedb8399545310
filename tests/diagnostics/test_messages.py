"""Messages: every code has words, no words are left over, and the catalog fills them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from diagnostics import diagnose
from diagnostics.diagnosis.baseline import compare
from diagnostics.messages import comparison_rows, diagnosis_notes, en, live_line, skipped_reason, text
from diagnostics.messages.catalog import filled
from diagnostics.model.live import FindingCleared, VerdictChanged
from diagnostics.model.message import Message, as_message, message
from diagnostics.model.records import Label
from diagnostics.report.markdown import as_markdown
from diagnostics.synthetic import make

ROOT = Path(__file__).parents[2]
MESSAGE_MAKERS = frozenset({"message", "Message", "NotEnoughPoints"})
PHRASE_MAKERS = frozenset({"phrase"})
DATA_CODES = {"text"}
"""Codes for what others wrote."""


def codes_in(path: Path, makers: frozenset[str]) -> Iterator[str]:
    """The codes of the messages that a file makes: the first argument of each maker, every branch of it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in makers and node.args:
            yield from (
                one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant) and type(one.value) is str
            )


def codes_used(makers: frozenset[str], *halves: str) -> set[str]:
    """The codes in the files that know the model or the messages: elsewhere a ``message`` is another thing."""
    files = [file for half in halves for file in (ROOT / half).rglob("*.py")]
    known = [file for file in files if re.search(r"diagnostics\.(model|messages)\b", file.read_text("utf-8"))]
    return {code for file in known for code in codes_in(file, makers)}


def test_every_code_that_is_used_has_words_and_no_words_are_left_over():
    """The heavy half uses codes of this language file too, beside those of its own."""
    assert codes_used(MESSAGE_MAKERS, "diagnostics") - DATA_CODES <= en.MESSAGES.keys()
    assert en.MESSAGES.keys() - DATA_CODES <= codes_used(MESSAGE_MAKERS, "diagnostics", "tuner")
    assert codes_used(PHRASE_MAKERS, "diagnostics") == en.PHRASES.keys()


def test_a_code_without_words_reads_as_itself():
    assert text(message("no-such-code", step=3, curve="loss")) == "no such code (step 3, curve loss)"


@pytest.mark.parametrize(
    ("template", "values", "words"),
    [
        ("{rise:.1%}", {"rise": 0.0512}, "5.1 %"),
        ("{n:plural:line|lines} left", {"n": 1}, "1 line left"),
        ("{n:plural:line|lines} left", {"n": 1200}, "1,200 lines left"),
        ("{batch} and {rate}", {"batch": 1024, "rate": 0.25}, "1,024 and 0.25"),
        ("{rise:.0%} and {gone:.3g}", {"rise": float("inf")}, "very large and very large"),
        ("{rise:.1%} {jump:+.2f}", {"rise": -1e-9, "jump": -1e-9}, "0.0 % +0.00"),
        ("{known}", {"known": True}, "True"),
        ("{share:percent} {gain:number} {gain:number:1}", {"share": 0.125, "gain": 0.000321}, "12 % 3.21e-4 3e-4"),
        ("{old:number} {text:.3g}", {"old": None, "text": "auto"}, "– auto"),
        ("{rule:name}", {"rule": "eval-loss_rises"}, "eval loss rises"),
    ],
)
def test_values_are_filled_in_as_people_write_them(template: str, values: dict[str, float], words: str):
    assert filled(template, values) == words


def test_text_of_others_stays_as_it_is():
    assert text(as_message("100 % {of} it")) == "100 % {of} it"
    assert as_message(message("no-rule")) == message("no-rule")


def test_messages_are_equal_and_counted_by_code_and_values():
    one, same = message("a", x=1, y=2.0), Message("a", {"y": 2.0, "x": 1})
    assert len({one, same, message("a", x=2)}) == 2
    assert Message.from_dict(one.to_dict()) == one


def test_another_language_changes_every_sentence_of_a_report(monkeypatch: pytest.MonkeyPatch):
    """Nothing but the language file makes sentences: with marked templates, what a report says is marked."""
    for templates in (en.MESSAGES, en.PHRASES, en.HEADLINES):
        for key, template in templates.items():
            monkeypatch.setitem(templates, key, f"«{template}»")
    run, good = make("eval-loss-rises", 0.8), make("healthy-sft", seed=2)
    found = replace(diagnose(run), baseline=compare(run, good))
    report = as_markdown(run, found)
    headings = [line for line in report.splitlines() if line.startswith("## ")]
    assert len(headings) == 6
    assert all(line.startswith("## «") for line in headings)
    said = (
        *diagnosis_notes(found),
        *map(skipped_reason, found.skipped),
        *(row[2] for row in comparison_rows(found.baseline)),
    )
    assert said
    assert all(words.startswith("«") for words in said)
    for event in (VerdictChanged(Label.OVERFIT, None, over=True), FindingCleared("a-rule")):
        assert live_line(event).startswith("«")
