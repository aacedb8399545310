"""The study file: a TRL config file plus ``method`` and ``study``, read and checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.config.answer_metrics import read_answer_metrics
from tuner.config.bounds import early_fault, limit_broken
from tuner.config.driven_file import is_driven, load_driven
from tuner.config.environment import check_environment, environment
from tuner.config.groups import check_groups
from tuner.config.judge import read_judge
from tuner.config.mapping_keys import mapping_of
from tuner.config.methods import SUCCESSORS, TRL_METHODS, TrlMethod
from tuner.config.options import check_accelerator_config, faults
from tuner.config.overrides import check_batch, setting_value
from tuner.config.peft_block import check_peft, check_peft_space, in_space
from tuner.config.rewards import check_rewards
from tuner.config.search_space import Choice, Range, shown
from tuner.config.secret_keys import is_secret
from tuner.config.sources import check_sources, located
from tuner.config.space_block import read_space
from tuner.config.study_block import (
    AS_MANY_AS_FIT,
    STUDY_KEYS,
    budget_of,
    check_comparable,
    direction_of,
    forgetting_of,
    metric_of,
    read_block,
)
from tuner.config.study_spec import StudyBlock, StudySpec
from tuner.config.trainers.recognized import foreign_file
from tuner.config.trl_schema import Key, Unfit, keys_of
from tuner.config.trust import TRUST, check_trust
from tuner.config.tunable import PSEUDO_KEYS
from tuner.config.yaml_file import read_yaml
from tuner.errors import SpecError, brief, brief_name, nearest

__all__ = [
    "AS_MANY_AS_FIT",
    "Choice",
    "Range",
    "SpecError",
    "StudyBlock",
    "StudySpec",
    "environment",
    "load_spec",
    "located",
]

FILE_KEYS: Mapping[str, Key] = {
    "columns": Key("columns", dict[str, str] | None, None),
    "peft": Key("peft", dict[str, Any] | None, None),
}
"""Keys of ours for the whole file, which no trial changes."""


def load_spec(path: str | Path, raw: Mapping[str, Any] | None = None, *, trust_remote_code: bool = False) -> StudySpec:
    """The study file at ``path``; raises ``SpecError`` with one line that names file and key.

    ``raw`` is what it holds where it was read before: a pipe can be read only once. ``trust_remote_code`` sets that
    key, and lets lines that can run code count in a run's own ``config.yaml``.

    What needs no library is checked first; then TRL is imported for its list of keys, which takes seconds.
    """
    path = Path(path)
    raw = read_yaml(path) if raw is None else dict(raw)
    if is_driven(raw):
        return load_driven(raw, path, trusted=trust_remote_code)
    other = foreign_file(raw) if "method" not in raw else None
    if other is not None:
        raise SpecError(f"{path}: {other}")
    if trust_remote_code:
        raw[TRUST] = True
    else:
        check_trust(raw, path)
    method = _method(raw.pop("method", None), path)
    block = read_block(raw.pop("study", None), path)
    check_environment(raw, path)
    check_sources(raw, path)
    _check_required(raw, method, path)
    _check_early(raw, method, path)
    config = _config(raw, method, path)
    check_rewards(config, path)
    config = check_peft(config, path)
    study = _study(block, config, method, path)
    spec = StudySpec(path, path.stem, method.name, config, study)
    _check_together(spec)
    return spec


def _method(name: Any, path: Path) -> TrlMethod:
    listed = ", ".join(TRL_METHODS)
    if name is None:
        raise SpecError(f"{path}: method is missing; add a line such as `method: sft` (one of {listed})")
    if isinstance(name, str) and name.lower() in SUCCESSORS:
        raise SpecError(f"{path}: method {name}: {SUCCESSORS[name.lower()]}")
    if not isinstance(name, str) or name not in TRL_METHODS:
        raise SpecError(
            f"{path}: unknown method {brief(name)}, must be one of {listed}{nearest(str(name), TRL_METHODS)}"
        )
    return TRL_METHODS[name]


def _check_required(raw: Mapping[str, Any], method: TrlMethod, path: Path) -> None:
    for one in method.required:
        if not any(raw.get(key) for key in one.keys):
            raise SpecError(f"{path}: {' or '.join(one.keys)} is missing; method {method.name} needs {one.holds}")


def _check_early(raw: Mapping[str, Any], method: TrlMethod, path: Path) -> None:
    """Raise ``SpecError`` for a number or an option that cannot be, before a library is imported."""
    for name, value in raw.items():
        fault = early_fault(name, value)
        if fault:
            raise SpecError(f"{path}: {name}: {fault}")
    for name, fault in faults(raw, method):
        raise SpecError(f"{path}: {name}: {fault}")


def _config(raw: Mapping[str, Any], method: TrlMethod, path: Path) -> dict[str, Any]:
    """The user's keys, each as its type; raises ``SpecError`` for a key that neither TRL nor the block knows."""
    keys = {**keys_of(method.name), **PSEUDO_KEYS, **FILE_KEYS}
    config = {}
    for name, value in raw.items():
        if name == "env":
            config[name] = value
            continue
        if name not in keys:
            raise SpecError(f"{path}: unknown key {brief_name(name)}{_elsewhere(name, method, keys)}")
        try:
            config[name] = keys[name].coerced(value)
            if name == "accelerator_config" and value not in (None, ""):
                config[name] = check_accelerator_config(mapping_of(name, config[name]))
        except Unfit as error:
            raise SpecError(f"{path}: {name}: {'must be a text' if is_secret(name) else error}") from None
        broken = limit_broken(name, config[name])
        if broken:
            raise SpecError(f"{path}: {name}: must be {broken}, not {shown(config[name])}")
    return config


def _elsewhere(name: str, method: TrlMethod, keys: Mapping[str, Any]) -> str:
    if name in STUDY_KEYS:
        return f"; did you mean study.{name}?"
    others = [other for other in TRL_METHODS if other != method.name and name in keys_of(other)]
    if others:
        return f" for method {method.name}; it is a key of method {others[0]}"
    return nearest(name, [*keys, "method", "study", "env"])


def _study(block: Mapping[str, Any], config: Mapping[str, Any], method: TrlMethod, path: Path) -> StudyBlock:
    rows = block.get("exact_match_rows", 0)
    judge = read_judge(block.get("judge"), f"{path}: study.judge")
    of_answers = read_answer_metrics(block, rows, judge is not None, path)
    metric = metric_of(block.get("metric", method.method.metric), method, of_answers, path)
    keys = {**keys_of(method.name), **in_space(config, block.get("space", {}), path)}
    space = read_space(block.get("space", {}), keys, f"{path}: study.space")
    check_peft_space(config, space, path)
    check_comparable(metric, space, method, path)
    direction = direction_of(block, metric, method.method, path)
    of_rows = {"exact_match_rows": rows, "answer_metrics": of_answers, "judge": judge}
    rest = {**of_rows, **budget_of(block), **forgetting_of(block, config, method, path)}
    return StudyBlock(metric=metric, direction=direction, space=space, **rest)


def _check_together(spec: StudySpec) -> None:
    """Check what only the whole file shows: batch sizes that disagree, trial 0 outside the space, no evaluation."""
    check_batch(spec.config, spec.path)
    check_groups(spec.config, spec.method, spec.study.space, spec.path)
    config, study = spec.config, spec.study
    for name, span in study.space.items():
        at = f"{spec.path}: study.space.{name}"
        value = setting_value(config, spec.method, name)
        if name == "num_train_epochs" and (config.get("max_steps") or 0) > 0:
            raise SpecError(f"{at}: max_steps in the file sets the length; tune max_steps, or remove it")
        if value is None and name == "warmup_ratio":
            raise SpecError(f"{at}: warmup_steps in the file is a number of steps; write warmup_ratio instead")
        if not span.holds(value):
            raise SpecError(f"{at}: the file's own {name} {shown(value)} is outside {span}; trial 0 is the file")
    if study.space and study.metric.startswith("eval_") and config.get("eval_strategy") == "no":
        raise SpecError(f"{spec.path}: eval_strategy: no would leave study.metric {study.metric} without a value")
