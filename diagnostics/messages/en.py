"""English: one template for each code. ``{name:.3g}`` is a value of the message, formatted as Python does."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostics.model.records import Label

LANGUAGE = "en"
VERY_LARGE = "very large"

MESSAGES: Mapping[str, str] = {
    "text": "{text}",
    # Why a rule could not be evaluated.
    "setting-unknown": "the log does not give {settings}",
    "curve-missing": "the log has no {curves}",
    "too-few-points": "only {have} of the {need} {what} needed",
    "rewards-logged-seldom": "{have} of {need} logs of the reward, one every {every:g} steps; set logging_steps to 1",
    "rewards-of-few-steps": "{have} of {need} logs of the reward; train for more steps",
    "run-not-finished": "the run is at step {step:g} of {max_steps}",
    "start-not-logged": "the log begins at step {step:g}: what the run learned before is not in it",
    "no-epoch-end": "no epoch ends within the log",
    "no-early-eval": "no evaluation near the start, and the log does not give {settings}",
    "loss-too-noisy": "the loss is noisier than what a usual rate learns after the first log",
    "no-early-eval-between-losses": "no evaluation near the start with three training losses around it",
    "too-noisy-for-plateau": "too noisy to tell flat from falling: a change below {change:.1%} would not show",
    "log-rounded": "the log is rounded to steps of {grain:.1%}: no change would show",
    "entropy-without-losses": "the log has too few training losses to compare the entropy with",
    "gap-from-start": "the losses differ from the start: their gap means nothing",
    "general-text-unknown": "the loss on general text starts at {start:.3g}, no better than chance ({chance:.3g}): the "
    "model never knew this text",
    "no-rule": "no rule covers it",
    "reward-too-noisy": "the reward is too noisy, and only a rise by {rise:.2g} would show, of a width of {width:.2g}; "
    "compare more answers a step, or evaluate 200 held-out prompts",
    "one-reward-function": "the log has no two reward functions to compare",
    "groups-mostly-equal": "most groups have equal rewards, so a flat reward says nothing of the learning rate",
    "groups-of-batch": "rewards are scaled over the batch: the share of equal groups is 0 or 1",
    "no-divergence": "the divergence is 0 throughout: beta is 0",
    "another-reference": "the reference is another model: its divergence has no meaning",
    # What a comparison with a baseline could not answer, and its answers.
    "baseline-within-noise": "the baseline's own loss falls by no more than its noise",
    "baseline-descent-over": "the baseline's descent is over by the first points that both logs have",
    "no-grad-norm-in": "the {whose}'s log has no grad_norm",
    "no-common-loss": "no loss with {need} points or more in both logs",
    "methods-differ": "the run is {mine} and the baseline {baseline}: their losses are of different kinds",
    "starts-differ": "the losses start at {mine:.3g} and {baseline:.3g} (step {step:.10g}): another tokenizer, base "
    "model, masking or data, and the levels do not compare",
    "floors": "the lowest loss is {mine:.4g}, the baseline's {baseline:.4g} (differences below {noise:.2g} are noise)",
    "descents": "the loss comes down by {mine:.3g}, {share:percent} of the baseline's {baseline:.3g}",
    "half-reached": "half of the baseline's descent takes {mine:,.0f} {unit}, {ratio:.2g} times as many as there",
    "half-reached-alike": "half of the baseline's descent takes {mine:,.0f} {unit}, as many as there",
    "half-never-reached": "never reaches half of the baseline's descent, which took {baseline:,.0f} {unit}",
    "gradient-norms": "the usual gradient norm of the second half is {mine:.3g}, the baseline's {baseline:.3g}",
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
    "curves-left-out": "{curves:plural:curve|curves} that no rule reads left out: the log has too many",
    "steps-negative": "{rows:plural:row|rows} with a step below 0: counted upward where they count down from 0, else "
    "left out",
    "tags-negative": "{tags:plural:tag|tags} with steps below 0: counted upward where they count down from 0, else "
    "left out",
    "newest-first": "the rows are in falling order of steps: sorted",
    "rows-out-of-order": "the rows are in no order of steps: sorted",
    "tag-at-step-zero": "{tag} was always logged at step 0: steps are row numbers",
    "lines-skipped": "{lines:plural:line that is not a JSON object|lines that are not JSON objects} skipped",
    "cells-skipped": "{cells:plural:cell|cells} of text skipped",
    "points-added": "{points:plural:more point|more points} from {log}",
    "other-run": "{log} describes another run than the other logs here: it was left out",
    "log-not-read": "{why}",
    "settings-not-read": "{file} cannot be read: its settings are left out",
    "one-of-several-eval-sets": "several held-out sets: eval_loss is {tag}",
    "method-from-adapter": "method: an adapter of a language model with a loss and no rewards is read as SFT",
    "split-not-joined": "{file} counts its rows otherwise than the training log: it was left out",
    "lone-loss": "{curve} is {tag}, the only column whose name ends in loss",
    "loss-from-perplexity": "{curve} is the logarithm of {tag}: the log holds no such loss",
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
    "loss-is-no-signal": "the loss of {method} is near 0 or below it by construction: read the reward",
    "loss-skipped": "{curve} is nan or inf in {count:plural:log|logs}, first at step {first:.10g}, and finite since: "
    "steps that were skipped, or single bad rows",
    "loss-is-average": "{curve} lags as an average over all logs so far does: it is read as what it is the average of",
    "resume-offset": "{curve} jumps by {jump:+.3g} at the resume at step {step:.10g}: it is read without the jump",
    # Notes on a training.
    "stopped-early": "stopped early: {rule}",
    "stopped-at": "stopped at step {step} of {max_steps}: {why}",
    "resumed-after-cut": "resumed from step {step} after the run was cut off",
    "data-format": "{file} was read as {format}",
    "pairs-without-difference": "{file}: left out {pairs:plural:pair|pairs} whose chosen equals rejected",
    "rows-held-out": "the data has no held-out split: {test:plural:row|rows} held out, {train} left to train on",
    "rows-cut": "max_length {limit} cuts {rows:plural:row|rows} of {total} ({split}); the longest has {longest} tokens",
    "rows-left-out": "max_length {limit} leaves out {rows:plural:row|rows} of {total} ({split}): no answer is left",
    "streamed-rows-held-out": "the data is streamed: its first {rows} rows are held out",
    "device-batch-lowered": "out of memory with {wanted:plural:row|rows} on the device: trained with {rows} at once "
    "and {steps:plural:accumulation step|accumulation steps}, the same effective batch; evaluated {evaluation} at once",
    "chat-template-added": "the tokenizer has no chat template; a plain one was added and is saved with it",
    "rate-of-adapter-without-one": "learning_rate {rate:number} is one for LoRA, and the whole model is trained: "
    "such runs usually take about {center:number:1}",
    "rate-of-full-with-adapter": "learning_rate {rate:number} is one for training the whole model, and an adapter is "
    "trained: such runs usually take about {center:number:1}",
    "rate-not-of-adapter": "learning_rate {rate:number} is far from what {adapter} usually takes, about "
    "{center:number:1}",
    "rate-needs-more-answers": "learning_rate {rate:number} with {batch} answers a step often loses what it learned: "
    "lower it to about {center:number:1}, or compare 256 answers and more a step",
    "reference-without-base": "{adapter} takes a part of the base model into the adapter, so the reference without the "
    "adapter is another model: start the adapter plainly",
    "answers-sampled-greedily": "{knob} {value} writes one answer again and again, so the rewards of a group never "
    "differ: use temperature 1.0 and no top_k",
    "answers-of-one-kind": "all {count} answers have label {label}, and KTO learns from wanted answers beside unwanted "
    "ones: add rows of the other kind",
    "answers-out-of-balance": "{wanted} wanted and {unwanted} unwanted answers, with their weights, pull {ratio:.2g} "
    "to 1, and KTO wants 1 to 1.33: set {knob} between {low:.3g} and {high:.3g}",
    "no-mismatched-pairs": "one row on the device leaves no mismatched pairs, so the KL estimate of KTO is always 0: "
    "set per_device_train_batch_size to 2 or more",
    "weights-not-finite": "the weights hold nan, so none were saved",
    "looks-slow": "of runs that look so {well:percent} went well and {ill:percent} learned "
    "too slowly: a run at 3 times the learning rate would tell",
    "looks-hot": "of runs that look so {well:percent} went well and {ill:percent} had too "
    "high a learning rate: a run at a third of it would tell",
    "looks-overfit": "of runs that look so {well:percent} went well and {ill:percent} "
    "overfit: more evaluations on held-out rows would tell",
    "looks-ill-so-far": "no rule has found a fault so far, but of runs that look so at this point {well:percent} end "
    "well",
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

TENTATIVE_HEADLINES: Mapping[Label, str] = {
    Label.BROKEN: "The log or the data may be broken",
    Label.UNSTABLE: "Looks unstable",
    Label.OVERFIT: "Looks overfit",
    Label.UNDERFIT: "Looks underfit",
    Label.HEALTHY: "Looks healthy",
    Label.UNKNOWN: HEADLINES[Label.UNKNOWN],
}
"""For verdicts that are less than quite sure."""

CONFIDENCE = (
    (0.85, "almost certain"),
    (0.65, "quite sure"),
    (0.55, "more likely than not"),
    (0.5, "barely more likely than not"),
    (0.0, "weak evidence"),
)
"""The words for a confidence of at least so much."""

FACTORS: Mapping[float, str] = {
    0.1: "a tenth of",
    0.25: "a quarter of",
    0.3: "a third of",
    0.33: "a third of",
    0.5: "half",
    2.0: "twice",
    3.0: "three times",
    4.0: "four times",
    10.0: "ten times",
}
"""Factors in words, before what they multiply."""
OTHER_FACTOR = "{factor} times"

PHRASES: Mapping[str, str] = {
    "tentative": "{headline} ({percent}: {words})",
    "usual": "usual: {low} to {high}",
    # The one sentence that sums a diagnosis up.
    "summary-borderline": "No fault, but close to {label}: {message}",
    "summary-findings-only": "No fault that decides the verdict. Worth a look: {message}",
    "summary-nothing-found": "None of the checks that this log allows found a fault.",
    "summary-nothing-known": "This log does not hold enough to judge the run.",
    "summary-not-checked": "This log does not hold enough to judge the run: {reason}.",
    # Notes that a diagnosis adds to those of the log.
    "not-checked": "{label} was not checked: {reason}",
    "nearly": "nearly {label}: {message}",
    # Around findings and advice.
    "step": "step {step}",
    "steps": "steps {first} to {last}",
    "confidence": "{words} ({percent})",
    "cause": "{cause}, {sure}",
    "not-enough": "not enough to go by",
    "what-to-change": "What to change",
    "optional-changes": "Optional changes",
    "optional": "{rule} (optional)",
    "rules": "{count:plural:rule|rules}",
    # Where the learning rate stands.
    "rate-off": "The learning rate is probably {least} to {most} times {side} ({share}).",
    "rate-up-to": "The learning rate is probably {side}, by up to {most} times ({chance}).",
    "rate-right": "The learning rate is probably within {most} times of the best one ({share}).",
    "rate-between": "The learning rate lies between {low} times too low and {high} times too high ({share}).",
    "rate-suggested": "The best one is as likely as not between {low} and {high}.",
    "rate-gauge": "where the learning rate stands",
    "rate-best": "best",
    "rate-low-end": "too low",
    "rate-high-end": "too high",
    # The parts of a report.
    "fact-verdict": "verdict",
    "fact-cause": "cause",
    "fact-confidence": "how sure",
    "fact-best-checkpoint": "best checkpoint",
    "fact-unchecked": "could not be checked",
    "findings": "What was found",
    "advice-hint": "Best first. Change one thing at a time, so that the next run shows what it did.",
    "unchecked": "What could not be checked",
    "settings": "Settings of this run",
    "notes": "Notes on the log",
    "note": "note: {note}",
    "more-notes": "and {count:plural:more note|more notes}: see --md or --json",
    "unchecked-line": "{rules} could not be evaluated: {reasons}",
    "more-reasons": "and {count:plural:more reason|more reasons}",
    # The page of one run or many.
    "page": "{title} · diagnosis",
    "page-of-many": "{count:plural:run|runs}",
    "page-of-none": "No run",
    "not-read": "not read",
    "all-runs": "all",
    "filter": "Show the runs with one verdict",
    "to-top": "↑ Back to top",
    "to-index": "↑ All runs",
    "find-runs": "Find runs by name, verdict, cause or change",
    "none-found": "no run has these words",
    "next-run-file": "The next run",
    "next-run-file-hint": "The settings of this run with the first change applied, as a study file.",
    "step-axis": "step",
    "sketch": "{first} to {last}",
    "from-step": "from step {step}",
    "badge": "curve",
    "copy": "Copy",
    "copied": "Copied",
    "no-verdict": "no verdict",
    "smoothed": "Thin lines are the values as logged, thick ones their running mean.",
    "downsampled": "{shown} of {total} points are drawn: the lowest and highest of every pixel.",
    "made-by": "Made by tuner. {command} explains a rule and where it comes from.",
    # The short form in a terminal.
    "sure": "{percent} sure",
    "as-far-as-seen": "{label} as far as can be seen",
    "held-out-few": "too few evaluations to check for overfitting",
    "held-out-missing": "no {curve}, so overfitting was not checked",
    "do-this": "Do this: {action}",
    "next-run": "Next run: {changes}",
    "worth-a-try": "Worth a try: {changes}",
    "or": "{one}, or {other}",
    "use-checkpoint": "use the checkpoint at step {step} (no retraining needed)",
    "nothing-to-fix": "nothing to fix; keep these settings.",
    "nothing-has-to-change": "nothing has to change.",
    "checks-skipped": "{skipped} of {total} checks were skipped{logged}.",
    "not-logged": " (not logged: {names})",
    "and-more": "{names} and {count} more",
    "curve-train": "train",
    "curve-eval": "eval",
    "mark-best": "best: step {step}",
    "mark-onset": "{rule:name} from step {step}",
    "mark-best-and-onset": "best: step {step}; {rule:name} from here",
    # Around a comparison with a baseline.
    "against": "Against {baseline}",
    "to-step": "to step {step:,.10g}",
    "losses": "losses",
    "not-compared": "not compared: {why}",
    # The lines of a live view.
    "verdict": "verdict: {label}",
    "verdict-changed": "verdict: {label} (was {before})",
    "so-far": "{label} so far",
    "found": "{kind}: {rule}: {message}",
    "noted": "noted",
    "cleared": "cleared: {rule}",
}
"""What stands around the facts of a diagnosis."""

TERMS: Mapping[str, str] = {}
"""Words that messages hold as values (labels, units, what was counted), where this language has others."""

TABLE_HEADS: Mapping[str, tuple[str, ...]] = {
    "overview": ("run", "verdict", "cause", "how sure", "change first"),
    "advice": ("knob", "now", "next", "why", "what to expect", "how sure"),
    "advice-in-terminal": ("change", "now", "next", "", "why", "sure"),
    "runs-in-terminal": ("verdict", "run", "cause", "sure", "best", "change", "loss"),
    "comparison": ("question", "this run is", "evidence"),
    "settings": ("setting", "value"),
}
"""The heads of the tables in a report, column by column."""

RULES: Mapping[str, Mapping[str, str]] = {}
"""Texts of rules in this language, by rule and field; where one is missing, the row of the rule table speaks."""
