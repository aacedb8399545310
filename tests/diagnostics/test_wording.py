"""A change of wording shows in one file, and nowhere else: ``python -m tests.wording`` writes it again."""

from __future__ import annotations

from diagnostics import RULES
from tests.wording import SNAPSHOT, wording


def test_the_words_are_those_of_the_snapshot():
    assert "\n".join(wording()) + "\n" == SNAPSHOT.read_text("utf-8")


def test_every_rule_has_a_sentence_and_every_fix_is_described():
    assert all(rule.message for rule in RULES)
    assert all(fix.description and fix.expect for rule in RULES for fix in rule.fixes)
