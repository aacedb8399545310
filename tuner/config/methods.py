"""What TRL needs to train with each method: its classes, what its rows look like, what it logs.

What the method's loss means and which settings work for it stands in ``diagnostics.model.methods``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from diagnostics.model.methods import CPO, DPO, GKD, GRPO, KTO, ORPO, REWARD, RLOO, SFT, SIMPO
from tuner.config.trl_method import Required, RowKind, TrlMethod

__all__ = ["SUCCESSORS", "TRL_METHODS", "RowKind", "TrlMethod"]

EXACT_MATCH = {"exact_match": "exact_match"}
TOKEN_METRICS = {"loss": "loss", "entropy": "entropy", "mean_token_accuracy": "mean_token_accuracy", **EXACT_MATCH}
PAIR_METRICS = {
    "rewards_margins": "rewards/margins",
    "rewards_chosen": "rewards/chosen",
    "rewards_rejected": "rewards/rejected",
    "logps_chosen": "logps/chosen",
    "logps_rejected": "logps/rejected",
}
ACCURACIES = {"rewards_accuracies": "rewards/accuracies"}
OF_BETA = dict.fromkeys(("rewards_margins", "rewards_chosen", "rewards_rejected"), ("beta",))

TRL_SFT = TrlMethod(
    method=SFT,
    config="trl:SFTConfig",
    trainer="trl:SFTTrainer",
    rows=(RowKind.INSTRUCTION, RowKind.TEXT),
    metrics=TOKEN_METRICS,
    metric_depends_on={"loss": ("loss_type", "label_smoothing_factor", "completion_only_loss", "assistant_only_loss")},
    comparable_metric="eval_mean_token_accuracy",
    loss_types=("nll", "dft", "chunked_nll"),
)

TRL_DPO = TrlMethod(
    method=DPO,
    config="trl:DPOConfig",
    trainer="trl:DPOTrainer",
    rows=(RowKind.PREFERENCE,),
    metrics={**TOKEN_METRICS, **ACCURACIES, **PAIR_METRICS},
    metric_depends_on={
        "loss": ("beta", "loss_type", "loss_weights", "label_smoothing", "f_divergence_type", "use_weighting"),
        **OF_BETA,
    },
    comparable_metric="eval_rewards_accuracies",
    loss_types=(
        *("sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot"),
        *("aot_unpaired", "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm"),
    ),
)

TRL_KTO = TrlMethod(
    method=KTO,
    config="trl:KTOConfig",
    trainer="trl:KTOTrainer",
    rows=(RowKind.LABELED, RowKind.PREFERENCE),
    metrics={"loss": "loss", "kl": "kl", "entropy": "entropy", **PAIR_METRICS, **EXACT_MATCH},
    metric_depends_on={"loss": ("beta", "loss_type", "desirable_weight", "undesirable_weight"), **OF_BETA},
    comparable_metric="eval_exact_match",
    loss_types=("kto", "apo_zero_unpaired"),
    # The rows that estimate the KL divergence are paired with others of their batch.
    rows_depend_on=frozenset({"per_device_train_batch_size", "loss_type"}),
)

TRL_ORPO = TrlMethod(
    method=ORPO,
    config="trl.experimental.orpo:ORPOConfig",
    trainer="trl.experimental.orpo:ORPOTrainer",
    rows=(RowKind.PREFERENCE,),
    metrics={
        "loss": "loss",
        "nll_loss": "nll_loss",
        "log_odds_ratio": "log_odds_ratio",
        "log_odds_chosen": "log_odds_chosen",
        **ACCURACIES,
        **PAIR_METRICS,
        **EXACT_MATCH,
    },
    metric_depends_on={"loss": ("beta",), **OF_BETA},
    comparable_metric="eval_rewards_accuracies",
)

TRL_CPO = TrlMethod(
    method=CPO,
    config="trl.experimental.cpo:CPOConfig",
    trainer="trl.experimental.cpo:CPOTrainer",
    rows=(RowKind.PREFERENCE,),
    metrics={"loss": "loss", "nll_loss": "nll_loss", **ACCURACIES, **PAIR_METRICS, **EXACT_MATCH},
    metric_depends_on={
        "loss": ("beta", "loss_type", "label_smoothing", "cpo_alpha", "simpo_gamma", "alpha"),
        **OF_BETA,
    },
    comparable_metric="eval_rewards_accuracies",
    loss_types=("sigmoid", "hinge", "ipo", "simpo"),
)

TRL_SIMPO = replace(
    TRL_CPO,
    method=SIMPO,
    loss_types=("simpo",),
    # The method's authors: no likelihood term, beta 2 and a margin of half of it. CPO's own defaults are another loss.
    defaults={"loss_type": "simpo", "cpo_alpha": 0.0, "beta": 2.0, "simpo_gamma": 1.0},
)

TRL_REWARD = TrlMethod(
    method=REWARD,
    config="trl:RewardConfig",
    trainer="trl:RewardTrainer",
    rows=(RowKind.PREFERENCE,),
    metrics={
        "loss": "loss",
        "accuracy": "accuracy",
        "margin": "margin",
        "mean_reward": "mean_reward",
        "min_reward": "min_reward",
        "max_reward": "max_reward",
    },
    metric_depends_on={"loss": ("center_rewards_coefficient",)},
    comparable_metric="eval_accuracy",
    defaults={"lora_task_type": "SEQ_CLS"},
    loads_with="AutoModelForSequenceClassification",
)

TRL_GRPO = TrlMethod(
    method=GRPO,
    config="trl:GRPOConfig",
    trainer="trl:GRPOTrainer",
    script="trl.scripts.grpo:GRPOScriptArguments",
    rows=(RowKind.PROMPT, RowKind.INSTRUCTION),
    shape=RowKind.PROMPT,
    metrics={
        "reward": "reward",
        "reward_std": "reward_std",
        "frac_reward_zero_std": "frac_reward_zero_std",
        "completion_length": "completions/mean_length",
        "clipped_ratio": "completions/clipped_ratio",
        "entropy": "entropy",
        **EXACT_MATCH,
    },
    metric_depends_on={"reward": ("reward_weights",)},
    comparable_metric="eval_exact_match",
    loss_types=("grpo", "bnpo", "dr_grpo", "dapo", "cispo", "sapo", "luspo", "vespo"),
    required=(
        Required(
            ("reward_funcs", "reward_model_name_or_path"),
            "functions that score answers, such as my_rewards.py:correct",
        ),
    ),
)

TRL_RLOO = replace(
    TRL_GRPO,
    method=RLOO,
    config="trl:RLOOConfig",
    trainer="trl:RLOOTrainer",
    script="trl.scripts.rloo:RLOOScriptArguments",
    loss_types=(),
)

TRL_GKD = TrlMethod(
    method=GKD,
    config="trl.experimental.gkd:GKDConfig",
    trainer="trl.experimental.gkd:GKDTrainer",
    rows=(RowKind.INSTRUCTION,),
    shape=RowKind.CONVERSATION,
    metrics={"loss": "loss", **EXACT_MATCH},
    metric_depends_on={"loss": ("beta", "temperature")},
    comparable_metric="eval_exact_match",
    loss_types=TRL_SFT.loss_types,
    required=(Required(("teacher_model_name_or_path",), "the model to learn from, with the same vocabulary"),),
)

TRL_METHODS: Mapping[str, TrlMethod] = {
    row.name: row
    for row in (
        *(TRL_SFT, TRL_DPO, TRL_KTO, TRL_ORPO, TRL_SIMPO, TRL_CPO, TRL_REWARD),
        *(TRL_GRPO, TRL_RLOO, TRL_GKD),
    )
}
"""Every method that a study file may name."""

SUCCESSORS: Mapping[str, str] = {
    **dict.fromkeys(
        ("ppo", "ppov2"),
        "TRL has dropped PPO; use method: rloo or grpo, which need no value model, with reward_model_name_or_path or "
        "reward_funcs",
    ),
    **dict.fromkeys(("online_dpo", "xpo", "nash_md"), "not trained here; use method: grpo with the judge as a reward"),
    "bco": "TRL has dropped its trainer; use method: dpo with loss_type: bco_pair, or kto for unpaired rows",
    "dapo": "a setting of grpo: method: grpo with loss_type: dapo and epsilon_high: 0.28",
    "dr_grpo": "a setting of grpo: method: grpo with loss_type: dr_grpo and scale_rewards: none",
    "gspo": "a setting of grpo: method: grpo with loss_type: grpo and importance_sampling_level: sequence",
    **dict.fromkeys(("ipo", "hinge", "robust"), "a loss of dpo: method: dpo with that loss_type"),
    **dict.fromkeys(("rm", "reward_modeling"), "called reward here"),
    **dict.fromkeys(("pt", "cpt", "pretrain", "pretraining"), "method: sft with rows of plain text, and packing: true"),
    "distillation": "use method: gkd with lmbda: 1.0 for distillation on the student's own answers",
}
"""What to write instead of a method that TRL has dropped, or that is a setting of another."""
