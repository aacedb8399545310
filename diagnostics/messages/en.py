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
    "synthetic-run": "a synthetic run",
    # What a reader dropped, guessed or joined.
    "event-files-joined": "{files:plural:event file|event files} joined",
    "records-damaged": "{file}: {places:plural:damaged place|damaged places} skipped",
    "last-record-cut": "{file}: the last record is incomplete (still being written, or cut off)",
    "log-restarts": "the log starts again at step {step:.10g}: {rows:plural:earlier row|earlier rows} left out",
    "file-restarts": "{file} starts again at step {step:.10g}: {points:plural:earlier point|earlier points} left out",
    "steps-logged-twice": "{tag} starts again at step {step:.10g}: {steps:plural:step|steps} logged twice, the last "
    "value is kept",
    "steps-start-again": "{column} starts again in every epoch: steps are counted on across epochs",
    "steps-are-epochs": "steps are epochs: the log counts no steps",
    "steps-are-row-numbers": "steps are row numbers: the log counts no steps",
    "tag-at-step-zero": "{tag} was always logged at step 0: steps are row numbers",
    "lines-skipped": "{lines:plural:line that is not a JSON object|lines that are not JSON objects} skipped",
    "cells-skipped": "{cells:plural:cell|cells} of text skipped",
    "points-added": "{points:plural:more point|more points} from {log}",
    "other-run": "{log} describes another run than the other logs here: it was left out",
    "log-not-read": "{why}",
    "settings-not-read": "{file} cannot be read: its settings are left out",
    "one-of-several-eval-sets": "several held-out sets: eval_loss is {tag}",
    "eval-loss-from-test": "eval_loss is {tag}",
    "no-loss-found": "no tag looks like a loss ({tags}); name it with tags, as in train_loss=my/loss",
    "counter-falls-back": "{counter} falls back at step {step:.10g}: the run was resumed there",
    "pace-changes": "at step {step:.10g} the {counter} per step change from {before:.3g} to {after:.3g}: the batch or "
    "the packing changed, so a jump of the loss there is not a fault",
    "batch-from-throughput": "the batch size {batch} follows from the throughput that was logged at the end",
    "one-device-assumed": "batch size: the log does not give the number of devices, one is assumed",
    "length-from-schedule": "the learning rate reaches 0 at about step {planned:,.0f}: the run is "
    "cut off at {step:,.0f}",
    "rate-from-log": "learning_rate is the highest that was logged, {rate:.3g}",
    # Notes on a diagnosis.
    "resume-offset": "{curve} jumps by {jump:+.3g} at the resume at step {step:.10g}: it is read without the jump",
    # Notes on a training.
    "stopped-early": "stopped early: {rule}",
    "stopped-at": "stopped at step {step} of {max_steps}: {why}",
    "resumed-after-cut": "resumed from step {step} after the run was cut off",
    "chat-template-added": "the tokenizer has no chat template; a plain one was added and is saved with it",
    "weights-not-finite": "the weights hold nan, so none were saved",
    "planned-length-unknown": "the log does not give the planned length: it is judged as a complete run",
}
"""The sentences by code; those of rules stand in the rule table, beside their limits."""

NOTES: Mapping[str, str] = {
    "not-checked": "{label} was not checked: {reason}",
    "borderline": "nearly {label}: {message}",
}
"""Notes that a diagnosis adds to those of the log."""

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
