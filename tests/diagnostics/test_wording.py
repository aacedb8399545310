"""Every sentence that people read, in one file: a change of wording shows there, and nowhere else.

``python -m tests.diagnostics.test_wording`` writes the file again; read the difference before you commit it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path

from diagnostics import RULES, diagnose
from diagnostics.messages import advice_line, en, finding_message
from diagnostics.messages.catalog import filled
from diagnostics.synthetic import FAULTS, make

SNAPSHOT = Path(__file__).parents[1] / "data" / "wording.txt"
STRENGTHS = (0.7, 0.5, 0.9, 1.0)
"""The strengths at which a rule's own fault is tried until the rule fires."""

PLACE = re.compile(r"\{(\w+)(?::([^{}]*))?\}")


def test_the_words_are_as_they_were_read_last():
    assert "\n".join(wording()) + "\n" == SNAPSHOT.read_text("utf-8")


def test_every_rule_has_a_sentence_and_every_fix_is_described():
    assert all(rule.message for rule in RULES)
    assert all(fix.description for rule in RULES for fix in rule.fixes)


def wording() -> Iterator[str]:
    """The lines of the snapshot: rules as their own synthetic runs fill them, then all templates of the language."""
    for rule in RULES:
        yield f"rule {rule.name}: {_found(rule.name)}"
        yield from (f"  fix {fix.knob}: {fix.description} -> {fix.expect}" for fix in rule.fixes)
    for name, value in vars(en).items():
        if name.isupper() and isinstance(value, Mapping):
            yield from (f"{name} {key}: {line}" for key, template in value.items() for line in _samples(template))
        elif name.isupper():
            yield f"{name}: {value}"


def _found(rule: str) -> str:
    """What the rule says of its own fault, with the first advice."""
    for strength, seed in product(STRENGTHS, range(3)) if rule in FAULTS else ():
        found = diagnose(make(rule, strength, seed=seed))
        finding = next((one for one in found.findings if one.rule == rule), None)
        if finding is not None:
            lines = [advice_line(one) for one in found.advice if one.because == rule]
            return " | ".join([finding_message(finding), *lines[:1]])
    return next(row.message for row in RULES if row.name == rule)


def _samples(template: object) -> list[str]:
    """A template with made-up values, in the singular and the plural."""
    text = str(template)
    values = {name: 0.1234 if "%" in spec else 12.345 if spec else f"<{name}>" for name, spec in PLACE.findall(text)}
    counted = [name for name, spec in PLACE.findall(text) if "plural" in spec]
    forms = [dict.fromkeys(counted, count) for count in ((1, 2) if counted else (0,))]
    return [filled(text, {**values, **form}) for form in forms]


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(wording()) + "\n", "utf-8")
    print(f"wrote {SNAPSHOT}")
