"""What each limit of a rule means, read from where the rule's check documents it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import Any, get_type_hints

from diagnostics.formatting import sentence
from diagnostics.rules import RULES
from tuner.inspector.runs.reward_limit_words import HOMES, OF_REWARDS

COMMON = {
    "min_points": "The least number of logged points for the rule to be evaluated",
    "min_evals": "The least number of evaluations for the rule to be evaluated",
    "min_share_done": "The share of the planned steps that must be done for the rule to be evaluated",
    "first_eval_by": "The share of the run by which the first evaluation must come",
    "sigma": "How many times its noise a change must exceed",
    "standard_errors": "How many standard errors a change must exceed",
    "deviations": "How many deviations of its noise a point must stand out by",
    "p": "The highest chance with which noise alone makes such a trend",
    "rise": "The least rise that counts",
    "lone_rise": "The least rise of a single log that counts",
    "fall": "The least fall that counts, as a share of the level",
    "train_fall": "What the training loss must have lost of its level",
    "drop": "The least drop that counts",
    "growth": "The least growth that counts",
    "gap": "The least gap that counts",
    "margin": "The margin from which on the pairs count as told apart",
    "accuracy": "The accuracy that the limit is drawn at",
    "loss": "The loss that the limit is drawn at",
    "reward": "The size of an implicit reward that counts as far from the reference",
    "ratio": "The ratio that the limit is drawn at",
    "min_ratio": "The lowest ratio that is as expected",
    "max_ratio": "The highest ratio that is as expected",
    "over_chance": "How many times the loss of an even guess counts as too high",
    "tolerance": "How far from an exact match still counts as one",
    "early_share": "The share of the run that counts as its beginning",
    "late_share": "The share of the descent that must come late for the loss to be still falling",
    "last_share": "The share of the run that counts as its end",
    "min_epochs": "The least number of epochs for the rule to be evaluated",
    "epochs": "The number of epochs from which on the rule applies",
    "batch": "The batch size that the limit is drawn at",
    "min_batch": "The smallest batch that the rule applies to",
    "max_batch": "The largest batch that the rule applies to",
    "min_updates": "The number of optimizer steps below which there are few",
    "tokens": "The number of tokens below which there are few",
    "rank": "The highest rank that counts as low",
    "tokens_per_parameter": "The tokens for each trained parameter above which there are too many",
    "share_of_cap": "The share of the highest usual learning rate that the rate must reach",
    "share_of_wanted": "The share of the rate wanted for the batch below which the rate is low",
    "dropout": "The dropout from which on it counts as strong",
    "shrink": "How much the weight decay must shrink the weights over the run",
    "min_rate_ratio": "How many times its usual value the learning rate must be at least",
    "max_rate_ratio": "How many times its usual value the learning rate may be at most",
    "min_rate_share": "The share of its peak that the learning rate must still have",
    "change": "The largest change that counts as flat",
    "floor": "The noise that is assumed at least, as a share of the level",
    "events": "How many such points there must be",
    "height": "How high a point must stand out, as a share of the level",
    "score": "The least share of the points that must stand out",
    "times": "How many times as large it must have become",
    "factor": "How many times as large or small it must have become",
    "quantile": "The quantile of the norms that is compared with the limit",
    "swing": "The least swing that counts, as a share of the level",
    "flips": "The share of the points at which the curve must turn around",
    "min_jitter": "The least jitter that counts",
    "alike": "The share of the runs that look like this one that must have missed much at such a rate",
    "alike_at_usual": "The same share where the rate is a usual one, or none is known to be usual",
    "of_descent": "The least size that counts, as a share of the descent",
    "train": "The accuracy on the training pairs from which on they count as learned",
    "held_out": "The accuracy on the held-out pairs below which they count as swapped",
}
"""Limits whose meaning no check documents in more detail, by their names."""
OF_RULES = {
    ("dpo-start-loss-wrong", "margin_factor"): "How far the first margin may be from what the loss says it is",
    ("epoch-end-log-low", "max_ratio"): "The share of its neighbors below which the last log of an epoch is low",
    ("loss-jumps", "packing_factor"): "By how much the tokens of a step must change for the batches to be the cause",
    ("loss-jumps", "packing_sigma"): "How many times their scatter the tokens of a step must change",
    ("loss-jumps", "packing_points"): "The least number of logs on either side of such a change",
    ("train-and-eval-jitter", "train_jitter"): "The least jitter of the training loss that counts",
    ("train-and-eval-jitter", "eval_jitter"): "The least jitter of the held-out loss that counts",
    ("train-and-eval-jitter", "elasticity"): "How closely the jitter must follow the learning rate",
    (
        "train-and-eval-jitter",
        "of_descent",
    ): "The least jitter, as a share of the descent, where no learning rate is logged",
    ("train-and-eval-jitter", "driven_of_descent"): "The least jitter, as a share of the descent, where it is logged",
    ("loss-zigzags", "lag"): "How strongly neighbors must lie on opposite sides of the trend",
    ("clips-most-steps", "share"): "The share of the steps that must be clipped",
    ("gap-grows", "max_start_gap"): "The gap from which on the losses differ from the start",
    ("overconfident", "ratio_fall"): "The share of its highest value that the ratio must have lost",
    ("jitter-grows", "fall"): "The largest fall of the loss beside which growing jitter counts",
    ("jitter-grows", "over_chance"): "How many times what chance does the jitter must grow",
    ("gradient-dies", "died"): "The share of its highest norm in the first half to which the gradient must have sunk",
    ("gradient-dies", "beside_loss"): "The same share, over the share of the loss that is left",
    ("gradient-dies", "climb"): "The least jump of the loss above its lowest so far, as a share of its start",
    ("gradient-dies", "pairs_left"): "The share of a loss that compares answers below which most pairs are told apart",
    ("no-better-than-untrained", "gain"): "The least share of the first held-out loss that the end must lie below it",
    ("no-better-than-untrained", "best_gain"): "The same for the best evaluation",
    (
        "no-better-than-untrained",
        "start_by",
    ): "The share of the run by which the first evaluation must come, if not before training",
    ("fall-not-shown", "shown"): "The nats by which a fall must explain the losses better than a level line",
    ("fall-not-shown", "eval_fall"): "The fall of few held-out losses from which on something was learned",
    ("loss-never-moves", "max_grain"): "The step to which the log is rounded, as a share of the loss, at most",
}
"""The same of limits whose names mean something else in other rules."""
SENTENCE = re.compile(r"(?<=\.)\s+")


@cache
def meaning(rule: str, limit: str) -> str:
    """What a limit bounds, as a sentence; empty where nothing says so.

    It is the documentation of the field that holds the limit, else the sentence about it in that of the check.
    """
    check = next((one.check for one in RULES if one.name == rule), None)
    if check is None:
        return ""
    words = (
        _documented(check).get(limit)
        or OF_RULES.get((rule, limit))
        or (OF_REWARDS.get(limit) if check.__module__.startswith(HOMES) else None)
        or _mentioned(check, limit)
        or COMMON.get(limit, "")
    )
    return sentence(words.replace("``", "")) if words else ""


def _mentioned(check: Any, limit: str) -> str:
    """The sentence of a check's documentation that names the limit."""
    sentences = SENTENCE.split(" ".join((inspect.getdoc(check) or "").split()))
    return next((one.rstrip(".") for one in sentences if f"``{limit}``" in one), "")


def _documented(check: Any) -> dict[str, str]:
    """The documentation of the fields of every record that the check takes."""
    found: dict[str, str] = {}
    for kind in get_type_hints(check).values():
        for base in reversed(getattr(kind, "__mro__", ())):
            if base.__module__.startswith("diagnostics."):
                found |= dict(_fields(base))
    return found


def _fields(kind: type) -> Iterator[tuple[str, str]]:
    """Each field of a class with the string below it."""
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    except (OSError, TypeError, SyntaxError):  # installed without its sources
        return
    statements = body.body if isinstance(body, ast.ClassDef) else []
    for field, below in pairwise(statements):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            yield field.target.id, " ".join(str(below.value.value).split())
