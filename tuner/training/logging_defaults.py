"""What a run logs, evaluates and saves where the user's file is silent. The user's own keys always win."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Config = Mapping[str, Any]

LOG_SHARE = 1 / 80
"""A training point every 1/80 of the run: 50 to 80 points, enough for the detectors, at least one step apart."""

EVAL_SHARE = 1 / 14
"""An evaluation every 1/14 of the run: 10 to 14 of them, and one more at the last step."""


def with_logging_defaults(config: Config, metric: str = "eval_loss", direction: str = "minimize") -> dict[str, Any]:
    """The config with the missing keys that decide what is logged, evaluated and saved.

    ``metric`` (the trainer's name of it) and ``direction`` choose the best checkpoint. The run is evaluated before the
    first step, so that its descent can be measured, and saved at each evaluation, so that it can continue after a kill.
    """
    made: dict[str, Any] = {
        "logging_steps": LOG_SHARE,
        "logging_first_step": True,
        "logging_nan_inf_filter": False,  # the filter hides a diverged run behind the last good loss
        "eval_strategy": "steps",
        "disable_tqdm": True,
        "save_total_limit": 2,  # the best and the last; with 1 transformers deletes the last when it stops
        **config,
    }
    evaluates = made["eval_strategy"] != "no"
    made.setdefault("eval_on_start", evaluates)
    if made["eval_strategy"] == "steps":
        made.setdefault("eval_steps", EVAL_SHARE)
    if "save_strategy" not in config and "save_steps" not in config:
        made["save_strategy"] = made["eval_strategy"] if evaluates else "steps"
        made["save_steps"] = made.get("eval_steps") or EVAL_SHARE
    made.setdefault("load_best_model_at_end", evaluates and _saves_what_it_evaluates(made))
    if made["load_best_model_at_end"] and "metric_for_best_model" not in made:
        made["metric_for_best_model"] = metric
        made.setdefault("greater_is_better", direction == "maximize")
    if not _has_accelerator():
        made.setdefault("use_cpu", True)
    return made


def _saves_what_it_evaluates(made: Config) -> bool:
    """Whether each save falls on an evaluation, which loading the best checkpoint needs."""
    strategy = made.get("save_strategy", "steps")
    if strategy == "best":
        return True
    if strategy != made["eval_strategy"]:
        return False
    saves, evals = float(made.get("save_steps", 500)), float(made.get("eval_steps") or 0)
    return bool(strategy == "epoch" or saves == evals or (evals >= 1 and saves >= 1 and saves % evals == 0))


def _has_accelerator() -> bool:
    import torch

    return bool(torch.accelerator.is_available())
