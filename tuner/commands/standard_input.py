"""A log on standard input, as a file that the readers can open."""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from diagnostics.errors import BadInput
from diagnostics.readers import UnreadableLog, read

STANDARD_INPUT = Path("-")
NAME = "standard-input"
SAME = (STANDARD_INPUT, Path("/dev/stdin"))
DESCRIPTORS = Path("/dev/fd")
"""Where a shell puts the output of a command in ``<(...)``."""


@contextmanager
def with_standard_input(paths: Sequence[Path], tags: Mapping[str, str] | None = None) -> Iterator[Sequence[Path]]:
    """The paths, with ``-`` replaced by a file that holds what standard input does and lasts as long as the block.

    ``/dev/stdin`` is the same, and what a shell hands over for ``<(command)`` is read in the same way. Raises
    ``BadInput`` when that is empty, standard input is a terminal, or it is no log that can be read.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = {path: _stored(path, Path(folder), tags) for path in dict.fromkeys(paths) if _is_stream(path)}
        yield [files.get(path, path) for path in paths]


def _is_stream(path: Path) -> bool:
    return path in SAME or path.parent == DESCRIPTORS


def _stored(path: Path, folder: Path, tags: Mapping[str, str] | None) -> Path:
    """A file that holds what the stream does."""
    if path not in SAME:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BadInput(f"{path}: cannot be read ({error.strerror}); give a run's folder or a log file") from error
    elif sys.stdin.isatty():
        raise BadInput("-: reads a log from standard input; pipe one into it, as in: cat train.log | tuner diagnose -")
    else:
        content = _all_of(sys.stdin)
    if not content.strip():
        what = "standard input" if path in SAME else "it"
        raise BadInput(f"{path}: {what} is empty; pipe a log into it")
    place = folder / path.name
    place.mkdir(exist_ok=True)
    return _readable(content, place, NAME if path in SAME else f"pipe-{path.name}", str(path), tags)


def _all_of(stream: TextIO) -> bytes:
    """The bytes of a stream, in whatever encoding the log is."""
    raw = getattr(stream, "buffer", None)
    return raw.read() if raw is not None else stream.read().encode()


def _readable(content: bytes, folder: Path, name: str, given: str, tags: Mapping[str, str] | None) -> Path:
    """The log as a file of the first format that reads it."""
    why = ""
    for ending in _endings(content.decode("utf-8", "replace")):
        file = folder / f"{name}{ending}"
        file.write_bytes(content)
        try:
            read(file, tags)
            return file
        except UnreadableLog as error:
            why = str(error).replace(str(file), given).replace(file.name, given)
    raise BadInput(why)


def _endings(content: str) -> tuple[str, ...]:
    """What the file may end in, by how the log begins; anything may be printed output."""
    first = content.lstrip().splitlines()[0]
    if first.startswith(("{", "[")):
        return ".json", ".jsonl", ".log"
    is_head = re.search(r"[,;\t]", first) and not re.search(r"\d[.:]\d|[:=]", first)
    return (".csv", ".log") if is_head else (".log",)
