"""The training methods: what the loss of each means, which settings work, and how a log of it is recognized.

Everything that differs between methods stands in the method's record here. What TRL needs to train with a method is
added in ``tuner.config.methods``; its faults are rows of the rule table.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from diagnostics.model.training_method import LearningRates, TrainingMethod

__all__ = ["DPO", "GRPO_OR_RLOO", "METHODS", "SFT", "LearningRates", "TrainingMethod", "method_record"]

GRPO_OR_RLOO = "grpo or rloo"
"""TRL's two trainers that compare the rewards of a group of answers: most of their logs are the same."""

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
    has_reference=True,
    # TRL and the alignment handbook: 5e-6 to 1e-5 with LoRA, 5e-7 without.
    rates={True: LearningRates(7e-6, 5e-5), False: LearningRates(5e-7, 5e-6)},
    rate_below_sft=40.0,
    seed_sd=0.1,
    own_settings=("beta", "loss_type", "label_smoothing"),
    config="DPOConfig",
    own_options=frozenset({"precompute_ref_log_probs", "ref_model_init_kwargs"}),
    logged=(("rewards/margins",),),
)

KTO = TrainingMethod(
    "kto",
    loss_compares_answers=True,
    has_reference=True,
    own_tags={"kl": "kl_divergence"},
    # TRL's documentation 5e-7 to 5e-6, HALOs and LLaMA-Factory 5e-6 with LoRA; three of five public LoRA runs at about
    # 2e-4 collapsed.
    rates={True: LearningRates(5e-6, 5e-5), False: LearningRates(1e-6, 1e-5)},
    rate_below_sft=50.0,
    # Three pairs of rates with three seeds each on the packaged model: 0.3, 0.8 and 1.0 % (benchmarks.method_noise).
    seed_sd=0.01,
    search_order=("batch_size", "warmup_ratio", "beta", "desirable_weight", "lora_r", "num_train_epochs"),
    own_settings=("beta", "loss_type"),
    config="KTOConfig",
    own_options=frozenset({"desirable_weight", "undesirable_weight"}),
    logged=(("kl", "rewards/chosen"), ("kl", "rewards/margins")),
)

ORPO = TrainingMethod(
    "orpo",
    own_tags={"nll_loss": "chosen_nll", "sft_loss": "chosen_nll"},
    # The paper and the alignment handbook 5e-6 full; TRL's scripts 8e-6 full and 8e-5 with LoRA.
    rates={True: LearningRates(6e-5, 2e-4), False: LearningRates(6e-6, 2e-5)},
    rate_below_sft=4.0,
    # The packaged model, as KTO's: 0.4, 1.5 and 1.8 %.
    seed_sd=0.02,
    search_order=("beta", "batch_size", "warmup_ratio", "lora_r", "num_train_epochs"),
    own_settings=("beta",),
    config="ORPOConfig",
    logged=(("log_odds_ratio",), ("log_odds_chosen",)),
)

CPO = TrainingMethod(
    "cpo",
    loss_compares_answers=True,
    own_tags={"nll_loss": "chosen_nll"},
    # TRL's default without an adapter, its script with one.
    rates={True: LearningRates(8e-5, 2e-4), False: LearningRates(1e-6, 1e-5)},
    rate_below_sft=3.0,
    # The packaged model, as KTO's: 5, 12 and 16 %.
    seed_sd=0.12,
    own_settings=("beta", "loss_type", "label_smoothing"),
    config="CPOConfig",
    own_options=frozenset({"cpo_alpha", "simpo_gamma"}),
    logged=(("nll_loss", "rewards/margins"),),
)

SIMPO = TrainingMethod(
    "simpo",
    loss_compares_answers=True,
    own_tags={"nll_loss": "chosen_nll"},
    # The authors: 3e-7 to 1e-6 full, 1e-5 writes incoherent text; ten times that with LoRA.
    rates={True: LearningRates(5e-6, 2e-5), False: LearningRates(7e-7, 2e-6)},
    rate_below_sft=50.0,
    # The packaged model, ten pairs of five rates: 1 to 23 %, median 15 %.
    seed_sd=0.15,
    search_order=("beta", "simpo_gamma", "batch_size", "warmup_ratio", "lora_r"),
    own_settings=("beta", "loss_type", "label_smoothing"),
)

REWARD = TrainingMethod(
    "reward",
    loss_compares_answers=True,
    own_tags={"accuracy": "rewards_accuracies", "margin": "rewards_margins"},
    # TRL's examples 1e-5 full and 1e-4 with LoRA (RewardConfig's default is the latter); Tulu 3 3e-6 at batch 256.
    rates={True: LearningRates(1e-4, 1e-3), False: LearningRates(1e-5, 5e-5)},
    rate_below_sft=2.5,
    # The packaged model, as KTO's: 0.1, 1.6 and 1.8 %.
    seed_sd=0.02,
    # Reward models overfit after one pass, so its length is worth more than its rank.
    search_order=("batch_size", "num_train_epochs", "lora_r", "warmup_ratio", "center_rewards_coefficient"),
    aliases=("rm", "reward_modeling"),
    config="RewardConfig",
    own_options=frozenset({"center_rewards_coefficient"}),
    logged=(("mean_reward", "accuracy"), ("margin", "accuracy")),
)

GKD = TrainingMethod(
    "gkd",
    mixes_batches=True,
    # TRL's examples 2e-5 full and 2e-4 with LoRA, tinker's 5e-5 and 1e-4; 4e-5 full was worse than 2e-5 (NeMo-RL 1527).
    rates={True: LearningRates(1.5e-4, 5e-4), False: LearningRates(3e-5, 1e-4)},
    rate_below_sft=1.7,
    # The packaged model, ten pairs of five rates: 1 to 35 %, median 18 %; the nearer to the teacher, the more.
    seed_sd=0.18,
    search_order=("batch_size", "lora_r", "warmup_ratio", "lmbda"),
    own_settings=("beta",),
    config="GKDConfig",
    own_options=frozenset({"lmbda", "seq_kd"}),
)


def _from_rewards(
    name: str,
    *,
    rates: Mapping[bool, LearningRates] | None = None,
    config: str = "",
    own_options: frozenset[str] = frozenset(),
    logged: tuple[tuple[str, ...], ...] = (),
) -> TrainingMethod:
    """A method that learns from the rewards of answers that the model writes while it trains."""
    return TrainingMethod(
        name,
        metric="eval_reward",
        direction="maximize",
        loss_is_objective=False,
        own_tags={"kl": "kl_divergence", "objective/kl": "kl_divergence", "actor/kl_loss": "kl_divergence"},
        rates=rates,
        rate_below_sft=25.0,
        search_order=("beta", "num_generations", "batch_size", "temperature", "epsilon_high", "lora_r"),
        own_settings=("beta", "loss_type"),
        config=config,
        own_options=own_options,
        logged=logged,
    )


# For up to 64 answers a step. With LoRA at 1e-4 and some 8 answers a step 12 of 33 public runs collapsed or derailed;
# 2e-7 and 3e-7 stayed flat for 2400 and 160 steps.
REWARD_RATES = {True: LearningRates(1e-5, 1e-4), False: LearningRates(1e-6, 5e-6)}

RLOO = _from_rewards(
    "rloo",
    rates=REWARD_RATES,
    config="RLOOConfig",
    own_options=frozenset({"normalize_advantages", "reward_clip_range", "rloo_k"}),
)
GRPO = _from_rewards(
    "grpo",
    rates=REWARD_RATES,
    config="GRPOConfig",
    own_options=frozenset({"scale_rewards", "importance_sampling_level", "top_entropy_quantile"}),
    logged=(("policy_loss", "reward"), ("sampler_gap",), ("sampling/sampling_logp_difference/mean",)),
)

_ALL = (
    ORPO,
    _from_rewards("ppo", config="PPOConfig", logged=(("objective/kl",), ("policy/approxkl_avg",))),
    RLOO,
    GRPO,
    _from_rewards(
        GRPO_OR_RLOO,
        rates=REWARD_RATES,
        own_options=frozenset({"num_generations"}),
        logged=(
            ("reward", "reward_std"),
            ("completions/mean_length",),
            ("completion_length", "reward"),
            ("completion_length", "clipped_ratio"),
        ),
    ),
    KTO,
    CPO,
    DPO,
    REWARD,
    GKD,
    SFT,
    TrainingMethod("ipo", loss_compares_answers=True, has_reference=True, aliases=("ipo_pair",)),
    SIMPO,
    TrainingMethod("pt", aliases=("pretrain", "pretraining")),
)

METHODS: Mapping[str, TrainingMethod] = {method.name: method for method in _ALL}
"""All known methods in the order in which a log is compared with them: the more specific first."""

_BY_ANY_NAME = {name: method for method in _ALL for name in (method.name, *method.aliases)}


@lru_cache(maxsize=64)
def method_record(name: str | None) -> TrainingMethod:
    """The record of a method by its name or alias; one with the defaults when the name is unknown or None."""
    return _BY_ANY_NAME.get(name or "") or TrainingMethod(name or "")
