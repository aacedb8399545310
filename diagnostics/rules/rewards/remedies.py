"""Fixes that several rules on rewards share, and the methods they are for."""

from __future__ import annotations

from diagnostics.detectors.rewards.flat import divides_by_group
from diagnostics.model.methods import METHODS
from diagnostics.rules.remedies import cut_rate
from diagnostics.rules.rule import Case, Fix

REWARDS = tuple(name for name, method in METHODS.items() if not method.loss_is_objective)
"""Methods that learn from the rewards of answers that the model writes: DAPO, Dr.GRPO and GSPO are settings of grpo."""
FAR_ABOVE_CAP = 2.0
KEPT_ENTROPY = 0.5
"""The share of its first entropy that a policy without a gradient keeps: it stands still but for the prompts drawn."""
SMALL_BATCH = 64
"""Answers a step below which a usual rate with LoRA gambles."""

RUNS_88 = "88 public GRPO runs"
SUNSHINE = "Sunshine535/nips-grpo-dynamics: 33 runs of one sweep, 8 of them collapsed"
AXOLOTL = "Axolotl: training stability"
DAPO = "DAPO, 2503.14476"


def _rate_above_cap(case: Case) -> bool:
    """The rate is known to be more than twice the highest that is advised."""
    rate, cap = case.settings.learning_rate, case.rate_prior.cap
    return rate is not None and cap is not None and rate > FAR_ABOVE_CAP * cap


def no_divergence_term(case: Case) -> bool:
    """Beta is 0, which is the default of GRPO."""
    return not case.settings.beta


BEST_CHECKPOINT = Fix(
    "checkpoint", "use the checkpoint before the reward falls", "the best policy of this run, at no cost"
)
CUT_RATE = (
    cut_rate(
        0.1,
        "use {factor:times} the learning rate",
        expect="a reward that rises and stays",
        when=_rate_above_cap,
        condition="at more than twice the highest rate advised",
    ),
    cut_rate(1.0 / 3.0, "use {factor:times} the learning rate", expect="a reward that rises and stays"),
)
HALF_RATE = cut_rate(0.5, "use {factor:times} the learning rate", expect="a policy that moves more slowly", weight=0.7)
MORE_ANSWERS = Fix(
    "batch_size",
    "compare {factor:times} the answers a step, by accumulation if memory is short",
    "steps that follow the reward and not its noise",
    times=4.0,
    at_most=256,
    when=lambda case: (case.settings.batch_size or 0) < SMALL_BATCH,
    condition="below 64 answers a step",
    weight=0.7,
)
SMALL_BETA = Fix(
    "beta",
    "hold the policy near its reference with beta {new}",
    "a policy that cannot leave its reference for good",
    to=0.001,
    when=no_divergence_term,
    condition="where beta is 0",
    weight=0.5,
)
MORE_BETA = Fix(
    "beta",
    "use {factor:times} the beta",
    "a policy nearer to its reference",
    times=3.0,
    at_most=0.1,
    when=lambda case: not no_divergence_term(case),
    condition="where beta is above 0",
    weight=0.7,
)
TIGHT_CLIP = Fix(
    "max_grad_norm",
    "clip the gradient norm at {new}",
    "single bad groups no longer move the weights far",
    to=0.2,
    when=lambda case: (case.settings.max_grad_norm or 1.0) > 0.2,
    condition="where the limit is above 0.2",
    weight=0.5,
)
PLAIN_ADVANTAGES = Fix(
    "scale_rewards",
    "set scale_rewards to {new} (Dr.GRPO)",
    "advantages as large as the rewards differ",
    to="none",
    when=lambda case: divides_by_group(case.settings),
    condition="where rewards are divided by the spread of their group",
    weight=0.8,
)
MORE_TOKENS = Fix(
    "max_completion_length",
    "allow {factor:times} the tokens, until hardly any answers are cut off",
    "answers that end by themselves and can earn their reward",
    times=2.0,
    at_most=4096,
)
END_OF_ANSWER = Fix(
    "data",
    "check the chat template and that the end token is among the labels of what the model was trained on before: "
    "prompts as lists of messages get the template, plain text does not",
    "answers that end by themselves",
    weight=0.7,
)
HOTTER = Fix(
    "temperature",
    "sample at temperature {new}",
    "answers of a group that differ",
    to=1.0,
    at_most=1.2,
    when=lambda case: (case.settings.temperature or 1.0) < 0.95,
    condition="where it is lower",
    weight=0.8,
)
MORE_IN_GROUP = Fix(
    "num_generations",
    "compare {factor:times} the answers to each prompt",
    "more groups in which some answers are right and some are wrong",
    times=2.0,
    at_most=32,
    weight=0.7,
)
CLIP_HIGHER = Fix(
    "epsilon_high",
    "set epsilon_high to {new} (clip higher)",
    "unlikely tokens may become likelier",
    to=0.28,
    when=lambda case: (case.settings.num_iterations or 1) > 1,
    condition="where answers are used for several updates: on-policy nothing is clipped",
    weight=0.6,
)
