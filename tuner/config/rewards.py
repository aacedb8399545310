"""The reward functions that a study file names, checked before a model is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.config.own_code import absolute, check_function, is_reference
from tuner.config.trust import TRL_REWARDS
from tuner.errors import SpecError, brief_name, nearest


def check_rewards(config: Mapping[str, Any], path: Path) -> None:
    """Raise ``SpecError`` for a reward function that is not there, or weights of another number."""
    names = config.get("reward_funcs") or []
    for name in names:
        if name in TRL_REWARDS:
            continue
        if not is_reference(name):
            hint = nearest(name, TRL_REWARDS) or f"; TRL has {', '.join(TRL_REWARDS)}"
            raise SpecError(
                f"{path}: reward_funcs: {brief_name(name)}: write a function of yours as my_rewards.py:{name}{hint}"
            )
        check_function(name, path.parent, f"{path}: reward_funcs")
    weights, count = config.get("reward_weights"), len(names) + bool(config.get("reward_model_name_or_path"))
    if weights is not None and len(weights) != count:
        raise SpecError(f"{path}: reward_weights: {len(weights)} weights for {count} rewards; give one for each")


def with_whole_paths(config: Mapping[str, Any], start: Path) -> dict[str, Any]:
    """The config with whole paths to the files of its reward functions."""
    names = config.get("reward_funcs")
    return {**config, "reward_funcs": [absolute(name, start) for name in names]} if names else dict(config)
