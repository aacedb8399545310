"""diagnose(run): evaluates every rule of the table; the first that fires sets the label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from diagnostics.diagnosis.advice import advise
from diagnostics.diagnosis.calibration import DEFAULT, combine
from diagnostics.diagnosis.context import (
    DiagnosisContext,
    best_step,
    evaluate,
    evaluation_count,
    on_course,
    prepare,
)
from diagnostics.model.curves import Run
from diagnostics.model.evidence import Evidence
from diagnostics.model.message import Message, message
from diagnostics.model.rate_prior import Bounds
from diagnostics.model.records import Advice, Diagnosis, Finding, Label, Skipped, Unchecked
from diagnostics.rules import RULES, Case, Rule
from diagnostics.signals import memo_scope

HEALTH_LABELS = (Label.UNSTABLE, Label.OVERFIT, Label.UNDERFIT)
"""The labels whose rules must have been evaluated before a run is called healthy."""


def diagnose(run: Run, rules: tuple[Rule, ...] = RULES, *, bounds: Bounds | None = None) -> Diagnosis:
    """The verdict on a run: label, cause, findings with their steps, advice, and what could not be checked.

    ``bounds`` maps a knob to the range the user allows for it; it replaces the built-in caps.
    """
    with np.errstate(all="ignore"), memo_scope():
        context = prepare(run, bounds)
        run = replace(run, notes=(*run.notes, *context.jumps))
        evaluated = [r for r in rules if r.applies_to(context.settings.method)]
        answers = [(rule, evaluate(rule, context)) for rule in evaluated]
        best = best_step(context.curves.get("eval_loss"))
        near = () if any(_sets_label(rule, found) for rule, found in answers) else _nearly(evaluated, context)
    fired = [(rule, found) for rule, found in answers if isinstance(found, Evidence)]
    skipped = tuple(Skipped(rule.name, why, rule.label) for rule, why in answers if isinstance(why, Message))
    deciding = [(rule, found) for rule, found in fired if rule.sets_label]
    if not deciding:
        return _without_fault(run, answers, fired, near, skipped, best, context, bounds or {})
    main = deciding[0]
    order = [main, *(pair for pair in fired if pair[0] is not main[0] and _stays_beside(pair[0], main[0]))]
    findings = tuple(_finding(rule, found) for rule, found in order)
    return Diagnosis(
        run=run.name,
        label=main[0].label,
        cause=main[0].name,
        confidence=_confidence(order),
        best_step=best,
        findings=findings,
        advice=_advice(order, context, bounds or {}),
        skipped=skipped,
        notes=(*run.notes, *_length_notes(main[0], context)),
    )


def _length_notes(main: Rule, context: DiagnosisContext) -> tuple[Message, ...]:
    """A note where the verdict is about a complete run and nothing says whether the log is one."""
    if not main.judges_whole_runs or context.settings.max_steps is not None:
        return ()
    return (message("planned-length-unknown"),)


def _sets_label(rule: Rule, found: Evidence | Message | None) -> bool:
    """Whether the rule fired and may set the label."""
    return rule.sets_label and isinstance(found, Evidence)


def _nearly(rules: list[Rule], context: DiagnosisContext) -> tuple[tuple[Rule, Evidence], ...]:
    """The rules that fire under their looser limits, on a run where none fires under its own."""
    loose = [replace(rule, limits={**rule.limits, **rule.borderline}) for rule in rules if rule.borderline]
    answers = [(rule, evaluate(rule, context)) for rule in loose]
    return tuple((rule, found) for rule, found in answers if isinstance(found, Evidence))


def _confidence(order: list[tuple[Rule, Evidence]]) -> float:
    """The confidence of the verdict: of the finding that sets the label, and of other signs of the same fault."""
    main, found = order[0]
    others = [rule.confidence * sign.strength for rule, sign in order[1:] if rule.confirms(main)]
    return DEFAULT.fault(combine(main.confidence * found.strength, others))


def _stays_beside(rule: Rule, main: Rule) -> bool:
    """Whether a finding still means something beside the one that sets the label: a broken log proves nothing else."""
    return main.label is not Label.BROKEN or rule.label is Label.BROKEN


def _finding(rule: Rule, found: Evidence) -> Finding:
    """What the rule found, with its confidence."""
    sure = DEFAULT.fault(rule.confidence * found.strength)
    return Finding(
        rule.name, rule.label, found.first_step, found.last_step, dict(found.measured), rule.message, float(sure)
    )


def _advice(order: list[tuple[Rule, Evidence]], context: DiagnosisContext, bounds: Bounds) -> tuple[Advice, ...]:
    """The advice of the findings in their order; a setting that is already advised is not advised again.

    Only findings of the run's own label advise: what else a run lacks shows when the first fault is gone. Findings that
    never stand alone advise too, as an option.
    """
    advice: dict[str, Advice] = {}
    for rule, found in order:
        if rule.sets_label and rule.label is not order[0][0].label:
            continue
        case = Case(context.settings, context.rate_prior, found.measured)
        sure = rule.confidence * found.strength
        for item in advise(rule.fixes, case, because=rule.name, confidence=sure, bounds=bounds):
            advice.setdefault(item.knob, replace(item, optional=not rule.sets_label))
    return tuple(advice.values())


def _without_fault(
    run: Run,
    answers: list[tuple[Rule, Evidence | Message | None]],
    fired: list[tuple[Rule, Evidence]],
    near: tuple[tuple[Rule, Evidence], ...],
    skipped: tuple[Skipped, ...],
    best: float | None,
    context: DiagnosisContext,
    bounds: Bounds,
) -> Diagnosis:
    """Healthy where enough could be checked, else unknown; findings that never stand alone are kept."""
    checked = {rule.label for rule, found in answers if not isinstance(found, Message) and rule.sets_label} & set(
        HEALTH_LABELS
    )
    healthy = Label.UNSTABLE in checked and (len(checked) > 1 or on_course(context))
    reasons = {skip.label: skip.reason for skip in reversed(skipped)}
    unchecked = tuple(
        Unchecked(kind, reasons.get(kind, message("no-rule"))) for kind in HEALTH_LABELS if kind not in checked
    )
    borderline = _finding(*near[0]) if healthy and near else None
    label = Label.HEALTHY if healthy else Label.UNKNOWN
    confidence = DEFAULT.no_fault(len(checked), evaluation_count(context), bool(near)) if healthy else 0.0
    findings = tuple(_finding(rule, found) for rule, found in fired)
    return Diagnosis(
        run=run.name,
        label=label,
        cause=None,
        confidence=confidence,
        best_step=best,
        findings=findings,
        advice=_advice(fired, context, bounds),
        skipped=skipped,
        notes=run.notes,
        unchecked=unchecked,
        borderline=borderline,
    )
