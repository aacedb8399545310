"""What is known of a training method: the record whose values stand in ``diagnostics.model.methods``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

Points = TypeVar("Points")


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

    ``has_reference`` is True where the model is compared with what it was before the run.

    ``rates`` are the learning rates that work, with LoRA (True) and without (False); ``rate_below_sft`` is how many
    times lower they lie than those of SFT. ``seed_sd`` is the standard deviation of the difference between two settings
    trained with the same seed, as a share of the loss. ``search_order`` names the settings worth changing after the
    learning rate, the more important first. ``own_settings`` are settings that other methods do not have.

    ``mixes_batches`` is True where one batch may be of given answers and the next of the model's own: how much the
    training loss differs from batch to batch says nothing. ``own_tags`` are tags whose meaning only this method gives,
    with the canonical curve of each.

    ``aliases`` are other names in logs, ``config`` is the name of TRL's config class, ``own_options`` are options that
    only this method's config has, and ``logged`` holds groups of tags that only its trainer logs together.
    """

    name: str
    metric: str = "eval_loss"
    direction: str = "minimize"
    loss_is_objective: bool = True
    loss_compares_answers: bool = False
    has_reference: bool = False
    mixes_batches: bool = False
    own_tags: Mapping[str, str] = field(default_factory=dict)
    rates: Mapping[bool, LearningRates] | None = None
    rate_below_sft: float = 1.0
    seed_sd: float = 0.0
    search_order: tuple[str, ...] = ("batch_size", "warmup_ratio", "lora_r", "beta", "num_train_epochs")
    own_settings: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    config: str = ""
    own_options: frozenset[str] = frozenset()
    logged: tuple[tuple[str, ...], ...] = ()

    @property
    def main_curves(self) -> tuple[str, str]:
        """The curves that show how well a run does, in training and on held-out rows."""
        return ("train_loss", "eval_loss") if self.loss_is_objective else ("reward", "eval_reward")

    def named(self, curves: Mapping[str, Points]) -> dict[str, Points]:
        """The curves with the method's own tags under their canonical names, where the log has no such curve yet.

        Other programs mean other things by ``kl`` or ``accuracy``, so these get their names once the method is known.
        """
        found = dict(curves)
        for tag, name in self.own_tags.items():
            for spelled, canonical in _spellings(tag, name):
                if spelled in found and canonical not in found:
                    found[canonical] = found.pop(spelled)
        return found


def _spellings(tag: str, name: str) -> tuple[tuple[str, str], ...]:
    """A tag as the trainer's own log and its event file spell it, for training and held-out rows."""
    held = f"eval_{name}"
    return (tag, name), (f"train/{tag}", name), (f"eval_{tag}", held), (f"eval/{tag}", held)
