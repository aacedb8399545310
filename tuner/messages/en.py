"""English: one template for each code; ``tuner.messages.catalog`` says what a field may hold."""

from __future__ import annotations

from collections.abc import Mapping

PROPOSALS: Mapping[str, str] = {
    "text": "{text}",
    "rule-advises": "{rule:name} in trial {trial}",
    "rule-measured": "{rule:name} in trial {trial}: {rule:finding}",
    "next-to-best": "{knob:name} {value:of:knob} lies next to trial {trial}, the best so far",
    "every-rate-diverged": "every rate so far diverged",
    "half-way-to-tried-rate": "half-way to the rate that was tried beyond it",
    "beyond-highest-rate": "the best rate so far is the highest that was tried with these settings",
    "beyond-lowest-rate": "the best rate so far is the lowest that was tried with these settings",
    "half-of-diverged-rate": "as high as half of the rate that was too high",
    "vertex-of-rates": "the lowest point of a parabola through the rates tried",
    "gap-beside-best-rate": "half-way into the gap beside the best rate",
    "another-seed": "trial {trial} on another seed: one run each does not show which settings are the best",
}
"""Why a trial was proposed."""

PRUNED: Mapping[str, str] = {
    "diverged": "diverged",
    "out-of-reach": "{value:number} at {share:percent} of the run, where trial {trial} had {other:number}",
}
"""Why a trial was stopped."""

MESSAGES: Mapping[str, str] = {**PROPOSALS, **PRUNED}
