"""From the review of a study to the file of the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import yaml

from tuner.inspector.escape import one_line
from tuner.inspector.jobs.next_run import FILL_IN
from tuner.inspector.study.axes import knobs
from tuner.study.results import Paragraph, StudyResult


def offered(study: StudyResult) -> list[Paragraph]:
    """The paragraphs of the review that come with lines for the study file."""
    return [paragraph for paragraph in study.review if _lines(paragraph)]


def next_study(study: StudyResult, file: Mapping[str, Any] | None, changes: Sequence[Paragraph]) -> str:
    """A study file that asks again with the changes of these paragraphs; ``file`` is the config of trial 0.

    The study's own file may lie outside of the opened folder, where nothing is read: its keys are those of trial 0,
    its space that of ``study.json``.
    """
    made: dict[str, Any] = dict(file) if file else _gaps(study)
    made["study"] = _block(study)
    for paragraph in changes:
        made = merged(made, _lines(paragraph))
    made["study"]["space"] = {knob: _holding(span, _own(made, knob)) for knob, span in made["study"]["space"].items()}
    head = [f"# the next study after {one_line(study.name)}"] + [f"# {one_line(one.title)}" for one in changes]
    if FILL_IN in made.values():
        head.append(f"# what stands at {FILL_IN} is not known here; write it before the first run")
    return "\n".join(head) + "\n" + yaml.safe_dump(made, sort_keys=False, allow_unicode=True)


def _gaps(study: StudyResult) -> dict[str, Any]:
    return {"method": study.method, "model_name_or_path": FILL_IN, "dataset_name": FILL_IN}


def _block(study: StudyResult) -> dict[str, Any]:
    block: dict[str, Any] = {"trials": max(1, len(study.trials)), "metric": study.metric, "direction": study.direction}
    if study.gain is not None and study.gain.pairs:
        block["seeds"] = len(study.gain.pairs)
    if any(name.endswith("exact_match") for name in (study.metric, *study.before, *study.after)):
        block["exact_match_rows"] = 32
    block["space"] = {knob.name: knob.block() for knob in knobs(study) if knob.name in study.space}
    return block


def _own(config: Mapping[str, Any], knob: str) -> Any:
    """What the file sets a knob to, None where it is silent: trial 0 will be exactly this."""
    if knob == "batch_size" and knob not in config:
        device = config.get("per_device_train_batch_size")
        return device * (config.get("gradient_accumulation_steps") or 1) if isinstance(device, int) else None
    if knob == "warmup_ratio" and knob not in config:
        steps = config.get("warmup_steps")
        return steps if isinstance(steps, (int, float)) and steps < 1 else None
    return config.get(knob)


def _holding(span: Any, value: Any) -> Any:
    """The range or choice, wide enough for the file's own value, which a study must be able to try first."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return span
    if isinstance(span, list) and value not in span and all(isinstance(one, (int, float)) for one in span):
        return sorted([*span, value])
    if isinstance(span, Mapping) and {"low", "high"} <= set(span):
        return {**span, "low": min(span["low"], value), "high": max(span["high"], value)}
    return span


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """``one`` with the values of ``other``: blocks are merged, a range or a list is replaced whole."""
    made = deepcopy(dict(one))
    for key, value in other.items():
        old = made.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping) and not {"low", "high"} & set(value):
            made[key] = merged(old, value)
        else:
            made[key] = deepcopy(value)
    return made


def _lines(paragraph: Paragraph) -> dict[str, Any]:
    """The paragraph's lines as a mapping; empty where it has none that can be read."""
    try:
        lines = yaml.safe_load(paragraph.yaml or "")
    except yaml.YAMLError:
        return {}
    return lines if isinstance(lines, dict) else {}
