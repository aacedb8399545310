"""Gradients of single groups that throw the policy."""

from __future__ import annotations

from diagnostics.detectors.rewards import gradients
from diagnostics.model.records import Label
from diagnostics.rules.rewards.remedies import HALF_RATE, MORE_IN_GROUP, PLAIN_ADVANTAGES, REWARDS, TIGHT_CLIP
from diagnostics.rules.rule import Rule

REWARD_FALLS_AFTER_SPIKES = Rule(
    name="reward-falls-after-gradient-spikes",
    label=Label.UNSTABLE,
    check=gradients.falls_after_spikes,
    limits={
        "times": 10.0,  # the median of the gradients above 0
        "count": 3,  # logs: single ones recover
        "t": 3.5,  # Welch's, between the rewards before the first of them and the last tenth
        "min_points": 20,
    },
    message=(
        "{count:.0f} gradients are up to {times:.0f} times the usual one; then the reward falls from {before:.3g} "
        "to {end:.3g}"
    ),
    cause="A group whose rewards hardly differ is divided by a standard deviation near 0: one odd answer moves all.",
    fixes=(TIGHT_CLIP, PLAIN_ADVANTAGES, MORE_IN_GROUP, HALF_RATE),
    confidence=0.6,
    example="grad_norm 0.3 with logs of 8, 12 and 5, reward 0.7 before and 0.4 after them",
    sources=(
        "rldoctor 0.2.0 and rlprobe 0.1.0, both mended after false alarms: the median of the gradients above 0",
        "mlx-lm-lora#50: two answers a group",
    ),
    not_when="single spikes, or a reward that stays: a log with a norm of 155 has recovered",
    sets_label=False,
    methods=REWARDS,
)
