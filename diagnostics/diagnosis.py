"""diagnose(run): asks every rule of the table and names the run by the first that fires."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from diagnostics.advice import advise
from diagnostics.curves import Curve, NotEnoughPoints, Run, Settings
from diagnostics.detectors.evidence import Evidence
from diagnostics.detectors.sanity import is_sigmoid
from diagnostics.family import Bounds, Family, family_of
from diagnostics.rules import RULES, Case, Rule
from diagnostics.verdict import Advice, Diagnosis, Finding, Label, Skipped

HUGE = 1e60
"""Values beyond this are read as this: products of them must stay finite."""

HEALTHY_CONFIDENCE = {3: 0.85, 2: 0.7, 1: 0.5}
"""How sure "healthy" is, by how many of unstable, overfit and underfit could be asked."""


@dataclass(frozen=True)
class Patient:
    """What the rules are asked about: finite curves by name, the settings, and the family of rates."""

    curves: Mapping[str, Curve]
    settings: Settings
    family: Family


def diagnose(run: Run, rules: tuple[Rule, ...] = RULES, *, bounds: Bounds | None = None) -> Diagnosis:
    """The verdict on a run: label, cause, findings with their steps, advice, and what could not be asked.

    ``bounds`` maps a knob to the range the user allows for it; it replaces the built-in caps.
    """
    with np.errstate(all="ignore"):
        patient = _patient(run, bounds)
        asked = [r for r in rules if r.applies_to(patient.settings.method)]
        answers = [(rule, _ask(rule, patient)) for rule in asked]
        best = _best_step(patient.curves.get("eval_loss"))
    fired = [(rule, found) for rule, found in answers if isinstance(found, Evidence)]
    skipped = tuple(Skipped(rule.name, why, rule.label) for rule, why in answers if isinstance(why, str))
    naming = [(rule, found) for rule, found in fired if rule.names_run]
    if not naming:
        return _without_fault(run, answers, fired, skipped, best, patient, bounds or {})
    main = naming[0]
    order = [main, *(pair for pair in fired if pair[0] is not main[0] and _goes_with(pair[0], main[0]))]
    findings = tuple(_finding(rule, found) for rule, found in order)
    return Diagnosis(
        run.name,
        main[0].label,
        main[0].name,
        findings[0].confidence,
        best,
        findings,
        _advice(order, patient, bounds or {}),
        skipped,
        run.notes,
    )


def _goes_with(rule: Rule, main: Rule) -> bool:
    """Whether a finding still means something beside the one that names the run: a broken log is no evidence."""
    return main.label is not Label.BROKEN or rule.label is Label.BROKEN


def _patient(run: Run, bounds: Bounds | None) -> Patient:
    """The run as the rules see it, with the method filled in where the settings are silent and the curves tell."""
    curves = {name: _clipped(curve) for name, curve in run.curves.items() if len(curve) or curve.broken}
    settings = run.settings
    if settings.method in (None, "dpo") and settings.loss_type is None and settings.beta is None:
        settings = replace(settings, method=_method(curves, settings.method))
    return Patient(curves, settings, family_of(settings, bounds))


def _method(curves: Mapping[str, Curve], said: str | None) -> str | None:
    """The method that the first loss and margin speak for: ORPO and others log rewards too, but start elsewhere."""
    loss, margins = curves.get("train_loss"), curves.get("rewards_margins")
    if loss is None or margins is None or not len(loss) or not len(margins):
        return said
    return "dpo" if is_sigmoid(float(loss.values[0]), float(margins.values[0]), like=1.5) else None


def _clipped(curve: Curve) -> Curve:
    """The curve with values that can be multiplied without overflow."""
    if not len(curve) or np.abs(curve.values).max() < HUGE:
        return curve
    return Curve(curve.steps, np.clip(curve.values, -HUGE, HUGE), curve.broken)


def _ask(rule: Rule, patient: Patient) -> Evidence | str | None:
    """Evidence, nothing, or why the rule could not be asked."""
    missing = [name for name in rule.needs if name not in patient.curves]
    if missing:
        return f"the log has no {' and no '.join(missing)}"
    given: dict[str, Any] = {"settings": patient.settings, "family": patient.family}
    arguments = {name: given.get(name, patient.curves.get(name)) for name in rule.takes}
    try:
        return rule.check(**arguments, **rule.limits)
    except NotEnoughPoints as why:
        return str(why)


def _best_step(eval_loss: Curve | None) -> float | None:
    """The step of the lowest held-out loss, None without one."""
    if eval_loss is None or not len(eval_loss):
        return None
    return float(eval_loss.steps[int(np.argmin(eval_loss.values))])


class _Blank(dict[str, Any]):
    """Measured numbers for a message; one that was not finite reads as 'very large'."""

    def __missing__(self, key: str) -> Any:
        return _VeryLarge()


class _VeryLarge:
    def __format__(self, spec: str) -> str:
        return "very large"


def _finding(rule: Rule, found: Evidence) -> Finding:
    """The rule's finding with its message filled in."""
    message = rule.says.format_map(_Blank(found.measured))
    sure = rule.confidence * found.strength
    return Finding(rule.name, rule.label, found.first_step, found.last_step, dict(found.measured), message, float(sure))


def _advice(order: list[tuple[Rule, Evidence]], patient: Patient, bounds: Bounds) -> tuple[Advice, ...]:
    """The advice of the findings in their order; a knob that was already spoken for is not moved again.

    Only findings of the run's own label advise, and those that never stand alone: what else a run lacks shows when
    the first fault is gone.
    """
    advice: dict[str, Advice] = {}
    for rule, found in order:
        if rule.names_run and rule.label is not order[0][0].label:
            continue
        case = Case(patient.settings, patient.family, found.measured)
        sure = rule.confidence * found.strength
        for item in advise(rule.fixes, case, because=rule.name, confidence=sure, bounds=bounds):
            advice.setdefault(item.knob, item)
    return tuple(advice.values())


def _going_well(patient: Patient) -> bool:
    """Whether a run in mid-air has enough points to be called healthy so far."""
    loss, last = patient.curves.get("train_loss"), patient.settings.max_steps
    return loss is not None and last is not None and len(loss) >= 20 and loss.steps[-1] < last


def _without_fault(
    run: Run,
    answers: list[tuple[Rule, Evidence | str | None]],
    fired: list[tuple[Rule, Evidence]],
    skipped: tuple[Skipped, ...],
    best: float | None,
    patient: Patient,
    bounds: Bounds,
) -> Diagnosis:
    """Healthy where enough could be asked, else unknown; findings that never stand alone are kept."""
    asked = {rule.label for rule, found in answers if not isinstance(found, str) and rule.names_run}
    healthy = Label.UNSTABLE in asked and (bool(asked & {Label.UNDERFIT, Label.OVERFIT}) or _going_well(patient))
    kinds = len(asked & {Label.UNSTABLE, Label.OVERFIT, Label.UNDERFIT})
    notes = run.notes
    for label in (Label.UNSTABLE, Label.OVERFIT, Label.UNDERFIT):
        if label not in asked:
            why = next((s.why for s in skipped if s.label is label), "no rule for it")
            notes = (*notes, f"{label} was not checked: {why}")
    label = Label.HEALTHY if healthy else Label.UNKNOWN
    confidence = HEALTHY_CONFIDENCE.get(kinds, 0.0) if healthy else 0.0
    findings = tuple(_finding(rule, found) for rule, found in fired)
    return Diagnosis(run.name, label, None, confidence, best, findings, _advice(fired, patient, bounds), skipped, notes)
