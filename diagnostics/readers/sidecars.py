"""Files beside a log that hold its settings: arguments, configs, PEFT's adapter config, the model's, its card."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from diagnostics.model.message import Message, message
from diagnostics.readers.assemble.option_names import ADAPTER_KEYS, SPELLINGS
from diagnostics.readers.facts import model_card, model_config, pickled_args
from diagnostics.readers.files import content, text
from diagnostics.readers.printed import mlx
from diagnostics.readers.raw_log import Log
from diagnostics.readers.run_names import is_generic

ADAPTER = "adapter_config.json"
BEFORE_THE_LOG = (
    *(model_card.NAME, model_config.NAME, ADAPTER, pickled_args.NAME, "hparams.yaml", "hparams.json", "params.json"),
    *("args.json", "args.yaml", "training_args.json", "training_args.yaml"),
)
AFTER_THE_LOG = (*("torchtune_config.yaml", "axolotl_config.yml", "axolotl_config.yaml", "config.yml", "config.yaml"),)
"""What the user wrote wins over the log, and the log over the other files."""

WEIGHTS = re.compile(
    r"(?:model|pytorch_model)(?:-\d{5}-of-\d{5})?\.(?:safetensors|bin)|model\.safetensors\.index\.json"
)
"""Weights of a whole model; those of an adapter have other names."""

RATES = {"learning_rate", "lr"}
MAX_SETTINGS_BYTES = 1 << 22
"""A longer file does not hold settings."""

MAX_BRACKETS, MAX_NESTED_CHARACTERS = 400, 100_000
NESTED_ON_A_LINE = re.compile(r"(?:[-?:][ \t]+){50}")

CHECKPOINT = re.compile(r"checkpoint-\d+")
HYDRA = ".hydra"
MAX_ABOVE = 3
DATED = re.compile(r"[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d_")
PART_OF_A_RUN = re.compile(
    r"checkpoint-\d+|logs?|runs|events?|metrics|tb|tensorboard|(?:tb|tensorboard|train(?:ing)?)_logs?|"
    + DATED.pattern
    + ".*"
)
"""Folders in a run's folder that hold its log."""


@dataclass(frozen=True)
class Folders:
    """Where the settings of a run lie: its ``own`` folders, of which the last wins, and ``far`` ones above it."""

    home: Path
    own: tuple[Path, ...] = ()
    far: tuple[Path, ...] = ()


def with_settings(log: Log, folders: Folders) -> Log:
    """The log with the settings from files in these folders, and with what is known of the model that they name."""
    notes: list[Message] = []
    own, far = ([(folder, _names_in(folder)) for folder in some] for some in (folders.own, folders.far))
    before, after = (_options_in(own, names, notes) for names in (BEFORE_THE_LOG, AFTER_THE_LOG))
    # A file further up may be of other runs as well: what the log and the run's own files say wins over it.
    before = {**_of_weights(own + far), **_options_in(far, (*BEFORE_THE_LOG, *AFTER_THE_LOG), notes), **before}
    raw = dict(log.options)
    if RATES & (before.keys() | after.keys() | raw.keys()):
        # trainer_state.json rounds the epochs up and always names the steps; the arguments say what was requested.
        raw = {key: value for key, value in raw.items() if key not in log.derived}
    options = {**before, **_known(raw), **after}
    return replace(log, options={**_of_model(options, folders.home), **options}).with_notes(*notes)


def _of_model(options: Mapping[str, object], home: Path) -> dict[str, object]:
    """What the config of the model says that the options name, where it lies on this machine."""
    if options.get("hidden_size") is not None:
        return {}
    names = ("model_name_or_path", *SPELLINGS["model_name_or_path"])
    name = next((options[key] for key in names if isinstance(options.get(key), str)), None)
    return model_config.of_named_model(name, home)


def beside(path: Path) -> Folders:
    """Where the settings of a log file lie: in its folder, and in the run's when that is a part of it.

    Nowhere, where the file has a name of its own and other logs lie beside it: nobody knows whose settings they are.
    """
    folder = path.absolute().parent
    if not is_generic(path) and not _is_alone(path, folder):
        return Folders(folder)
    return around(folder)


def around(folder: Path, checkpoint: Path | None = None) -> Folders:
    """Where the settings of a run's folder lie: in it, in its parts, and further up when it is itself a part."""
    home = folder.absolute()
    parts = [checkpoint] if checkpoint else []
    above = _above(home)
    own = [*parts, home / HYDRA, home / "adapter", home]
    if CHECKPOINT.fullmatch(home.name):
        own, above = [*own, home.parent], above[1:]
    return Folders(home, tuple(own), tuple(above[::-1]))


def _above(folder: Path) -> list[Path]:
    """The folders above one whose name is that of a part of a run, up to the run's own."""
    found = [folder]
    while len(found) <= MAX_ABOVE and PART_OF_A_RUN.fullmatch(found[-1].name) and _is_only_child(found[-1]):
        found.append(found[-1].parent)
    return found[1:]


def _is_only_child(folder: Path) -> bool:
    """Whether no sister of a dated folder is one of another run, whose settings those above it may be."""
    if not DATED.match(folder.name):
        return True
    return sum(bool(DATED.match(name)) for name in _names_in(folder.parent)) == 1


def _is_alone(path: Path, folder: Path) -> bool:
    """Whether settings lie beside a log, and no other file with its ending."""
    settings = {*BEFORE_THE_LOG, *AFTER_THE_LOG}
    if not any(os.path.isfile(folder / name) for name in settings):
        return False
    others = (entry.name for entry in _entries(folder) if entry.name != path.name and entry.name not in settings)
    return not any(name.lower().endswith(path.suffix.lower()) for name in others)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """The entries of a folder one by one, none when it may not be opened."""
    try:
        with os.scandir(folder) as found:
            yield from found
    except OSError:
        return


def _of_weights(held: list[tuple[Path, frozenset[str]]]) -> dict[str, object]:
    """That the whole model was trained, where its weights lie in a folder and no adapter does."""
    names = frozenset().union(*(there for _, there in held))
    return {"use_peft": False} if ADAPTER not in names and any(map(WEIGHTS.fullmatch, names)) else {}


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
        found = _content(file)
    except (ValueError, RecursionError):
        notes.append(message("settings-not-read", file=file.name))
        return {}
    options = {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}
    if file.name == ADAPTER:
        options = mlx.adapter_options(options) or {key: options[key] for key in ADAPTER_KEYS & options.keys()}
    elif file.name == model_config.NAME and model_config.is_model_config(options):
        options = model_config.facts_in(options)
    return _known(options)


def _content(file: Path) -> object:
    """What stands in a settings file. Raises ``ValueError`` or ``RecursionError`` when it is damaged."""
    if file.name == pickled_args.NAME:
        return pickled_args.options_in(content(file, most=pickled_args.MAX_BYTES))
    raw = text(file, most=MAX_SETTINGS_BYTES)
    if file.name == model_card.NAME:
        front = model_card.front_matter(raw)
        data = _yaml(front) if front else None
        return model_card.options_in(data, raw) if isinstance(data, dict) else {}
    return json.loads(raw) if file.suffix == ".json" else _yaml(raw)


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
