"""Limits of rules that a reader has moved, and the diagnosis by them. The rule table itself never changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.formatting import number, plain_name
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.rules import RULES, Rule

Moved = Mapping[tuple[str, str], float]
"""New values by rule and limit."""


@dataclass(frozen=True)
class SliderRange:
    """How far a limit can be moved, and in which steps; ``whole`` when only whole numbers make sense."""

    low: float
    high: float
    step: float
    whole: bool


def moved_rules(moved: Moved, rules: Sequence[Rule] = RULES) -> tuple[Rule, ...]:
    """The rules with these limits in place of their own; a name that no rule has changes nothing."""
    return tuple(
        rule.with_limits({name: moved[rule.name, name] for name in rule.limits if (rule.name, name) in moved})
        for rule in rules
    )


def diagnosed_by(run: Run, moved: Moved) -> Diagnosis:
    """The diagnosis of the run by the rule table with these limits."""
    return diagnose(run, moved_rules(moved))


def from_address(texts: Sequence[str], rules: Sequence[Rule] = RULES) -> dict[tuple[str, str], float]:
    """The moved limits of an address, each as ``RULE.LIMIT:VALUE``; what names no limit or no number is left out."""
    own = {(rule.name, name) for rule in rules for name in rule.limits}
    moved: dict[tuple[str, str], float] = {}
    for text in texts:
        names, _, given = text.rpartition(":")
        rule, _, limit = names.partition(".")
        try:
            value = float(given)
        except ValueError:
            continue
        if (rule, limit) in own and math.isfinite(value):
            moved[rule, limit] = int(value) if value == int(value) else value
    return moved


def to_address(moved: Moved) -> list[str]:
    """The moved limits as an address holds them."""
    return [f"{rule}.{limit}:{value:.12g}" for (rule, limit), value in moved.items()]


def movable(diagnosis: Diagnosis, rules: Sequence[Rule] = RULES) -> list[Rule]:
    """The rules whose limits can change this verdict: those that fired, then the others that could be evaluated."""
    fired = [finding.rule for finding in diagnosis.findings]
    silent = {skipped.rule for skipped in diagnosis.skipped}
    evaluated = [rule for rule in rules if rule.limits and rule.name not in silent]
    return sorted(evaluated, key=lambda rule: fired.index(rule.name) if rule.name in fired else len(fired))


def slider_range(value: float, measured: float | None = None) -> SliderRange:
    """The range of a slider around a limit's own value: from nothing to four times it, in steps of about a fortieth.

    It reaches beyond what was ``measured`` against the limit, up to forty times its value, so that the rule can be
    moved out of the way.
    """
    whole = isinstance(value, int) or (value >= 2 and value == int(value))
    if measured is not None and math.isfinite(measured) and abs(measured) > 2 * abs(value) > 0:
        value = math.copysign(min(0.4 * abs(measured), 10 * abs(value)), value)
    if whole:
        return SliderRange(
            min(1, value), math.ceil(4 * value) or 4, max(1, round(value / 10)) if value > 40 else 1, True
        )
    reach = 4 * abs(value) or 1.0
    step = 10.0 ** math.floor(math.log10(reach / 40))
    step *= 5 if reach / (5 * step) >= 40 else 2 if reach / (2 * step) >= 40 else 1
    high = math.ceil(round(reach / step, 6)) * step
    return SliderRange(-high if value < 0 else 0.0, 0.0 if value < 0 else high, step, False)


def descriptions(moved: Moved, rules: Sequence[Rule] = RULES) -> list[str]:
    """Each limit that is not the default, as text: ``eval loss rises: rise 0.05 → 0.1``."""
    own = {(rule.name, name): value for rule in rules for name, value in rule.limits.items()}
    return [
        f"{plain_name(rule)}: {plain_name(name)} {number(own[rule, name])} → {number(value)}"
        for (rule, name), value in moved.items()
        if (rule, name) in own and value != own[rule, name]
    ]
