"""What every log becomes: named curves and the settings they were made with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from diagnostics.model.message import Message, Value, as_message
from diagnostics.model.methods import method_record
from diagnostics.model.settings import Settings

FloatArray = NDArray[np.float64]

CURVES: Mapping[str, str] = {
    "train_loss": "training loss, a mean over the logging interval",
    "eval_loss": "loss on the held-out rows",
    "learning_rate": "learning rate at the step",
    "grad_norm": "gradient norm before clipping",
    "epoch": "passes over the training rows, as a fraction",
    "num_tokens": "tokens seen so far",
    "wall_time": "seconds since 1970 when the step was logged",
    "entropy": "mean entropy of the predicted next token",
    "mean_token_accuracy": "share of tokens predicted right",
    "rewards_chosen": "implicit reward of the chosen answers (beta times the log ratio)",
    "rewards_rejected": "implicit reward of the rejected answers",
    "rewards_margins": "chosen reward minus rejected reward",
    "rewards_accuracies": "share of pairs whose chosen reward is the higher",
    "logps_chosen": "log-probability of the chosen answers",
    "logps_rejected": "log-probability of the rejected answers",
    "reward": "mean reward of the generated answers; of a reward model the mean score",
    "reward_std": "standard deviation of the rewards",
    "frac_reward_zero_std": "share of prompts whose answers all have the same reward",
    "completion_length": "tokens of the generated answers, a mean",
    "clipped_ratio": "share of generated answers that the length limit cut off",
    "log_odds_chosen": "log odds of the chosen answer over the rejected one",
    "log_odds_ratio": "log of how surely those odds favor the chosen answer",
    "exact_match": "share of generated answers that equal the reference",
    "kl_divergence": "divergence of the policy from its reference, nats a token",
    "terminated_length": "tokens of the generated answers that ended by themselves, a mean; 0 where none did",
    "clip_ratio": "share of tokens whose probability ratio was clipped",
    "sampler_gap": "distance between the log-probabilities of the sampler and of the trainer, nats a token",
    "importance_ratio": "probability ratio of the trainer to the sampler, a mean after truncation",
    "chosen_nll": "loss on the tokens of the chosen answers, beside the part that compares answers",
    "general_loss": "loss on general text, which shows what the model forgets",
}
"""The canonical curve names. Each may also come from the held-out rows, as ``eval_`` + name."""

ALIASES: Mapping[str, str] = {
    "loss": "train_loss",
    "lr": "learning_rate",
    "val_loss": "eval_loss",
    "valid_loss": "eval_loss",
    "validation_loss": "eval_loss",
    "test_loss": "eval_loss",
    "gradient_norm": "grad_norm",
    "completions_mean_length": "completion_length",
    "eval_completions_mean_length": "eval_completion_length",
    "completions_clipped_ratio": "clipped_ratio",
    "eval_completions_clipped_ratio": "eval_clipped_ratio",
    "completions_mean_terminated_length": "terminated_length",
    "clip_ratio_region_mean": "clip_ratio",
    "sampling_sampling_logp_difference_mean": "sampler_gap",
    "sampling_importance_sampling_ratio_mean": "importance_ratio",
}

REWARD_PART = re.compile(r"(eval_)?(rewards/[^/]+/(?:mean|std))")
"""What is logged of each reward function, by the function's name; no canonical name holds it."""
PART_MEAN = re.compile(r"(?:train/|(?P<held>eval[_/]))?rewards/(?P<part>[^/]+)(?:/mean)?")
OF_PAIRS = frozenset({"chosen", "rejected", "margins", "accuracies"})
"""What preference trainers log under ``rewards/``; no reward function bears these names."""


def canonical_name(tag: str) -> str:
    """The canonical curve name of a log's tag, or the tag itself when it is none of ours.

    ``train/loss`` and ``loss`` become ``train_loss``; ``eval/rewards/margins`` becomes ``eval_rewards_margins``.
    ``train/train_loss`` stays as it is: the Trainer's mean over the whole run, one number and no curve.
    """
    name = tag.strip()
    if name == "train/train_loss":
        return name
    for split in ("train", "eval"):
        if name.startswith(f"{split}/"):
            name = name.removeprefix(f"{split}/")
            name = f"eval_{name}" if split == "eval" else name
    if REWARD_PART.fullmatch(name):
        return name
    flat = name.replace("/", "_")
    flat = ALIASES.get(flat, flat)
    return flat if flat.removeprefix("eval_") in CURVES or flat in ("train_loss", "eval_loss") else tag


def reward_parts(curves: Mapping[str, Curve]) -> dict[str, Curve]:
    """The mean reward of each reward function on training prompts, by the function's name.

    TRL 1.x logs ``rewards/<function>/mean``, earlier versions ``rewards/<function>``.
    """
    parts = ((part_of(name), curve) for name, curve in curves.items() if len(curve))
    return {part[0]: curve for part, curve in parts if part is not None and not part[1]}


def part_of(name: str) -> tuple[str, bool] | None:
    """The reward function whose mean reward a curve holds, and whether on held-out prompts; None for other curves."""
    found = PART_MEAN.fullmatch(name)
    return (found["part"], bool(found["held"])) if found and found["part"] not in OF_PAIRS else None


class NotEnoughPoints(ValueError):
    """A rule cannot be evaluated on this log; ``reason`` says why, as a code and numbers."""

    def __init__(self, code: str, **values: Value) -> None:
        self.reason = Message(code, values)
        super().__init__(code, values)


@dataclass(frozen=True, eq=False)
class Curve:
    """A logged quantity over steps.

    ``steps`` rise strictly and ``values`` are finite; ``broken`` holds the steps where nan or inf was logged.
    """

    steps: FloatArray
    values: FloatArray
    broken: tuple[float, ...] = ()

    @classmethod
    def from_points(cls, steps: ArrayLike, values: ArrayLike) -> Curve:
        """A curve of any points: sorted by step, the last value kept where a step comes twice.

        Points whose step is not finite are dropped. Raises ``ValueError`` when the lengths differ.
        """
        x = np.asarray(steps, dtype=np.float64).ravel()
        y = np.asarray(values, dtype=np.float64).ravel()
        if x.size != y.size:
            raise ValueError(f"a curve needs as many values as steps, got {y.size} values for {x.size} steps")
        known = np.isfinite(x)
        x, y = x[known], y[known]
        if x.size > 1 and not np.all(x[1:] > x[:-1]):
            order = np.argsort(x, kind="stable")
            x, y = x[order], y[order]
            last = np.append(x[1:] > x[:-1], True)
            x, y = x[last], y[last]
        good = np.isfinite(y)
        return cls(x[good], y[good], tuple(float(step) for step in x[~good]))

    def __len__(self) -> int:
        """The number of finite points."""
        return int(self.steps.size)

    def between(self, first: float, last: float) -> Curve:
        """The part of the curve with ``first <= step <= last``."""
        keep = (self.steps >= first) & (self.steps <= last)
        broken = tuple(step for step in self.broken if first <= step <= last)
        return Curve(self.steps[keep], self.values[keep], broken)

    def at(self, steps: ArrayLike) -> FloatArray:
        """Values at ``steps``, linear between the points and level outside them; nan when the curve is empty."""
        wanted = np.asarray(steps, dtype=np.float64)
        if not len(self):
            return np.full(wanted.shape, np.nan)
        return np.asarray(np.interp(wanted, self.steps, self.values), dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Run:
    """One training run as its log records it; ``notes`` say what the reader dropped, guessed or joined.

    ``discontinuities`` are the steps at which the run was resumed, or its batch or packing changed.
    """

    name: str
    curves: Mapping[str, Curve]
    settings: Settings = field(default_factory=Settings)
    notes: tuple[Message, ...] = ()
    discontinuities: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Take notes that are plain text too: whoever builds a run by hand has no codes for them."""
        object.__setattr__(self, "notes", tuple(map(as_message, self.notes)))

    @classmethod
    def from_points(
        cls,
        name: str,
        points: Mapping[str, Iterable[tuple[float, float]]],
        settings: Settings | None = None,
        notes: Iterable[Message | str] = (),
    ) -> Run:
        """A run of ``{tag: [(step, value), ...]}``; tags become canonical names, empty curves are left out."""
        curves = {}
        for tag, pairs in points.items():
            table = np.asarray(list(pairs), dtype=np.float64).reshape(-1, 2)
            if table.size:
                curves[canonical_name(tag)] = Curve.from_points(table[:, 0], table[:, 1])
        settings = settings or Settings()
        return cls(name, method_record(settings.method).named(curves), settings, tuple(map(as_message, notes)))

    def curve(self, name: str) -> Curve | None:
        """The curve of that name, or None when the log has no point of it.

        What has no canonical name is ``eval_x`` in a trainer's own log and ``eval/x`` in its event file.
        """
        return self.curves.get(name) or self.curves.get(name.replace("eval_", "eval/", 1))

    @property
    def last_step(self) -> float:
        """The highest step of any curve, 0 for a run without points."""
        ends = [c.steps[-1] for c in self.curves.values() if len(c)]
        ends += [c.broken[-1] for c in self.curves.values() if c.broken]
        return float(max(ends, default=0.0))
