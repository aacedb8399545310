"""The words of a study: every code that it makes has a template, and no template is left over."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import tuner
from diagnostics.messages.en import MESSAGES as OF_RUNS
from diagnostics.model.message import message
from tuner.messages import en, text
from tuner.search.proposer import ProposerKind
from tuner.study.failure import FailureKind
from tuner.study.results import TrialState

FILES = [path for part in ("study", "search", "export") for path in Path(tuner.__path__[0], part).rglob("*.py")]

MAKERS = ("message", "Message", "_no_gain", "passed", "warned", "failed", "skipped", "state")


def codes(maker: str) -> Iterator[str]:
    """The codes that the sources hand to a maker of messages or phrases, every branch of the argument."""
    for node in (node for path in FILES for node in ast.walk(ast.parse(path.read_text("utf-8")))):
        if isinstance(node, ast.Call) and maker in _called(node.func) and node.args:
            yield from (
                one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant) and type(one.value) is str
            )


def _called(function: ast.expr) -> set[str]:
    """The names of the functions that a call may go to: one, or those of a choice between several."""
    chosen = (function.body, function.orelse) if isinstance(function, ast.IfExp) else (function,)
    return {one.id for one in chosen if isinstance(one, ast.Name)}


def test_every_code_of_a_study_has_words_and_no_words_are_left_over():
    used = {code for maker in MAKERS for code in codes(maker)}
    assert used <= en.MESSAGES.keys() | OF_RUNS.keys()
    assert en.MESSAGES.keys() - {"text"} - en.EARLIER.keys() <= used
    assert set(codes("report_phrase")) == en.PHRASES.keys()


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (en.STATES, set(TrialState)),
        (en.FAILURES, set(FailureKind) - {FailureKind.ERROR}),
        (en.LOWERED, set(FailureKind) - {FailureKind.ERROR, FailureKind.WORKERS_LOST}),
        (en.SOURCES, set(ProposerKind) - {ProposerKind.OTHER}),
    ],
)
def test_each_kind_has_words(words: Mapping[str, str], kinds: set[str]):
    assert words.keys() == kinds


def test_a_code_without_words_reads_as_itself_and_a_note_of_a_training_has_its_own():
    assert text(message("no-such-code", trial=3)) == "no such code (trial 3)"
    assert text(message("weights-not-finite")) == OF_RUNS["weights-not-finite"]
