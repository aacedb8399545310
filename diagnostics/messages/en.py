"""English: one template for each code. ``{name:.3g}`` is a value of the message, formatted as Python does."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.model.records import Label

MESSAGES: Mapping[str, str] = {
    "text": "{text}",
    # Why a rule could not be evaluated.
    "setting-unknown": "the log does not give {settings}",
    "curve-missing": "the log has no {curves}",
    "too-few-points": "only {have} {what}, {need} needed",
    "run-not-finished": "the run is at step {step:g} of {max_steps}",
    "no-epoch-end": "no epoch ends within the log",
    "no-early-eval": "no evaluation near the start, and the log does not give {settings}",
    "no-early-eval-between-losses": "no evaluation near the start with three training losses around it",
    "too-noisy-for-plateau": "too noisy to tell flat from falling: a change below {change:.1%} would not show",
    "log-rounded": "the log is rounded to steps of {grain:.1%}: no change would show",
    "entropy-without-losses": "the log has too few training losses to compare the entropy with",
    "gap-from-start": "the losses differ from the start: their gap means nothing",
    "no-rule": "no rule covers it",
    # What a comparison with a baseline could not answer, and its answers.
    "baseline-within-noise": "the baseline's own loss falls by no more than its noise",
    "baseline-descent-over": "the baseline's descent is over by the first points that both logs have",
    "no-grad-norm-in": "the {whose}'s log has no grad_norm",
    # Notes on a diagnosis.
    "resume-offset": "{curve} jumps by {jump:+.3g} at the resume at step {step:.10g}: it is read without the jump",
    "label-not-checked": "{label} was not checked: {reason}",
    "planned-length-unknown": "the log does not give the planned length: it is judged as a complete run",
}
"""The sentences by code; those of rules stand in the rule table, beside their limits."""

HEADLINES: Mapping[Label, str] = {
    Label.BROKEN: "The log or the data is broken",
    Label.UNSTABLE: "Training is unstable",
    Label.OVERFIT: "The model overfits",
    Label.UNDERFIT: "The model underfits",
    Label.HEALTHY: "The run looks healthy",
    Label.UNKNOWN: "No verdict",
}

CONFIDENCE = ((0.85, "almost certain"), (0.65, "quite sure"), (0.45, "more likely than not"), (0.0, "weak evidence"))
"""The words for a confidence of at least so much."""

SUMMARY: Mapping[str, str] = {
    "borderline": "No fault, but close to {label}: {message}",
    "findings-only": "No fault that decides the verdict. Worth a look: {message}",
    "nothing-found": "None of the checks that this log allows found a fault.",
    "nothing-known": "This log does not hold enough to judge the run.",
}

RULES: Mapping[str, Mapping[str, str]] = {}
"""Texts of rules in this language, by rule and field; where one is missing, the row of the rule table speaks."""
