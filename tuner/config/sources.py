"""Where a study file's model and data lie, and folders that hold too much to be data."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from tuner.errors import SpecError, brief_name

PACKAGED = "tuner/tiny"
NAMESPACE = "tuner/"
"""What the names of packaged models begin with; the hub is not asked for one: without a network that takes a minute."""
PATHS = ("model_name_or_path", "dataset_name", "reward_model_name_or_path", "teacher_model_name_or_path")
"""Keys whose value is a path from the study file's folder, or a hub id."""
MAX_DATA_ENTRIES = 20_000
"""Files and folders below a folder of data; to look at more takes seconds, in every trial."""
DATA_ENDINGS = (".json", ".jsonl", ".csv", ".parquet", ".tsv", ".txt", ".arrow")
MAX_PART = 255
"""Bytes between two slashes: no file system, and no hub, has longer names."""
SYSTEM_FOLDERS = ("proc", "sys", "dev")


def located(name: str, start: Path) -> Path | None:
    """The file or folder that a study file in folder ``start`` means by ``name``; None when there is none.

    Looked for from the working directory, then from the study file's folder and each of its parents.
    """
    if name == PACKAGED:
        from tuner.assets import TINY

        return TINY
    given = at_home(name)
    folders = [Path(), start.resolve(), *start.resolve().parents]
    return next((found for folder in folders if is_there(found := folder / given)), None)


def at_home(name: str | Path) -> Path:
    """The path with ``~`` written out, or as it is where nobody has such a home."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        return Path(name)


def is_there(path: Path) -> bool:
    """Whether the path leads to something; False where no path can be so."""
    try:
        return path.exists()
    except (OSError, ValueError):  # a name too long for the disk, a folder that may not be entered
        return False


def check_sources(raw: Mapping[str, Any], path: Path) -> None:
    """Raise ``SpecError`` when the model or the data is not named, or looks like a path and is not there."""
    if not raw.get("model_name_or_path"):
        raise SpecError(f"{path}: model_name_or_path is missing; give {PACKAGED}, a folder or a hub id")
    if not raw.get("dataset_name") and not raw.get("datasets"):
        raise SpecError(f"{path}: dataset_name is missing; give a file, a folder or a hub id")
    for key in PATHS:
        name = raw.get(key)
        if isinstance(name, str) and any(_bytes(part) > MAX_PART for part in name.split("/")):
            raise SpecError(f"{path}: {key}: {brief_name(name)}: longer than the name of any file or repository")
        found = located(name, path.parent) if isinstance(name, str) else None
        if found is not None and not found.is_file() and not found.is_dir():
            raise SpecError(f"{path}: {key}: {found}: is a pipe, a socket or a device; give a file or a folder")
        if isinstance(name, str) and found is None and name.startswith(NAMESPACE) and key != "dataset_name":
            raise SpecError(f"{path}: {key}: {brief_name(name)}: no such folder; the packaged model is {PACKAGED}")
        if isinstance(name, str) and is_path(name) and found is None:
            raise SpecError(
                f"{path}: {key}: {brief_name(name)}: no such file or folder, from here or from {path.parent}"
                f"{_first(name, path.parent)}"
            )
    name = raw.get("dataset_name")
    if isinstance(name, str) and not raw.get("datasets"):
        _check_size(located(name, path.parent), f"{path}: dataset_name")


def _bytes(part: str) -> int:
    """How long a name is on a disk, also where the machine's own encoding cannot write it."""
    return len(part.encode("utf-8", "surrogatepass"))


def _first(name: str, folder: Path) -> str:
    """What to run first where the missing folder is what ``tuner train`` leaves of a file beside the study."""
    maker = next((part.removesuffix("-train") for part in Path(name).parts if part.endswith("-train")), "")
    file = folder / f"{maker}.yaml"
    return f"; make it first: tuner train {quote(str(file))}" if maker and is_there(file) else ""


def is_path(name: str) -> bool:
    """Whether a name can only be a path: a hub id has no file ending and at most one slash."""
    is_file = Path(name).suffix.lower() in DATA_ENDINGS
    return is_file or name.startswith((".", "/", "~")) or name.count("/") > 1 or "\\" in name


def _check_size(found: Path | None, where: str) -> None:
    """Raise ``SpecError`` for a folder of the system, or with more entries than data has."""
    if found is None or not found.is_dir():
        return
    parts = found.resolve().parts
    if parts[1:2] and parts[1] in SYSTEM_FOLDERS and parts[1:3] != ("dev", "shm"):
        raise SpecError(f"{where}: {found}: is a folder of the system; give a folder with data files")
    seen = 0
    for _, folders, files in os.walk(found):
        seen += len(folders) + len(files)
        if seen > MAX_DATA_ENTRIES:
            raise SpecError(
                f"{where}: {found}: contains more than {MAX_DATA_ENTRIES:,} files and folders; give the folder that "
                "holds the data files alone"
            )
