"""What the limits of the rules on rewards, and on losses of a single method, mean."""

from __future__ import annotations

from collections.abc import Mapping

OF_REWARDS: Mapping[str, str] = {
    "accuracy": "The share of pairs ranked right that the limit is drawn at",
    "at_least": "The divergence, in nats a token, from which on such a growth counts",
    "bound": "How many times the largest divergence that there can be counts as above it",
    "confirm": "In how many logs it must hold",
    "count": "How many logs it must hold in",
    "down": "Welch's t by which another part must have fallen below its best",
    "early": "The share of answers cut off at the start, below which they ended by themselves there",
    "earned": "The rise of the reward that each rise of the length must bring, both relative",
    "equal": "The least share of groups with equal rewards",
    "fall": "The least fall that counts",
    "falls": "Welch's t between the thirds from which on the share of answers cut off is on its way to 0",
    "few": "From how many logs on a flat reward shows where its noise is small",
    "first": "What the first log alone must show",
    "gap": "The distance between sampler and trainer, in nats a token",
    "grows": "How many times the divergence may grow within the first three logs",
    "kept": "The share of its first entropy that the policy must still have",
    "kl": "The divergence from the reference, in nats a token",
    "late": "The share of answers cut off at the end",
    "left": "The share of its best, or of its start, that is left",
    "level": "The most that the accuracy may have moved",
    "log_odds": "The highest log odds of the chosen answers",
    "low": "The highest reward that counts as the lowest, where rewards are shares of right answers",
    "lowest": "The entropy below which it is gone whatever it was",
    "min_steps": "The least number of steps for the rule to be evaluated",
    "more": "How far above its start the entropy must end, in nats",
    "moves": "The most that the log odds ratio may have moved",
    "near": "The most that the rewards may move, as a share of their width",
    "near_best": "The share of its best that the reward must keep",
    "nll_fall": "The least share that the likelihood part must have lost",
    "noise": "The noise that a change must exceed, or above which nothing is said: see the rule",
    "of_limit": "The mean length at the end as a share of the length limit",
    "of_start": "The share of the first loss that counts as hardly below it",
    "off": "How far the loss may lie from ln 2",
    "ratio": "The ratio that the limit is drawn at",
    "share": "The share of the logs in which the part must have its usual value",
    "size": "The mean score, in size, that is far from 0",
    "spread": "How far from its usual value a part may lie to count as constant",
    "t": "Welch's t that the difference must reach",
    "thirds": "Welch's t between the first and the last third that a fall must reach",
    "up": "Welch's t by which the reward must rise between its thirds",
}
"""By the names of the limits; the rows of the rule table say more beside the values."""
HOMES = ("diagnostics.detectors.rewards", "diagnostics.detectors.objectives")
"""Where the checks of these rules are."""
