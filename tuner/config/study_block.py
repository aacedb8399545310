"""The ``study`` block of a file: its keys with plain types checked, and the metric that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from diagnostics.model.methods import TrainingMethod
from tuner.config.answer_metrics import EXACT_MATCH, AnswerMetric, answer_metric
from tuner.config.bounds import STUDY_BOUNDS, limit_broken
from tuner.config.general_text import general_text
from tuner.config.methods import TrlMethod
from tuner.config.search_space import Space, shown
from tuner.config.space_block import check_shape
from tuner.config.trl_schema import Unfit, as_type
from tuner.errors import SpecError, brief, brief_name, nearest

STUDY_KEYS: Mapping[str, Any] = {
    "trials": int,
    "metric": str,
    "direction": str,
    "space": dict,
    "seeds": int,
    "minutes": float | None,
    "steps": int | None,
    "stop_early": bool,
    "exact_match_rows": int,
    "answer_metrics": list[str],
    "judge": dict,
    "workers": int,
    "gpus": list[str],
    "gpus_per_trial": int,
    "slots_per_gpu": int,
    "prior": float | str,
    "watch_forgetting": bool | str | None,
    "forgetting_limit": float | None,
}
AS_MANY_AS_FIT = 1000
"""The number of trials of a file that gives minutes or steps instead."""
SMALLER_IS_BETTER = (
    "loss",
    "perplexity",
    "entropy",
    "logps_rejected",
    "rewards_rejected",
    "kl",
    "zero_std",
    "clipped_ratio",
)


def read_block(raw: Any, path: Path, keys: Mapping[str, Any] = STUDY_KEYS) -> dict[str, Any]:
    """The study block with plain types checked; of the space only the shape."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise SpecError(f"{path}: study: must be a mapping with trials, metric and space, not {brief(raw)}")
    block = {}
    for key, value in raw.items():
        if key not in keys:
            hint = nearest(f"study.{key}", [f"study.{known}" for known in keys])
            raise SpecError(f"{path}: unknown key study.{brief_name(key)}{hint}")
        try:
            block[key] = value if key == "space" else as_type(value, keys[key])
        except Unfit as error:
            raise SpecError(f"{path}: study.{key}: {error}") from None
        broken = limit_broken(key, block[key], STUDY_BOUNDS)
        if broken:
            raise SpecError(f"{path}: study.{key}: must be {broken}, not {shown(block[key])}")
    if "space" in block:
        check_shape(block["space"], f"{path}: study.space")
    return block


def metric_of(name: str, method: TrlMethod, of_answers: Sequence[AnswerMetric], path: Path) -> str:
    """The canonical name of a metric that this method logs; raises ``SpecError`` when it logs no such thing."""
    from diagnostics.model.curves import canonical_name

    found = answer_metric(name)
    if found is not None and found.curve in {one.curve for one in of_answers}:
        if found.name == EXACT_MATCH and not method.logs(EXACT_MATCH):
            raise SpecError(f"{path}: study.metric: method {method.name} writes no answers")
        return found.curve
    metric = canonical_name(name)
    plain = metric.removeprefix("eval_")
    plain = "loss" if metric == "train_loss" else plain
    if not method.logs(plain):
        known = [f"eval_{one}" for one in method.metrics]
        hint = nearest(name, known) or f"; it logs {', '.join(known)}"
        raise SpecError(f"{path}: study.metric: method {method.name} logs no {brief_name(name)}{hint}")
    return metric


def default_direction(metric: str, method: TrainingMethod) -> str:
    """The direction of a metric by its name."""
    if metric == method.metric:
        return method.direction
    return "minimize" if metric.removeprefix("eval_").endswith(SMALLER_IS_BETTER) else "maximize"


def check_comparable(metric: str, space: Space, method: TrlMethod, path: Path) -> None:
    """Raise ``SpecError`` for a metric whose meaning a setting of the space changes."""
    plain = "loss" if metric == "train_loss" else metric.removeprefix("eval_")
    for name in method.metric_depends_on.get(plain, ()):
        if name in space:
            raise SpecError(
                f"{path}: study.metric: {metric} cannot be compared between trials with different {name}; "
                f"use metric: {method.comparable_metric}, or remove {name} from study.space"
            )


def budget_of(block: Mapping[str, Any]) -> dict[str, Any]:
    """The budgets of a block and who shares them; without a number of trials, as many as fit into the others."""
    names = ("trials", "seeds", "minutes", "steps", "stop_early", "workers", "gpus_per_trial", "slots_per_gpu", "prior")
    rest = {key: block[key] for key in names if key in block}
    if "gpus" in block:
        rest["gpus"] = tuple(block["gpus"])
    if "trials" not in block and (block.get("minutes") or block.get("steps")):
        rest["trials"] = AS_MANY_AS_FIT
    return {**rest, "trials_given": "trials" in block}


def forgetting_of(block: Mapping[str, Any], config: Mapping[str, Any], method: TrlMethod, path: Path) -> dict[str, Any]:
    """The general text to watch, and by how much its loss may rise."""
    file, limit = general_text(block.get("watch_forgetting"), config, method, path), block.get("forgetting_limit")
    if limit is not None and file is None:
        raise SpecError(f"{path}: study.forgetting_limit: needs study.watch_forgetting: true, or a file of text")
    return {"general_text": file, "forgetting_limit": limit}


def direction_of(block: Mapping[str, Any], metric: str, method: TrainingMethod, path: Path) -> str:
    """Which way the metric is meant to go: as the block says, else as its name does."""
    direction = str(block.get("direction", default_direction(metric, method)))
    if direction not in ("minimize", "maximize"):
        hint = nearest(direction, ("minimize", "maximize"))
        raise SpecError(f"{path}: study.direction: must be minimize or maximize, not {brief(direction)}{hint}")
    return direction
