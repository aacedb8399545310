"""Which files of a folder hold the training and the held-out rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tuner.data.files import READERS, DataError
from tuner.errors import brief_name, nearest

SPLIT_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "validation", "valid", "val", "eval", "evaluation", "dev", "heldout"), "test"),
}
SPLITS = ("train", "test")
OF_THE_LIBRARY = ("dataset_info.json", "state.json", "dataset_infos.json")
SHARD = re.compile(r"-\d{5}-of-\d{5}$")


def split_files(path: Path, config: Mapping[str, Any]) -> dict[str, list[Path]]:
    """The data files at ``path`` by split: a file is ``train``, those of a folder are named by the first word of
    the file or sub-folder.

    Files without such a word are training shards when no file has one. ``dataset_train_split`` and
    ``dataset_test_split`` of the config name other files of a folder, or sub-folders. Raises ``DataError`` when there
    are none, and for a ``dataset_config``, which only data sets of the hub have.
    """
    if config.get("dataset_config") not in (None, "", "default"):
        raise DataError(f"{path}: dataset_config: files have no configurations; remove it, or give a sub-folder's path")
    given = {split: config.get(f"dataset_{split}_split") for split in SPLITS}
    named = {split: str(name) for split, name in given.items() if name not in (None, split)}
    if path.is_file():
        for split in named:
            raise DataError(f"{path}: dataset_{split}_split: a file has no splits; remove it, or give a folder")
        return {"train": [path]}
    return _of_folder(path, named)


def _of_folder(folder: Path, named: Mapping[str, str]) -> dict[str, list[Path]]:
    files = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in READERS and path.is_file()]
    files = [path for path in files if path.name not in OF_THE_LIBRARY]
    known = {path: split_of(path.relative_to(folder)) for path in files}
    splits = {split: [path for path in files if known[path] == split] for split in SPLITS}
    if not any(splits.values()):
        splits["train"] = files
    chosen = {split: _named(name, files, folder, split) for split, name in named.items()}
    for split, paths in chosen.items():
        others = {other: [path for path in splits[other] if path not in paths] for other in SPLITS if other != split}
        splits |= {**others, split: paths}
    if not splits["train"]:
        found = ", ".join(path.name for path in files) or "no data files"
        raise DataError(f"{folder}: has no training file (found {found}); name one train.jsonl, for example")
    return {split: paths for split, paths in splits.items() if paths}


def _named(name: str, files: list[Path], folder: Path, split: str) -> list[Path]:
    """The files that a split's name means; raises ``DataError`` where there are none."""
    names = {path: (SHARD.sub("", path.stem), *path.relative_to(folder).parent.parts) for path in files}
    found = [path for path in files if name in names[path]]
    if not found:
        there = sorted({one for path in files for one in names[path]})
        hint = nearest(name, there) or f"; it has {', '.join(map(brief_name, there[:6]))}"
        raise DataError(f"{folder}: dataset_{split}_split: there is no split {brief_name(name)}{hint}")
    return found


def split_of(path: Path) -> str | None:
    """``train`` or ``test`` when the first word of the file's name, or a folder's name, says so; else None."""
    for part in (path.stem, *reversed(path.parent.parts)):
        word = part.lower().replace("_", "-").replace(".", "-").split("-")[0]
        if word in SPLIT_NAMES:
            return SPLIT_NAMES[word]
    return None
