"""One run of another trainer: its settings, the files that it reads, its command and its environment."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from diagnostics.model.settings import Settings
from diagnostics.readers.discovery import DRIVEN
from diagnostics.report.write import write_text
from tuner.config.bounded_read import read_json
from tuner.config.overrides import setting_value, with_overrides
from tuner.config.secret_keys import without_secrets
from tuner.config.study_spec import StudySpec
from tuner.config.trainers.dotted import Flat, nested
from tuner.config.trainers.driver import Driver, own_config
from tuner.config.trainers.placeholders import filled, words
from tuner.drivers.checkpoints import drop_cut, newest_whole
from tuner.drivers.held_out import held_out_keys

OWN_CONFIG = "trainer.yaml"
"""The run's config in the trainer's own keys."""
SETTINGS = "training_args.json"
"""The run's settings by our names, where the readers of logs look for them."""
PRINTED = "output.log"
"""What the trainer printed."""
OUTPUT = "output"
"""The folder that the trainer itself writes."""


@dataclass(frozen=True)
class Plan:
    """A run that is to be started: ``made`` are its settings by our names, ``own`` the trainer's whole flat config."""

    driver: Driver
    folder: Path
    made: Mapping[str, Any]
    own: Flat
    settings: Settings
    argv: Sequence[str]
    environment: Mapping[str, str]

    @property
    def output(self) -> Path:
        """The folder that the trainer writes."""
        return self.folder / OUTPUT

    @property
    def record(self) -> dict[str, Any]:
        """What makes this run the one that it is, as plain values without secrets."""
        made = json.loads(json.dumps(without_secrets(dict(self.made)), default=str, sort_keys=True))
        return {"trainer": self.driver.profile.name, "settings": made}


def planned(spec: StudySpec, overrides: Mapping[str, Any], out: Path, devices: Sequence[str] = ()) -> Plan:
    """The run of a driven file with these overrides in the folder ``out``, on these devices (none: all there are).

    Raises ``SpecError`` for settings that the trainer cannot be given.
    """
    driver = spec.driver
    assert driver is not None
    made = with_overrides(spec.config, overrides)
    count = len(devices) or spec.study.gpus_per_trial
    whole = out.resolve()
    places = _places(driver, spec, whole, count)
    own = {**own_config(driver, spec.config, made, count), **held_out_keys(spec, whole.parent)}
    own = driver.profile.silent(own) | own
    own |= driver.profile.forced
    resumes = bool(places["checkpoint"])
    own |= driver.profile.resume if resumes else {}
    own = {key: _filled(value, places) for key, value in own.items()}
    values = {
        **{driver.key(name): value for name, value in made.items()},
        **own,
        **made,
        **_batch(driver, own),
        **places,
    }
    template = driver.command if not (resumes and driver.resume) else f"{driver.command} {driver.resume}"
    argv = words(template, values, own)
    return Plan(driver, out, made, own, _settings(spec, made, count), argv, _environment(driver, places, devices))


def _places(driver: Driver, spec: StudySpec, whole: Path, devices: int) -> dict[str, str]:
    output = whole / OUTPUT
    checkpoint = newest_whole(output, driver.profile.checkpoints, driver.profile.state)
    return {
        "config": str(_config_file(driver, whole)),
        "run": str(output),
        "output": str(output),
        "study": str(whole.parent),
        "gpus": str(devices),
        "method": spec.method,
        "checkpoint": str(checkpoint or ""),
    }


def _config_file(driver: Driver, folder: Path) -> Path:
    """Where the config of the run in a folder is written."""
    return folder.with_suffix(".yaml") if driver.profile.config_above else folder / OWN_CONFIG


def _filled(value: Any, places: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_filled(one, places) for one in value]
    return filled(value, places) if isinstance(value, str) else value


def _batch(driver: Driver, own: Flat) -> dict[str, Any]:
    """Rows and accumulation as they are on this number of devices, for placeholders by our names."""
    names = ("per_device_train_batch_size", "gradient_accumulation_steps", "batch_size")
    return {name: own[driver.key(name)] for name in names if driver.key(name) in own}


def _settings(spec: StudySpec, made: Mapping[str, Any], devices: int) -> Settings:
    """The settings of the run by our names, for its diagnosis."""
    assert spec.driver is not None
    whole = made["per_device_train_batch_size"] * made["gradient_accumulation_steps"]
    known = {**made, "batch_size": whole, "warmup_ratio": setting_value(made, spec.method, "warmup_ratio")}
    if not (made.get("max_steps") or 0) > 0:
        known["max_steps"] = None
    for name in spec.driver.unknown:
        known.pop(name, None) if name != "batch_size" else known.update(batch_size=None)
    return Settings.from_mapping({**known, "method": spec.driver.trains})


def _environment(driver: Driver, places: Mapping[str, str], devices: Sequence[str]) -> dict[str, str]:
    """The environment of this process with what the trainer needs, and the devices that it may see."""
    own = {**driver.profile.environment, **driver.environment}
    made = {**os.environ, **{name: filled(value, places) for name, value in own.items()}}
    return {**made, "CUDA_VISIBLE_DEVICES": ",".join(devices)} if devices else made


def open_folder(plan: Plan) -> None:
    """Make the run's folder; what a run with other settings left, and what cannot be continued from, is removed."""
    plan.folder.mkdir(parents=True, exist_ok=True)
    pattern = plan.driver.profile.checkpoints
    if recorded(plan.folder) != plan.record:
        _clear(plan.folder)
    elif pattern:
        drop_cut(plan.output, pattern)
        if newest_whole(plan.output, pattern, plan.driver.profile.state) is None:
            shutil.rmtree(plan.output, ignore_errors=True)
    plan.output.mkdir(exist_ok=True)


def write_files(plan: Plan) -> None:
    """Write the files that the trainer and the readers of its log look for."""
    config = yaml.safe_dump(nested(plan.own), sort_keys=False, allow_unicode=True)
    write_text(_config_file(plan.driver, plan.folder), config)
    write_text(plan.folder / SETTINGS, json.dumps(plan.settings.known(), indent=2) + "\n")
    write_text(plan.folder / DRIVEN, json.dumps({**plan.record, "argv": list(plan.argv)}, indent=2) + "\n")


def _clear(folder: Path) -> None:
    """Delete what a run with other settings left."""
    shutil.rmtree(folder / OUTPUT, ignore_errors=True)
    for name in (PRINTED, DRIVEN, "trainer_state.json", "diagnosis.json", "report.md", "report.html", "error.txt"):
        (folder / name).unlink(missing_ok=True)


def recorded(folder: Path) -> dict[str, Any] | None:
    """The record of the run that lies in the folder, None when there is none."""
    try:
        kept = read_json(folder / DRIVEN)
        return {key: kept[key] for key in ("trainer", "settings")}
    except (OSError, ValueError, KeyError, TypeError):
        return None
