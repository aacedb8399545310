"""What the search says: why a trial was proposed or stopped, who proposed it, why no other begins."""

from __future__ import annotations

from collections.abc import Mapping

PROPOSALS: Mapping[str, str] = {
    "text": "{text}",
    "rule-advises": "{rule:name} in trial {trial}",
    "rule-measured": "{rule:name} in trial {trial}: {rule:finding}",
    "model-expects": "this run should save {saves:.1%}",
    "model-expects-at-rate": "the best rate is about {best:of:knob} ({low:of:knob} to {high:of:knob}); this run should "
    "save {saves:.1%}",
    "model-expects-below-edge": "the best rate is about {best:of:knob} ({low:of:knob} to {high:of:knob}), the edge of "
    "stability near {edge:of:knob}; this run should save {saves:.1%}",
    "model-expects-little": "little more is expected anywhere; this run looks one step beside trial {trial}",
    "another-seed": "trial {trial} on another seed: one run each is too few to pick a winner",
}
"""Why a trial was proposed."""

EARLIER: Mapping[str, str] = {
    "next-to-best": "{knob:name} {value:of:knob} lies next to trial {trial}, the best so far",
    "every-rate-diverged": "every rate so far diverged",
    "half-way-to-tried-rate": "half-way to the rate that was tried beyond it",
    "beyond-highest-rate": "the best rate so far is the highest that was tried with these settings",
    "beyond-lowest-rate": "the best rate so far is the lowest that was tried with these settings",
    "half-of-diverged-rate": "halfway below a learning rate that was too high",
    "vertex-of-rates": "the lowest point of a parabola through the rates tried",
    "gap-beside-best-rate": "half-way into the gap beside the best rate",
}
"""Why a trial was proposed in studies of earlier versions."""

PRUNED: Mapping[str, str] = {
    "diverged": "diverged",
    "no-way-back": "{rule}: no run recovers from it",
    "pruned": "the pruner stopped it",
    "out-of-reach": "{value:number} at {share:percent} of the run, where trial {trial} had {other:number}",
}
"""Why a trial was stopped."""

SOURCES: Mapping[str, str] = {
    "file": "your file",
    "advice": "advice",
    "trust-region": "sampler",
    "run-model": "model of the run",
    "sampler": "sampler",
    "another-seed": "another seed",
}
"""Who proposes trials, by kind."""

ONLY_SEED = "only the seed"
"""What moved in a repeat of earlier settings."""

STOP_REASONS: Mapping[str, str] = {
    "space-used-up": "every setting of the space has been tried",
    "minutes-spent": "no time for another trial: {minutes:g} minutes are spent",
    "minutes-kept": "no time for another trial: the rest of {minutes:g} minutes is for the repeats",
    "steps-spent": "no steps for another trial: {spent:number} of {steps:number} are spent",
    "steps-kept": "no steps for another trial: {spent:number} of {steps:number} are spent, {kept:number} are for the "
    "repeats",
    "judge-spent": "the judge's budget for this study is spent: {calls} calls and {tokens} tokens "
    "(study.judge.{knob} is {limit}; raise it to judge more runs)",
    "no-gain-in-sight": "no gain beyond noise is in sight: {trials} more trials are expected to improve {metric} by "
    "{expected:number:1}, and differences below {noise:number:1} are noise (--no-stop-early continues anyway)",
}
"""Why a search begins no other trial."""
