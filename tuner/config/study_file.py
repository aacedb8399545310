"""The study file: a TRL config file plus ``method`` and ``study``, read and checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diagnostics.model.methods import TrainingMethod
from tuner.config.answer_metrics import EXACT_MATCH, AnswerMetric, answer_metric, read_answer_metrics
from tuner.config.bounds import STUDY_BOUNDS, early_fault, limit_broken
from tuner.config.environment import check_environment, environment
from tuner.config.foreign import foreign_file
from tuner.config.groups import check_groups
from tuner.config.judge import JudgeBlock, read_judge
from tuner.config.methods import SUCCESSORS, TRL_METHODS, TrlMethod
from tuner.config.options import check_accelerator_config, faults
from tuner.config.overrides import check_batch, setting_value
from tuner.config.peft_block import check_peft
from tuner.config.rewards import check_rewards
from tuner.config.search_space import Choice, Range, Space, Span, is_number, shown
from tuner.config.secret_keys import is_secret
from tuner.config.sources import check_sources, located
from tuner.config.space_block import check_shape, read_space
from tuner.config.trl_schema import Key, Unfit, as_type, keys_of
from tuner.config.trust import TRUST, check_trust
from tuner.config.tunable import PSEUDO_KEYS
from tuner.config.yaml_file import read_yaml
from tuner.errors import SpecError, brief, brief_name, nearest

__all__ = ["Choice", "Range", "SpecError", "StudyBlock", "StudySpec", "environment", "load_spec", "located"]

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
}
FILE_KEYS: Mapping[str, Key] = {
    "columns": Key("columns", dict[str, str] | None, None),
    "peft": Key("peft", dict[str, Any] | None, None),
}
"""Keys of ours for the whole file, which no trial changes."""
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


@dataclass(frozen=True)
class StudyBlock:
    """What a study does: how many trials, which metric, over which space.

    ``metric`` is a canonical curve name; ``seeds`` the repeats of the winner and of trial 0; ``exact_match_rows``
    the held-out rows whose generated answers are compared, 0 for none; ``answer_metrics`` is what else is measured
    of those answers, the study's own metric among it, and ``judge`` compares them with those before the run.
    ``minutes`` and ``steps`` are budgets of the whole study, repeats included; one step is one optimizer step of
    trial 0, so as many samples as its batch. ``stop_early`` ends the search when no gain beyond noise is likely.
    ``workers`` are the processes of this machine that share the trials. ``trials_given`` says whether the file
    names a number of trials.
    """

    trials: int = 12
    metric: str = TrainingMethod.metric
    direction: str = TrainingMethod.direction
    space: Space = field(default_factory=dict)
    seeds: int = 3
    minutes: float | None = None
    steps: int | None = None
    stop_early: bool = True
    exact_match_rows: int = 0
    answer_metrics: tuple[AnswerMetric, ...] = ()
    judge: JudgeBlock | None = None
    workers: int = 1
    trials_given: bool = False

    @property
    def bounds(self) -> dict[str, tuple[float, float]]:
        """The user's own range of each numeric setting, lowest and highest."""
        ends = {name: _ends(span) for name, span in self.space.items()}
        return {name: pair for name, pair in ends.items() if pair is not None}


def _ends(span: Span) -> tuple[float, float] | None:
    if isinstance(span, Range):
        return (span.low, span.high)
    numbers = [value for value in span.values if is_number(value)]
    return (min(numbers), max(numbers)) if len(numbers) == len(span.values) else None


@dataclass(frozen=True)
class StudySpec:
    """A checked study file: ``config`` holds the user's own TRL keys, numbers as numbers."""

    path: Path
    name: str
    method: str
    config: Mapping[str, Any]
    study: StudyBlock


def load_spec(path: str | Path, *, trust_remote_code: bool = False) -> StudySpec:
    """The study file at ``path``; raises ``SpecError`` with one line that names file and key.

    ``trust_remote_code`` sets that key, and lets lines that can run code count in a run's own ``config.yaml``.

    What needs no library is checked first; then TRL is imported for its list of keys, which takes seconds.
    """
    path = Path(path)
    raw = read_yaml(path)
    other = foreign_file(raw) if "method" not in raw else None
    if other is not None:
        raise SpecError(f"{path}: {other}")
    if trust_remote_code:
        raw[TRUST] = True
    else:
        check_trust(raw, path)
    method = _method(raw.pop("method", None), path)
    block = _block(raw.pop("study", None), path)
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


def _block(raw: Any, path: Path) -> dict[str, Any]:
    """The study block with plain types checked; of the space only the shape."""
    if raw is None:
        return {}
    if not isinstance(raw, Mapping):
        raise SpecError(f"{path}: study: must be a mapping with trials, metric and space, not {brief(raw)}")
    block = {}
    for key, value in raw.items():
        if key not in STUDY_KEYS:
            hint = nearest(f"study.{key}", [f"study.{known}" for known in STUDY_KEYS])
            raise SpecError(f"{path}: unknown key study.{brief_name(key)}{hint}")
        try:
            block[key] = value if key == "space" else as_type(value, STUDY_KEYS[key])
        except Unfit as error:
            raise SpecError(f"{path}: study.{key}: {error}") from None
        broken = limit_broken(key, block[key], STUDY_BOUNDS)
        if broken:
            raise SpecError(f"{path}: study.{key}: must be {broken}, not {shown(block[key])}")
    if "space" in block:
        check_shape(block["space"], f"{path}: study.space")
    return block


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
            if name == "accelerator_config" and isinstance(config[name], dict):
                check_accelerator_config(config[name])
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
    metric = _metric(block.get("metric", method.method.metric), method, of_answers, path)
    space = read_space(block.get("space", {}), keys_of(method.name), f"{path}: study.space")
    _check_comparable(metric, space, method, path)
    direction = block.get("direction", _direction(metric, method.method))
    if direction not in ("minimize", "maximize"):
        hint = nearest(direction, ("minimize", "maximize"))
        raise SpecError(f"{path}: study.direction: must be minimize or maximize, not {brief(direction)}{hint}")
    rest = {key: block[key] for key in ("trials", "seeds", "minutes", "steps", "stop_early", "workers") if key in block}
    if "trials" not in block and (block.get("minutes") or block.get("steps")):
        rest["trials"] = AS_MANY_AS_FIT
    rest["trials_given"] = "trials" in block
    of_rows = {"exact_match_rows": rows, "answer_metrics": of_answers, "judge": judge}
    return StudyBlock(metric=metric, direction=direction, space=space, **of_rows, **rest)


def _metric(name: str, method: TrlMethod, of_answers: Sequence[AnswerMetric], path: Path) -> str:
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


def _direction(metric: str, method: TrainingMethod) -> str:
    if metric == method.metric:
        return method.direction
    return "minimize" if metric.removeprefix("eval_").endswith(SMALLER_IS_BETTER) else "maximize"


def _check_comparable(metric: str, space: Space, method: TrlMethod, path: Path) -> None:
    plain = "loss" if metric == "train_loss" else metric.removeprefix("eval_")
    for name in method.metric_depends_on.get(plain, ()):
        if name in space:
            raise SpecError(
                f"{path}: study.metric: {metric} cannot be compared between trials with different {name}; "
                f"use metric: {method.comparable_metric}, or remove {name} from study.space"
            )


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
