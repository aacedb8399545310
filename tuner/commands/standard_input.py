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


@contextmanager
def with_standard_input(paths: Sequence[Path], tags: Mapping[str, str] | None = None) -> Iterator[Sequence[Path]]:
    """The paths, with ``-`` replaced by a file that holds what standard input does and lasts as long as the block.

    Raises ``BadInput`` when standard input is empty, is a terminal, or is no log that can be read.
    """
    if STANDARD_INPUT not in paths:
        yield paths
        return
    if sys.stdin.isatty():
        raise BadInput("-: reads a log from standard input; pipe one into it, as in: cat train.log | tuner diagnose -")
    content = _all_of(sys.stdin)
    if not content.strip():
        raise BadInput("-: standard input is empty; pipe a log into it")
    with tempfile.TemporaryDirectory() as folder:
        file = _readable(content, Path(folder), tags)
        yield [file if path == STANDARD_INPUT else path for path in paths]


def _all_of(stream: TextIO) -> bytes:
    """The bytes of a stream, in whatever encoding the log is."""
    raw = getattr(stream, "buffer", None)
    return raw.read() if raw is not None else stream.read().encode()


def _readable(content: bytes, folder: Path, tags: Mapping[str, str] | None) -> Path:
    """The log as a file of the first format that reads it."""
    why = ""
    for ending in _endings(content.decode("utf-8", "replace")):
        file = folder / f"{NAME}{ending}"
        file.write_bytes(content)
        try:
            read(file, tags)
            return file
        except UnreadableLog as error:
            why = str(error).replace(str(file), "-").replace(file.name, "-")
    raise BadInput(why)


def _endings(content: str) -> tuple[str, ...]:
    """What the file may end in, by how the log begins; anything may be printed output."""
    first = content.lstrip().splitlines()[0]
    if first.startswith(("{", "[")):
        return ".json", ".jsonl", ".log"
    is_head = re.search(r"[,;\t]", first) and not re.search(r"\d[.:]\d|[:=]", first)
    return (".csv", ".log") if is_head else (".log",)
