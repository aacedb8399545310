"""The training methods: what the loss of each means, which settings work, and how a log of it is recognized.

Everything that differs between methods stands in the method's record here. What TRL needs to train with a method is
added in ``tuner.config.methods``; its faults are rows of the rule table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

GRPO_OR_RLOO = "grpo or rloo"
"""TRL's two trainers that compare the rewards of a group of answers: most of their logs are the same."""


@dataclass(frozen=True)
class LearningRates:
    """Learning rates that work for a model of unknown width, some 7 billion parameters, and the highest to advise."""

    center: float
    cap: float


@dataclass(frozen=True)
class TrainingMethod:
    """One training method. The defaults are those of a method that nothing is known of.

    ``metric`` and ``direction`` are what a study of it optimizes. ``loss_is_objective`` is False where the training
    loss says nothing about how well a run does: the loss of GRPO starts at 0 and rises with the KL divergence while the
    reward improves. ``loss_compares_answers`` is True where the loss is a comparison of answers and not a likelihood of
    tokens: rules that are not for DPO are not for these either.

    ``rates`` are the learning rates that work, with LoRA (True) and without (False); ``rate_below_sft`` is how many
    times lower they lie than those of SFT. ``seed_sd`` is the standard deviation of the difference between two settings
    trained with the same seed, as a share of the loss. ``search_order`` names the settings worth changing after the
    learning rate, the more important first. ``own_settings`` are settings that other methods do not have.

    ``aliases`` are other names in logs, ``config`` is the name of TRL's config class, ``own_options`` are options that
    only this method's config has, and ``logged`` holds groups of tags that only its trainer logs together.
    """

    name: str
    metric: str = "eval_loss"
    direction: str = "minimize"
    loss_is_objective: bool = True
    loss_compares_answers: bool = False
    rates: Mapping[bool, LearningRates] | None = None
    rate_below_sft: float = 1.0
    seed_sd: float = 0.0
    search_order: tuple[str, ...] = ("batch_size", "warmup_ratio", "lora_r", "beta", "num_train_epochs")
    own_settings: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    config: str = ""
    own_options: frozenset[str] = frozenset()
    logged: tuple[tuple[str, ...], ...] = ()


SFT = TrainingMethod(
    "sft",
    # 548 public LoRA runs of tinker-cookbook's sft_sweep: fitted optimum 2.6e-4, 72 of 80 diverged runs at 3e-3.
    rates={True: LearningRates(2.5e-4, 1e-3), False: LearningRates(2e-5, 1e-4)},
    # Medians over 98 pairs of settings in the search benchmark's tables: SFT 0.6 to 1.1 %, DPO 9 to 12 %.
    seed_sd=0.01,
    # The rank is worth 1 to 2 % at a good rate (548 LoRA runs), and leaving warm-up out cost nothing (Pareja 2024);
    # every DPO recipe warms up.
    search_order=("batch_size", "lora_r", "warmup_ratio", "num_train_epochs"),
    own_settings=("packing", "neftune_noise_alpha"),
    config="SFTConfig",
    own_options=frozenset({"assistant_only_loss", "completion_only_loss", "packing_strategy", "dataset_text_field"}),
    logged=(("mean_token_accuracy", "num_tokens"),),
)

DPO = TrainingMethod(
    "dpo",
    loss_compares_answers=True,
    # TRL and the alignment handbook: 5e-6 to 1e-5 with LoRA, 5e-7 without.
    rates={True: LearningRates(7e-6, 5e-5), False: LearningRates(5e-7, 5e-6)},
    rate_below_sft=40.0,
    seed_sd=0.1,
    own_settings=("beta", "loss_type", "label_smoothing"),
    config="DPOConfig",
    own_options=frozenset({"precompute_ref_log_probs", "ref_model_init_kwargs"}),
    logged=(("rewards/margins",),),
)


def _from_rewards(
    name: str,
    *,
    config: str = "",
    own_options: frozenset[str] = frozenset(),
    logged: tuple[tuple[str, ...], ...] = (),
) -> TrainingMethod:
    """A method that learns from the rewards of answers that the model writes while it trains."""
    return TrainingMethod(
        name,
        metric="reward",
        direction="maximize",
        loss_is_objective=False,
        config=config,
        own_options=own_options,
        logged=logged,
    )


_ALL = (
    TrainingMethod("orpo", config="ORPOConfig", logged=(("log_odds_ratio",), ("log_odds_chosen",))),
    _from_rewards("ppo", config="PPOConfig", logged=(("objective/kl",), ("policy/approxkl_avg",))),
    _from_rewards(
        "rloo",
        config="RLOOConfig",
        own_options=frozenset({"normalize_advantages", "reward_clip_range", "rloo_k"}),
    ),
    _from_rewards(
        "grpo",
        config="GRPOConfig",
        own_options=frozenset({"scale_rewards", "importance_sampling_level", "top_entropy_quantile"}),
        logged=(("policy_loss", "reward"), ("sampling/sampling_logp_difference/mean",)),
    ),
    _from_rewards(
        GRPO_OR_RLOO,
        own_options=frozenset({"num_generations"}),
        logged=(("reward", "reward_std"), ("completions/mean_length",), ("completion_length", "reward")),
    ),
    TrainingMethod(
        "kto",
        loss_compares_answers=True,
        config="KTOConfig",
        own_options=frozenset({"desirable_weight", "undesirable_weight"}),
        logged=(("kl", "rewards/chosen"), ("kl", "rewards/margins")),
    ),
    TrainingMethod(
        "cpo",
        loss_compares_answers=True,
        config="CPOConfig",
        own_options=frozenset({"cpo_alpha", "simpo_gamma"}),
        logged=(("nll_loss", "rewards/margins"),),
    ),
    DPO,
    TrainingMethod(
        "rm",
        loss_compares_answers=True,
        aliases=("reward", "reward_modeling"),
        config="RewardConfig",
        own_options=frozenset({"center_rewards_coefficient"}),
        logged=(("mean_reward", "accuracy"), ("margin", "accuracy")),
    ),
    SFT,
    TrainingMethod("ipo", loss_compares_answers=True, aliases=("ipo_pair",)),
    TrainingMethod("simpo", loss_compares_answers=True),
    TrainingMethod("pt", aliases=("pretrain", "pretraining")),
)

METHODS: Mapping[str, TrainingMethod] = {method.name: method for method in _ALL}
"""All known methods in the order in which a log is compared with them: the more specific first."""


def method_record(name: str | None) -> TrainingMethod:
    """The record of a method by its name; one with the defaults when the name is unknown or None."""
    return METHODS.get(name or "") or TrainingMethod(name or "")
