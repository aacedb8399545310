"""What TRL needs to train with a method: its classes, what its rows look like, what it logs.

What the method's loss means and which settings work for it stands in ``diagnostics.model.methods``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import import_module
from typing import Any

from diagnostics.model.methods import DPO, SFT, TrainingMethod

SHARED_METRICS = {
    "loss": "loss",
    "entropy": "entropy",
    "mean_token_accuracy": "mean_token_accuracy",
    "exact_match": "exact_match",
}


class RowKind(StrEnum):
    """What a row of training data holds."""

    INSTRUCTION = "instruction"
    PREFERENCE = "preference"


@dataclass(frozen=True)
class TrlMethod:
    """A training method as TRL trains it.

    ``config`` and ``trainer`` are ``module:class``, imported when needed. ``metrics`` maps each curve that can be a
    study's metric (without ``eval_``) to the name that the trainer logs it under. ``metric_depends_on`` names the
    settings that change the meaning of a metric, so that its values cannot be compared across trials;
    ``comparable_metric`` is one that stays comparable.
    """

    method: TrainingMethod
    config: str
    trainer: str
    rows: RowKind
    metrics: Mapping[str, str]
    metric_depends_on: Mapping[str, tuple[str, ...]]
    comparable_metric: str
    loss_types: tuple[str, ...]

    @property
    def name(self) -> str:
        """The method's name in a study file."""
        return self.method.name

    @property
    def config_class(self) -> Any:
        """TRL's config dataclass of the method."""
        return _named(self.config)

    @property
    def trainer_class(self) -> Any:
        """TRL's trainer of the method."""
        return _named(self.trainer)

    def trainer_name(self, metric: str) -> str:
        """The trainer's name of a metric at its evaluations; of the method's own metric where those do not log it."""
        plain = metric.removeprefix("eval_")
        logged = metric.startswith("eval_") and plain in self.metrics and plain != "exact_match"
        return f"eval_{self.metrics[plain]}" if logged else self.method.metric


def _named(path: str) -> Any:
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


TRL_SFT = TrlMethod(
    method=SFT,
    config="trl.trainer.sft_config:SFTConfig",
    trainer="trl.trainer.sft_trainer:SFTTrainer",
    rows=RowKind.INSTRUCTION,
    metrics=SHARED_METRICS,
    metric_depends_on={"loss": ("loss_type", "label_smoothing_factor", "completion_only_loss", "assistant_only_loss")},
    comparable_metric="eval_mean_token_accuracy",
    loss_types=("nll", "dft", "chunked_nll"),
)

TRL_DPO = TrlMethod(
    method=DPO,
    config="trl.trainer.dpo_config:DPOConfig",
    trainer="trl.trainer.dpo_trainer:DPOTrainer",
    rows=RowKind.PREFERENCE,
    metrics={
        **SHARED_METRICS,
        "rewards_accuracies": "rewards/accuracies",
        "rewards_margins": "rewards/margins",
        "rewards_chosen": "rewards/chosen",
        "rewards_rejected": "rewards/rejected",
        "logps_chosen": "logps/chosen",
        "logps_rejected": "logps/rejected",
    },
    metric_depends_on={
        "loss": ("beta", "loss_type", "loss_weights", "label_smoothing", "f_divergence_type", "use_weighting"),
        **dict.fromkeys(("rewards_margins", "rewards_chosen", "rewards_rejected"), ("beta",)),
    },
    comparable_metric="eval_rewards_accuracies",
    loss_types=(
        *("sigmoid", "hinge", "ipo", "exo_pair", "nca_pair", "robust", "bco_pair", "sppo_hard", "aot"),
        *("aot_unpaired", "apo_zero", "apo_down", "discopop", "sft", "sigmoid_norm"),
    ),
)

TRL_METHODS: Mapping[str, TrlMethod] = {row.name: row for row in (TRL_SFT, TRL_DPO)}
"""Every method that a study file may name."""
