"""Files beside a log that hold its settings: a study's or axolotl's config, PEFT's adapter config and others."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from diagnostics.model.message import Message, message
from diagnostics.readers.files import text
from diagnostics.readers.raw_log import Log

ADAPTER = "adapter_config.json"
ADAPTER_KEYS = {"r", "lora_alpha", "lora_dropout", "base_model_name_or_path", "peft_type"}
BEFORE_THE_LOG = (ADAPTER, "hparams.yaml", "args.json", "training_args.json", "training_args.yaml")
AFTER_THE_LOG = ("axolotl_config.yml", "axolotl_config.yaml", "config.yml", "config.yaml")
"""What the user wrote wins over the log, and the log over the other files."""

RATES = {"learning_rate", "lr"}
MAX_SETTINGS_BYTES = 1 << 22
"""A longer file does not hold settings."""

MAX_BRACKETS, MAX_NESTED_CHARACTERS = 400, 100_000
NESTED_ON_A_LINE = re.compile(r"(?:[-?:][ \t]+){50}")

CHECKPOINT = re.compile(r"checkpoint-\d+")


def with_settings(log: Log, folders: Iterable[Path | None]) -> Log:
    """The log with the settings from files in these folders; the last folder wins."""
    notes: list[Message] = []
    held = [(folder, _names_in(folder)) for folder in folders if folder is not None]
    before, after = (_options_in(held, names, notes) for names in (BEFORE_THE_LOG, AFTER_THE_LOG))
    raw = dict(log.options)
    if RATES & (before.keys() | after.keys() | raw.keys()):
        # trainer_state.json rounds the epochs up and always names the steps; the arguments say what was requested.
        raw = {key: value for key, value in raw.items() if key not in log.derived}
    return replace(log, options={**before, **_known(raw), **after}).with_notes(*notes)


def beside(path: Path) -> list[Path]:
    """The folders whose settings belong to a log file: its own, and the run's when it lies in a checkpoint."""
    folder = path.absolute().parent
    return [folder, folder.parent] if CHECKPOINT.fullmatch(folder.name) else [folder]


def _names_in(folder: Path) -> frozenset[str]:
    """The names in a folder, none when it is not there or may not be opened."""
    try:
        return frozenset(os.listdir(folder))
    except OSError:
        return frozenset()


def _options_in(
    held: list[tuple[Path, frozenset[str]]], names: tuple[str, ...], notes: list[Message]
) -> dict[str, object]:
    """What the files of these names say, later files and folders winning."""
    options: dict[str, object] = {}
    for name in names:
        for file in (folder / name for folder, there in held if name in there):
            if os.path.isfile(file):
                options |= _mapping(file, notes)
    return options


def _known(options: Mapping[str, object]) -> dict[str, object]:
    """The options that have a value."""
    return {key: value for key, value in options.items() if value is not None}


def _mapping(file: Path, notes: list[Message]) -> dict[str, object]:
    """What a settings file says; nothing, and a note, when it cannot be read."""
    try:
        raw = text(file, most=MAX_SETTINGS_BYTES)
        found = json.loads(raw) if file.suffix == ".json" else _yaml(raw)
    except (ValueError, RecursionError):
        notes.append(message("settings-not-read", file=file.name))
        return {}
    options = {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}
    if file.name == ADAPTER:
        options = {key: value for key, value in options.items() if key in ADAPTER_KEYS}
    return _known(options)


def _yaml(raw: str) -> object:
    """The content of a YAML text. Raises ``ValueError`` when it is not YAML, ``RecursionError`` when it is too deep."""
    import yaml

    flat = raw.count("[") + raw.count("{") < MAX_BRACKETS and not NESTED_ON_A_LINE.search(raw)
    if not flat and len(raw) > MAX_NESTED_CHARACTERS:
        raise ValueError("too long and too nested for settings")
    # libyaml's own stack overflows on deep nesting, and takes the process with it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader) if flat else yaml.SafeLoader
    try:
        return yaml.load(raw, Loader=loader)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from None
