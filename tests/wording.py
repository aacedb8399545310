"""Every sentence that people read, for the snapshot ``tests/data/wording.txt``.

``python -m tests.wording`` writes the file again; read the difference before you commit it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import diagnostics.messages.en
import tuner.messages.en
from diagnostics import RULES, diagnose
from diagnostics.messages import advice_line, finding_message
from diagnostics.messages.catalog import filled
from diagnostics.synthetic import FAULTS, make

SNAPSHOT = Path(__file__).parent / "data" / "wording.txt"
STRENGTHS = (0.7, 0.5, 0.9, 1.0)
"""The strengths at which a rule's own fault is tried until the rule fires."""

PLACE = re.compile(r"\{(\w+)(?::([^{}]*))?\}")


def wording() -> Iterator[str]:
    """The lines of the snapshot: rules as their own synthetic runs fill them, then all templates of the language."""
    for rule in RULES:
        yield f"rule {rule.name}: {_found(rule.name)}"
        yield from (f"  fix {fix.knob}: {fix.in_words()} -> {fix.expect}" for fix in rule.fixes)
    for half, language in (("diagnostics", diagnostics.messages.en), ("tuner", tuner.messages.en)):
        yield from (f"{half} {line}" for line in _templates(vars(language)))


def _templates(language: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a language file, a mapping that only puts others together left out."""
    seen: set[int] = set()
    for name, value in language.items():
        if not name.isupper():
            continue
        if not isinstance(value, Mapping):
            yield f"{name}: {value}"
        elif not {id(template) for template in value.values()} <= seen:
            seen |= {id(template) for template in value.values()}
            yield from (f"{name} {key}: {line}" for key, template in value.items() for line in _samples(template))


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
    """A template with sample values, in the singular and the plural."""
    text = str(template)
    places = PLACE.findall(text)
    values = {name: _sample(name, kind) for name, kind in places}
    counted = [name for name, kind in places if "plural" in kind]
    forms = [dict.fromkeys(counted, count) for count in ((1, 2) if counted else (0,))]
    return [filled(text, {**values, **form}) for form in forms]


def _sample(name: str, kind: str) -> float | str:
    """A share, a number, or the name of what stands there."""
    if "%" in kind or kind == "percent":
        return 0.1234
    return 12.345 if re.match(r"[.,+\d]|number", kind) else f"<{name}>"


if __name__ == "__main__":
    SNAPSHOT.write_text("\n".join(wording()) + "\n", "utf-8")
    print(f"wrote {SNAPSHOT}")
