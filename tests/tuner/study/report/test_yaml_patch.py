"""The lines that the review gives can be pasted into the study file: the file is read with them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from diagnostics.model.message import message
from tuner.config.search_space import Choice, Range
from tuner.config.study_file import load_spec
from tuner.search.distributions import distributions
from tuner.study.failure import Failure, FailureKind
from tuner.study.fit_memory import MemoryLimit
from tuner.study.patch_lines import patch_lines, patch_of, plain
from tuner.study.report.review import review
from tuner.study.report.yaml_patch import patch, widen
from tuner.study.results import Gain, Pair, TrialResult, TrialState
from tuner.training.device_batch import DeviceBatch

FALLING = tuple((float(step), 1.0 + 0.5 * (1 - step / 400)) for step in range(0, 401, 40))
EARLY = tuple((float(step), 1.0 + abs(step - 80) / 1000) for step in range(0, 401, 40))
STUDY: dict[str, Any] = {
    "trials": 12,
    "space": {
        "learning_rate": {"low": 1e-6, "high": 1e-2, "log": True},
        "batch_size": [8, 16, 32],
        "warmup_ratio": {"low": 0.0, "high": 0.2},
        "lora_dropout": {"low": 0.0, "high": 0.1},
        "num_train_epochs": {"low": 1.0, "high": 2.0},
    },
}
FILES: dict[str, dict[str, Any]] = {
    "device and accumulation": {"per_device_train_batch_size": 8, "gradient_accumulation_steps": 2},
    "the device's alone": {"per_device_train_batch_size": 16},
    "the effective one": {"batch_size": 16},
    "both": {"batch_size": 16, "per_device_train_batch_size": 4, "gradient_accumulation_steps": 4},
    "steps": {"per_device_train_batch_size": 16, "max_steps": 200},
}


def file(folder: Path, **keys: Any) -> dict[str, Any]:
    (folder / "rows.jsonl").write_text('{"prompt": "a", "completion": "b"}\n')
    study = {**STUDY, "space": dict(STUDY["space"])}
    if keys.get("max_steps"):
        study["space"].pop("num_train_epochs")
    base = {"method": "sft", "model_name_or_path": "tuner/tiny", "dataset_name": "rows.jsonl", "learning_rate": 5e-3}
    return {**base, "use_peft": True, "lora_dropout": 0.0, "num_train_epochs": 1, **keys, "study": study}


def merged(whole: Mapping[str, Any], lines: Mapping[str, Any]) -> dict[str, Any]:
    """The file with the lines pasted in: keys replace keys, ranges replace ranges."""
    study = {**whole["study"], **lines.get("study", {})}
    study["space"] = {**whole["study"]["space"], **lines.get("study", {}).get("space", {})}
    return {**whole, **lines, "study": study}


def trial(number: int, value: float | None = 1.0, label: str = "healthy", **fields: Any) -> TrialResult:
    settings = {
        "learning_rate": 3e-4,
        "batch_size": 16,
        "warmup_ratio": 0.1,
        "lora_dropout": 0.0,
        "num_train_epochs": 1.0,
    }
    settings |= {name: fields.pop(name) for name in list(fields) if name in settings}
    made = {"state": TrialState.COMPLETE, "steps": 400.0, **fields}
    return TrialResult(number=number, settings=settings, value=value, label=label, **made)


def many(effect: float = 0.0) -> list[TrialResult]:
    points = [(rate, batch) for rate in (-5.0, -4.0, -3.5, -3.0) for batch in (8, 16, 32)]
    return [
        trial(n, 1 + 0.03 * (x + 3.6) ** 2 + effect * batch, learning_rate=10**x, batch_size=batch)
        for n, (x, batch) in enumerate(points)
    ]


HOT = [trial(n, None, "unstable", learning_rate=5e-3) for n in (1, 2, 3)]
LIMIT = MemoryLimit("trial-000", {}, DeviceBatch(16, 8), DeviceBatch(2, 1))
NO_GAIN = Gain((Pair(1, 1.0, 0.99),) * 3, 0.01, 0.02, (message("within-noise"),))
CASES: dict[str, dict[str, Any]] = {
    "edge": {"trials": [trial(0, learning_rate=1e-2), trial(1, 1.1, learning_rate=1e-3)]},
    "edge of a batch": {"trials": [trial(0, batch_size=8), trial(1, 1.1, batch_size=16)]},
    "edge of a share": {"trials": [trial(0, warmup_ratio=0.2, lora_dropout=0.1), trial(1, 1.1)]},
    "unstable": {"trials": [trial(0), *HOT]},
    "unstable throughout": {"trials": HOT, "best": None},
    "too short": {"trials": [trial(0, curve=FALLING), trial(1, 1.1)]},
    "too long": {"trials": [trial(0, curve=EARLY), trial(1, 1.1)]},
    "few updates": {"trials": [trial(0, steps=40.0), trial(1, 1.1)]},
    "few updates of small batches": {"trials": [trial(0, steps=40.0, batch_size=4), trial(1, 1.1)]},
    "within noise": {"trials": [trial(0), trial(1, 0.99)], "best": 1, "gain": NO_GAIN},
    "no effect": {"trials": many(), "best": 7},
    "memory": {"trials": [trial(0)], "limits": [LIMIT]},
    "too large": {
        "trials": [trial(0), trial(1, None, state=TrialState.INFEASIBLE, failure=Failure(FailureKind.OUT_OF_MEMORY))]
    },
}


@pytest.mark.parametrize("keys", FILES.values(), ids=FILES)
@pytest.mark.parametrize("case", CASES)
def test_the_study_file_is_read_with_each_paragraph_s_lines(tmp_path: Path, case: str, keys: dict[str, Any]):
    whole = file(tmp_path, **keys)
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(whole))
    spec = load_spec(path)
    given: dict[str, Any] = {"best": 0, "gain": None, "limits": (), **CASES[case]}
    points = review(
        given["trials"], given["best"], spec, distributions(spec.study.space), given["gain"], given["limits"]
    )
    assert points
    for point in points:
        assert point.patch, point.point
        lines = yaml.safe_load(patch_lines(point.patch))
        path.write_text(yaml.safe_dump(merged(whole, lines)))
        changed = load_spec(path)
        assert (changed.config, changed.study) != (spec.config, spec.study), point.point


def test_a_range_that_leaves_the_file_s_value_out_takes_it_along(tmp_path: Path):
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(file(tmp_path)))
    spec = load_spec(path)
    lines = yaml.safe_load(patch_lines(patch(spec, space={"learning_rate": Range(1e-6, 1e-3, log=True)})))
    assert lines == {
        "learning_rate": 1e-3,
        "study": {"space": {"learning_rate": {"low": 1e-6, "high": 1e-3, "log": True}}},
    }


@pytest.mark.parametrize(
    ("knob", "span", "value", "side", "wanted"),
    [
        ("lora_r", Choice((8, 16)), 16, 1, [8, 16, 32]),
        ("lora_r", Range(1, 64, log=True, integer=True), 1, -1, None),
        ("warmup_ratio", Range(0.0, 0.2), 0.0, -1, None),
        ("warmup_ratio", Range(0.0, 0.9), 0.9, 1, {"low": 0, "high": 1}),
        ("max_length", Range(256, 512, step=128, integer=True), 512, 1, {"low": 256, "high": 640, "step": 128}),
        ("learning_rate", Range(1e-6, 1e-2, log=True), 1e-2, 1, {"low": 1e-6, "high": 0.03, "log": True}),
    ],
)
def test_a_range_widens_by_one_step_within_what_the_key_takes(knob, span, value, side, wanted):
    made = widen(knob, span, value, side)
    assert (None if made is None else made.block()) == wanted


def test_keys_become_lines_that_are_read_back_as_the_same_keys():
    keys = {
        "max_steps": 128,
        "study": {"seeds": 6, "space": {"learning_rate": {"low": 1e-6, "high": 0.03, "log": True}}},
    }
    lines = patch_lines(keys)
    assert patch_of(lines) == keys
    assert lines.splitlines()[-1] == "    learning_rate: {low: 1.0e-06, high: 0.03, log: true}"
    assert patch_of(patch_lines({"study": {"space": {"lora_r": [8, 16]}}})) == {"study": {"space": {"lora_r": [8, 16]}}}


@pytest.mark.parametrize("value", [1e-5, 3.3e-7, 0.03, 8, 1.0, "cosine", "no", True, None, 123456.0, 5e20, "1e-5"])
def test_a_value_is_read_back_as_what_it_was(value: Any):
    assert yaml.safe_load(f"x: {plain(value)}")["x"] == value


def test_a_smaller_batch_comes_with_as_many_steps_as_the_same_samples_take(tmp_path: Path):
    whole = file(tmp_path, per_device_train_batch_size=16, max_steps=200, eval_steps=20, logging_steps=0.1)
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(whole))
    lines = yaml.safe_load(patch_lines(patch(load_spec(path), {"batch_size": 4})))
    assert lines.pop("study")["space"]["batch_size"] == [4, 8, 16, 32]
    assert lines == {"per_device_train_batch_size": 4, "max_steps": 800, "eval_steps": 80}
