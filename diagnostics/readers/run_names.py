"""What runs are called: by their folder or file and, where several share that name, by what tells their paths apart."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

from diagnostics.readers import run_paths

GENERIC_NAMES = re.compile(
    r"trainer_state|trainer_log|metrics?|debug|logging|logs?|history|progress|results?|train(ing)?(_log)?|output|stdout|stderr"
)


def is_generic(file: Path) -> bool:
    """Whether a file's name says nothing about its run: then the folder and its other files describe it."""
    return ".tfevents." in file.name or GENERIC_NAMES.fullmatch(file.stem.lower()) is not None


def run_name(path: Path) -> str:
    """The last folder's name for folders and for files with a general name, else the file's own without its ending."""
    whole = path if path.name not in ("", "..", ".") else path.absolute()
    if os.path.isdir(whole):
        return whole.name or str(whole)
    if is_generic(whole):
        return whole.absolute().parent.name or whole.name
    return whole.stem


def names_apart(paths: Sequence[Path]) -> list[str]:
    """The names of runs, those that several have with the folders before them in which their paths differ.

    ``a/logs/version_0`` and ``b/logs/version_0`` become ``a/version_0`` and ``b/version_0``.
    """
    names = [run_paths.split(path)[1] or run_name(path) for path in paths]
    counted = Counter(names)
    alike: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        if counted[name] > 1:
            alike.setdefault(name, []).append(place)
    apart = list(names)
    for name, places in alike.items():
        for place, middle in zip(places, _middles([paths[place] for place in places]), strict=True):
            apart[place] = "/".join([*middle, name])
    told = Counter(apart)
    return [str(path) if told[name] > 1 else name for path, name in zip(paths, apart, strict=True)]


def _middles(paths: Sequence[Path]) -> list[tuple[str, ...]]:
    """Of each path the folders between those with which all begin and those with which all end."""
    parts = [_folders(path) for path in paths]
    begin = _in_common(parts)
    tails = [part[begin:][::-1] for part in parts]
    end = _in_common(tails)
    return [tail[end:][::-1] for tail in tails]


def _in_common(parts: Sequence[tuple[str, ...]]) -> int:
    """How many names all of these begin with."""
    return sum(1 for _ in takewhile(lambda alike: len(set(alike)) == 1, zip(*parts, strict=False)))


def _folders(path: Path) -> tuple[str, ...]:
    """The folders that lead to what a run is named after."""
    file, inner = run_paths.split(path.absolute())
    if inner is not None:
        return file.parts
    return file.parent.parts if os.path.isdir(file) or not is_generic(file) else file.parent.parent.parts
