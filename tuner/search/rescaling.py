"""Settings that change what a metric means: no search by that metric can tell which of their values is better."""

from __future__ import annotations

from collections.abc import Iterable

from diagnostics.model.methods import method_record
from tuner.search.distributions import Distributions

SHAPES_OF_THE_LOSS = frozenset(
    {"loss_type", "label_smoothing", "label_smoothing_factor", "loss_weights", "simpo_gamma", "cpo_alpha"}
    | {"desirable_weight", "undesirable_weight", "ld_alpha", "discopop_tau", "center_rewards_coefficient"}
)
"""They rescale any loss that they are a part of."""
BETA = "beta"
"""In a comparison of answers it multiplies what is compared: the loss and the margins of another beta mean another
thing."""
BETA_METHODS = ("orpo",)
"""Methods whose loss is a likelihood and a comparison."""


def rescaled_by(knobs: Iterable[str], method: str | None, metric: str | None) -> tuple[str, ...]:
    """The settings of ``knobs`` that rescale the metric (a canonical name); none where it or the method is unknown."""
    if method is None or metric is None:
        return ()
    compares = method_record(method).loss_compares_answers or method in BETA_METHODS
    is_loss = metric in ("eval_loss", "train_loss") and method_record(method).loss_is_objective
    is_margin = metric.endswith("rewards_margins")
    found = SHAPES_OF_THE_LOSS if is_loss else frozenset()
    found |= {BETA} if compares and (is_loss or is_margin) else frozenset()
    return tuple(knob for knob in knobs if knob in found)


def searched_space(space: Distributions, method: str | None, metric: str | None) -> Distributions:
    """The space without the settings that rescale the metric: those stay at trial 0's values."""
    fixed = rescaled_by(space, method, metric)
    return {knob: span for knob, span in space.items() if knob not in fixed}
