"""diagnose(run): evaluates every rule of the table; the first that fires sets the label."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from diagnostics.diagnosis.advice import advise
from diagnostics.diagnosis.answers import HEALTH_LABELS, Answers
from diagnostics.diagnosis.calibration import DEFAULT, Health, combine
from diagnostics.diagnosis.context import DiagnosisContext, best_step, evaluate, on_course, prepare
from diagnostics.diagnosis.health import health_of
from diagnostics.diagnosis.nearly import may_be_named, nearly_found
from diagnostics.diagnosis.weigh import Fired, Weighed, weigh
from diagnostics.model.curves import Run
from diagnostics.model.evidence import Evidence
from diagnostics.model.message import Message, message
from diagnostics.model.methods import method_record
from diagnostics.model.outlook import Outlook
from diagnostics.model.rate_estimate import RateEstimate
from diagnostics.model.rate_prior import Bounds
from diagnostics.model.records import Advice, Diagnosis, Finding, Label
from diagnostics.outlook.fitted import Fitted
from diagnostics.rate.agreement import with_verdict
from diagnostics.rate.estimate import is_late
from diagnostics.rules import RULES, Case, Rule
from diagnostics.signals import memo_scope

SELDOM_WELL, TOO_LITTLE = 0.5, 0.45
"""A run in which no rule found a fault is not called healthy where fewer of those that look so went well (of 44 runs
between 0.45 and 0.55 20 went ill, by fits without their task or kind), nor where the confidence would be less: most of
what such a run could have does not show in so short a log."""
DOUBTS = ("task-part-stays-flat", "reward-falls-after-gradient-spikes")
"""What is noted and denies that a reward rises for what it is meant for, or that it stays."""


@dataclass(frozen=True)
class Basis:
    """What a confidence is computed from: what speaks for a healthy run, and a fault's share of all readings.

    ``likelier``: no rule found a fault, and one that was nearly found is likelier than none.
    """

    health: Health
    share: float
    likelier: bool = False


def diagnose(run: Run, rules: tuple[Rule, ...] = RULES, *, bounds: Bounds | None = None) -> Diagnosis:
    """The verdict on a run: label, cause, findings with their steps, advice, and what could not be checked.

    ``bounds`` maps a setting to the range the user allows for it; it replaces the built-in range.
    """
    return diagnose_with_basis(run, rules, bounds=bounds)[0]


def diagnose_with_basis(
    run: Run, rules: tuple[Rule, ...] = RULES, *, bounds: Bounds | None = None, look: Fitted | None = None
) -> tuple[Diagnosis, Basis]:
    """The verdict on a run, and what its confidence is computed from; ``look`` replaces the model of a whole run."""
    with np.errstate(all="ignore"), memo_scope():
        context = prepare(run, bounds, look)
        applicable = [rule for rule in rules if rule.applies_to(context.settings.method)]
        answers = Answers(tuple((rule, evaluate(rule, context)) for rule in applicable), context.rate, context.outlook)
        case = Case(context.settings, context.rate_prior, {}, context.agreed_rate)
        weighed = weigh(answers.fired, case, context.curves, context.agreed_rate, context.outlook)
        borderline = None if weighed.deciding else nearly_found(applicable, context)
        kinds = len(answers.checked & set(HEALTH_LABELS))
        doubted = any(rule.name in DOUBTS for rule, _ in weighed.fired)
        health = health_of(context, kinds, nearly=borderline is not None or weighed.overruled or doubted)
        well = DEFAULT.no_fault(health)
        named = [rule for rule in applicable if may_be_named(rule, health, well, context.outlook)]
        likelier = nearly_found(named, context) if borderline is not None else None
    verdict = Diagnosis(
        run=run.name,
        label=Label.UNKNOWN,
        cause=None,
        confidence=0.0,
        best_step=best_step(context),
        skipped=answers.skipped,
        notes=(*run.notes, *context.notes, *_loss_notes(context, {rule.name for rule, _ in weighed.fired})),
        rate=context.agreed_rate,
    )
    if likelier is not None:
        weighed = Weighed((likelier, *weighed.fired), 1.0 - well)
    basis = Basis(health, _share(weighed), likelier=likelier is not None)
    if weighed.deciding:
        return _with_fault(verdict, weighed, context, bounds or {}), basis
    verdict = replace(
        verdict, advice=_advice(weighed.fired, context, context.agreed_rate, bounds or {}), unchecked=answers.unchecked
    )
    return _without_fault(verdict, weighed, borderline, health, context), basis


def _with_fault(verdict: Diagnosis, weighed: Weighed, context: DiagnosisContext, bounds: Bounds) -> Diagnosis:
    """The verdict by the first rule that may set the label; the other findings follow it.

    A finding that the look does not share, and that is less sure than such a one must be, gives no label and no advice;
    what became of runs that look so is said in their place.
    """
    main, order = weighed.deciding[0], _order(weighed)
    confidence = _share(weighed) * _confidence(order)
    rate = context.agreed_rate
    if confidence < weighed.least and context.outlook is not None:
        return _doubted(verdict, order, context.outlook)
    if rate is not None and main[0].blames is not None:
        rate = with_verdict(rate, main[0].blames, confidence)
    return replace(
        verdict,
        label=main[0].label,
        cause=main[0].name,
        confidence=confidence,
        rate=rate,
        findings=tuple(_finding(*pair) for pair in order),
        advice=_advice(order, context, rate, bounds),
        notes=(*verdict.notes, *_length_notes(main[0], context)),
    )


def _doubted(verdict: Diagnosis, order: Sequence[Fired], look: Outlook) -> Diagnosis:
    """No verdict: the findings are no surer than a look that does not share them, and what it says is told."""
    findings = (_finding(*pair) for pair in order)
    doubted = tuple(replace(one, confidence=min(one.confidence, look.of_label(one.label))) for one in findings)
    return replace(verdict, findings=doubted, notes=(*verdict.notes, _looks(look)))


def _without_fault(
    verdict: Diagnosis,
    weighed: Weighed,
    borderline: Fired | None,
    health: Health,
    context: DiagnosisContext,
) -> Diagnosis:
    """Healthy where enough could be checked on enough points and such runs are not mostly ill, else unknown.

    Findings that never stand alone are kept.
    """
    missing = {kind.label for kind in verdict.unchecked}
    confidence = DEFAULT.no_fault(health)
    look = context.outlook.doubted if context.outlook else None
    ill = look is not None and look.well < SELDOM_WELL
    enough = missing.isdisjoint(_needed(context)) and (health.kinds > 1 or on_course(context)) and confidence > 0.0
    healthy = enough and not ill and confidence >= TOO_LITTLE
    notes: tuple[Message, ...] = ()
    if is_late(context.curves):
        notes = (message("start-not-logged", step=float(context.curves["train_loss"].steps[0])),)
    elif enough and ill and look is not None:
        notes = (_looks(look),)
    elif enough and not healthy and context.so_far is not None:
        notes = (message("looks-ill-so-far", well=confidence),)
    return replace(
        verdict,
        notes=(*verdict.notes, *notes),
        label=Label.HEALTHY if healthy else Label.UNKNOWN,
        confidence=confidence if healthy else 0.0,
        rate=with_verdict(verdict.rate, None, confidence) if healthy and verdict.rate is not None else verdict.rate,
        findings=tuple(_finding(*pair) for pair in weighed.fired),
        borderline=_finding(*borderline) if healthy and borderline else None,
    )


def _looks(look: Outlook) -> Message:
    """How many of the runs that look so went well, and what most of the others had."""
    found = (
        (look.slow, message("looks-slow", well=look.well, ill=look.slow)),
        (look.hot, message("looks-hot", well=look.well, ill=look.hot)),
        (look.overfit, message("looks-overfit", well=look.well, ill=look.overfit)),
    )
    return max(found, key=lambda one: one[0])[1]


def _needed(context: DiagnosisContext) -> tuple[Label, ...]:
    """The labels that must have been checked: a reward is well only where it rose or has nowhere to rise to."""
    by_loss = method_record(context.settings.method).loss_is_objective
    return (Label.UNSTABLE,) if by_loss else (Label.UNSTABLE, Label.UNDERFIT)


def _loss_notes(context: DiagnosisContext, found: Collection[str]) -> tuple[Message, ...]:
    """A note where the training loss was logged and says nothing, and where a loss was not finite and no rule says so.

    ``found`` are the names of the rules that fired.
    """
    method, notes = context.settings.method, []
    if not method_record(method).loss_is_objective and "train_loss" in context.curves:
        notes.append(message("loss-is-no-signal", method=method))
    for name in ("train_loss", "eval_loss"):
        broken = context.curves[name].broken if name in context.curves else ()
        if broken and "loss-not-finite" not in found:
            notes.append(message("loss-skipped", curve=name, count=len(broken), first=broken[0]))
    return tuple(notes)


def _length_notes(main: Rule, context: DiagnosisContext) -> tuple[Message, ...]:
    """A note where the verdict is about a complete run and nothing says whether the log is one."""
    if not main.judges_whole_runs or context.settings.max_steps is not None:
        return ()
    return (message("planned-length-unknown"),)


def _order(weighed: Weighed) -> list[Fired]:
    """The finding that sets the label, and those that stand beside it."""
    main = weighed.deciding[0]
    return [main, *(pair for pair in weighed.fired if pair[0] is not main[0] and _stays_beside(pair[0], main[0]))]


def _share(weighed: Weighed) -> float:
    """What remains of the confidence of the finding that sets the label, beside other readings of the run."""
    return min(weighed.share, weighed.most / _confidence(_order(weighed))) if weighed.deciding else weighed.share


def _confidence(order: list[Fired]) -> float:
    """The confidence of the verdict: of the finding that sets the label, and of other signs of the same fault."""
    main, found = order[0]
    others = [rule.confidence * sign.strength for rule, sign in order[1:] if rule.confirms(main)]
    return DEFAULT.fault(combine(main.confidence * found.strength, others))


def _stays_beside(rule: Rule, main: Rule) -> bool:
    """Whether a finding still means something beside the one that sets the label: a broken log proves nothing else."""
    return main.label is not Label.BROKEN or rule.label is Label.BROKEN


def _finding(rule: Rule, found: Evidence) -> Finding:
    """What the rule found, with its confidence."""
    return Finding(
        rule=rule.name,
        label=rule.label,
        first_step=found.first_step,
        last_step=found.last_step,
        measured=dict(found.measured),
        template=rule.message_for(found.measured),
        confidence=float(DEFAULT.fault(rule.confidence * found.strength)),
        steps=found.steps,
    )


def _advice(
    order: Sequence[Fired], context: DiagnosisContext, rate: RateEstimate | None, bounds: Bounds
) -> tuple[Advice, ...]:
    """The advice of the findings in their order; a setting that is already advised is not advised again.

    Only findings of the run's own label advise: what else a run lacks shows when the first fault is gone. Findings that
    never stand alone advise too, as an option.
    """
    advice: dict[str, Advice] = {}
    untrained = best_step(context) == 0.0  # no checkpoint of the run is worth keeping
    for rule, found in order:
        if rule.sets_label and rule.label is not order[0][0].label:
            continue
        case = Case(context.settings, context.rate_prior, found.measured, rate)
        confidence = rule.confidence * found.strength
        for item in advise(rule.fixes, case, because=rule.name, confidence=confidence, bounds=bounds):
            if not (untrained and item.knob == "checkpoint"):
                advice.setdefault(item.knob, replace(item, optional=not rule.sets_label))
    return tuple(advice.values())
