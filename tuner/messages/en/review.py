"""The review across all trials of a study: titles and sentences."""

from __future__ import annotations

from collections.abc import Mapping

POINTS: Mapping[str, str] = {
    "every-trial-forgets": "Every trial forgets more than the limit",
    "high-price": "The last of the gain is dearly paid",
    "broken-run": "Something is broken that no setting fixes",
    "unstable-trials": "Many trials are unstable",
    "failed-trials": "Some trials failed",
    "infeasible-trials": "Some settings do not fit in memory",
    "rows-lowered": "The device batch was lowered to fit",
    "edge-of-range": "The best {knob:name} lies at the edge of its range",
    "few-updates": "Few updates",
    "schedule-too-short": "The schedule is too short",
    "schedule-too-long": "The schedule is longer than needed",
    "no-effect": "{knob:name} has no effect here",
    "gain-not-proved": "The gain is not proved",
}
"""The titles of the review."""

REVIEW: Mapping[str, str] = {
    "least-forgotten": "No trial keeps the rise of the loss on general text below {limit:number}; trial {trial} "
    "forgets least, {rise:.3f} nats a token, and is taken as the best.",
    "search-lower": "Search lower learning rates and fewer epochs, mix general rows into the data, or allow more.",
    "cheaper-trial": "Trial {trial} reaches {share:percent} of the gain of the best one and forgets {rise:.3f} nats a "
    "token of general text instead of {most:.3f}.",
    "set-limit": "In a new study (with another --out) a limit makes it the best.",
    "broken-finding": "Trial {trial}: {finding}.",
    "look-first": "Look at this first: the search continues, but its comparisons mean little until it is fixed.",
    "unstable-count": "{unstable} of {trials} trials were unstable ({share:percent}).",
    "highest-stable-rate": "The highest learning rate that stayed stable was {rate:of:knob}; end the range there in a "
    "new study (with another --out), or warm up for longer.",
    "begin-lower": "Begin with a tenth of the lowest of their learning rates, or warm up for longer.",
    "failed-with": "{count:plural:trial|trials} ({numbers}) ended with {errors}; each keeps its traceback "
    "in error.txt.",
    "did-not-fit": "{count:plural:trial|trials} ({numbers}) did not fit in memory with one row on the device, so the "
    "search stays away from there.",
    "shorter-rows": "Shorter rows need less.",
    "checkpoint-gradients": "Gradient checkpointing needs less memory for more time.",
    "memory-ran-out": "Memory ran out in {runs}; the study continued with {train:plural:row|rows} on the device "
    "(evaluation: {evaluation}) and more accumulation, so the effective batch sizes are what they were.",
    "write-rows": "Write it into the file to save the attempts.",
    "only-kills": "In {runs} the only sign of it is that workers were killed while hardly any memory was free.",
    "edge-highest": "The best {knob:name}, {value:of:knob}, is the highest that the space allows.",
    "edge-lowest": "The best {knob:name}, {value:of:knob}, is the lowest that the space allows.",
    "beyond-edge": "A better one may lie beyond it: widen the range in a new study (with another --out).",
    "updates": "The best trial made {steps:.0f} optimizer steps; LoRA needs about {needed} to settle.",
    "smaller-batch": "A smaller batch makes more of them from the same data.",
    "more-data": "More data or more epochs make more of them.",
    "still-improving": "The best trial still improved at the end: {first:number} to {last:number} in the last quarter.",
    "twice-as-long": "Twice the length is worth a try.",
    "best-early": "The best trial was at its best after {share:percent} of its steps; the rest of the time was "
    "not needed.",
    "below-noise": "Moving {knob:name} across its range changed the metric by less than its noise ({noise:number:1}).",
    "keep-value": "Keep it at {value:of:knob}, so that the trials go to settings that matter.",
    "still-to-train": "{repeats:plural:repeat is|repeats are} still to be trained: the same command continues.",
    "more-seeds": "More seeds or more held-out rows would tell; the same study continues with more seeds.",
}
"""The sentences of the review."""
