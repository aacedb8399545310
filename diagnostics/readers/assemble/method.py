"""Which training method a log is of: as it is named, by options that one method alone has, or by what is logged.

The names are those of TRL's trainers: all preference trainers log rewards, and each logs something of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

GRPO_OR_RLOO = "grpo or rloo"
"""TRL's two trainers that compare the rewards of a group of answers: most of their logs are the same."""
METHODS = frozenset({"pt", "sft", "dpo", "kto", "orpo", "ipo", "simpo", "ppo", "grpo", "rloo", "rm", "cpo"})
METHODS |= {GRPO_OR_RLOO}
OTHER_NAMES = {"reward": "rm", "reward_modeling": "rm", "pretrain": "pt", "pretraining": "pt", "ipo_pair": "ipo"}
OWN_LOSS = frozenset({"orpo", "simpo"})
"""Losses that LLaMA-Factory runs as ``stage: dpo`` and that have no reference model."""

OPTIONS: tuple[tuple[str, frozenset[str]], ...] = (
    ("rloo", frozenset({"normalize_advantages", "reward_clip_range", "rloo_k"})),
    ("grpo", frozenset({"scale_rewards", "importance_sampling_level", "top_entropy_quantile"})),
    (GRPO_OR_RLOO, frozenset({"num_generations"})),
    ("kto", frozenset({"desirable_weight", "undesirable_weight"})),
    ("cpo", frozenset({"cpo_alpha", "simpo_gamma"})),
    ("rm", frozenset({"center_rewards_coefficient"})),
    ("dpo", frozenset({"precompute_ref_log_probs", "ref_model_init_kwargs"})),
    ("sft", frozenset({"assistant_only_loss", "completion_only_loss", "packing_strategy", "dataset_text_field"})),
)
"""Options of one method's config; the first row that an option is of counts."""

LOGGED: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("orpo", ("log_odds_ratio",)),
    ("orpo", ("log_odds_chosen",)),
    ("ppo", ("objective/kl",)),
    ("ppo", ("policy/approxkl_avg",)),
    ("grpo", ("policy_loss", "reward")),
    ("grpo", ("sampling/sampling_logp_difference/mean",)),
    (GRPO_OR_RLOO, ("reward", "reward_std")),
    (GRPO_OR_RLOO, ("completions/mean_length",)),
    (GRPO_OR_RLOO, ("completion_length", "reward")),
    ("kto", ("kl", "rewards/chosen")),
    ("kto", ("kl", "rewards/margins")),
    ("cpo", ("nll_loss", "rewards/margins")),
    ("dpo", ("rewards/margins",)),
    ("rm", ("mean_reward", "accuracy")),
    ("rm", ("margin", "accuracy")),
    ("sft", ("mean_token_accuracy", "num_tokens")),
)
"""What a method's trainer logs, all of a row together; the first row that the log has counts."""


def method_of(named: str | None, options: Mapping[str, Any], tags: Iterable[str]) -> str | None:
    """The training method, None when nothing tells it. ``tags`` are the names of the curves or of the log's tags."""
    plain = OTHER_NAMES.get((named or "").lower(), (named or "").lower())
    if plain in METHODS:
        return _by_its_loss(plain, options)
    logged = {_plain(tag) for tag in tags}
    seen = next((method for method, names in LOGGED if logged.issuperset(names)), None)
    told = next((method for method, names in OPTIONS if names & options.keys()), None)
    # An option's default may stand in any config; a metric is only there when it was computed.
    open_to_it = seen in (None, "dpo", "sft") or (seen == GRPO_OR_RLOO and told in ("grpo", "rloo"))
    return _by_its_loss(told, options) if told and open_to_it else seen


def _by_its_loss(method: str | None, options: Mapping[str, Any]) -> str | None:
    """The method, or the loss that is one of its own where it is run as another."""
    loss = str(options.get("pref_loss") or options.get("loss_type") or "").lower()
    return loss if method in ("dpo", "cpo") and loss in OWN_LOSS else method


def _plain(tag: str) -> str:
    """The tag without its split and with the slashes that canonical curve names have lost."""
    bare = re.sub(r"^(train|eval|val|test)[/_]", "", tag)
    return re.sub(r"^(rewards|logps|logits|completions)_", r"\1/", bare)
