"""From the review of a study to the file of the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import yaml

from tuner.config.next_run import FILL_IN
from tuner.config.overrides import is_derivable, setting_value
from tuner.config.search_space import Choice, span_from_dict
from tuner.config.secret_keys import without_secrets
from tuner.config.trust import without_code
from tuner.inspector.escape import one_line
from tuner.inspector.study.axes import searched
from tuner.study.results import Paragraph, StudyResult
from tuner.study.words import title_words


def offered(study: StudyResult) -> list[Paragraph]:
    """The paragraphs of the review that come with lines for the study file."""
    return [paragraph for paragraph in study.review if paragraph.patch]


def next_study(study: StudyResult, file: Mapping[str, Any] | None, changes: Sequence[Paragraph]) -> str:
    """A study file that searches again with the changes of these paragraphs; ``file`` is the config of trial 0.

    The study's own file may lie outside of the opened folder, where nothing is read: its keys are those of trial 0,
    its space that of ``study.json``.
    """
    made: dict[str, Any] = dict(file) if file else _gaps(study)
    made["study"] = _block(study)
    for paragraph in changes:
        made = merged(made, paragraph.patch)
    space = made["study"]["space"]
    made["study"]["space"] = {name: _with_own_value(span, made, study, name) for name, span in space.items()}
    made = without_secrets(without_code(made))  # the lines of the review are those of a file, too
    head = [f"# the next study after {one_line(study.name)}"] + [f"# {one_line(title_words(one))}" for one in changes]
    if FILL_IN in made.values():
        head.append(f"# replace {FILL_IN}: the study does not contain these values")
    return "\n".join(head) + "\n" + yaml.safe_dump(made, sort_keys=False, allow_unicode=True)


def _gaps(study: StudyResult) -> dict[str, Any]:
    return {"method": study.method, "model_name_or_path": FILL_IN, "dataset_name": FILL_IN}


def _block(study: StudyResult) -> dict[str, Any]:
    block: dict[str, Any] = {
        "trials": max(1, len(study.trials)),
        "metric": study.metric,
        "direction": str(study.direction),
    }
    if study.gain is not None and study.gain.pairs:
        block["seeds"] = len(study.gain.pairs)
    if any(name.endswith("exact_match") for name in (study.metric, *study.before, *study.after)):
        block["exact_match_rows"] = 32
    block["space"] = {name: span.block() for name in study.space if (span := searched(study, name)) is not None}
    return block


def _with_own_value(block: Any, config: Mapping[str, Any], study: StudyResult, name: str) -> Any:
    """A range or list of the file, wide enough for the file's own value, which a study tries first."""
    own = setting_value(config, study.method, name) if is_derivable(config, name) else None
    try:
        span = Choice(tuple(block)) if isinstance(block, list) else span_from_dict(block)
    except (AttributeError, ValueError):
        return block  # the study file's own check says what is wrong with it
    return block if own is None else span.including(own).block()


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
