"""LevelDB's log format, in which W&B keeps a run: blocks of 32 KiB with records that may span several of them.

Each part of a record has a head of seven bytes: a CRC32 of its kind and content, its length, and its kind. W&B takes
zlib's CRC32 and puts seven bytes of its own before the first record.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

BLOCK, HEAD = 1 << 15, 7
FULL, FIRST, MIDDLE, LAST = 1, 2, 3, 4
MAGIC = b":W&B"
OPENING = len(MAGIC) + 3


class Records:
    """The records of a file in their order; ``damaged`` counts the parts that were left out."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.damaged = 0

    def __iter__(self) -> Iterator[bytes]:
        """The whole records; one with a damaged part is left out, and reading goes on with the next block."""
        begun: list[bytes] | None = None
        for kind, part in self._parts():
            if kind in (FULL, FIRST):
                begun = [part]
            elif begun is not None and kind in (MIDDLE, LAST):
                begun.append(part)
            else:
                begun = None
            if begun is not None and kind in (FULL, LAST):
                yield b"".join(begun)
                begun = None

    def _parts(self) -> Iterator[tuple[int, bytes]]:
        """The kind and content of each part; kind 0 stands for one that is damaged."""
        at, content = OPENING, self.content
        while at + HEAD <= len(content):
            room = BLOCK - at % BLOCK
            if room < HEAD:
                at += room
                continue
            crc, size, kind = struct.unpack_from("<IHB", content, at)
            part = content[at + HEAD : at + HEAD + size]
            if kind == 0 and size == 0:  # reserved and never written
                at += room
            elif HEAD + size <= room and len(part) == size and zlib.crc32(part, zlib.crc32(bytes([kind]))) == crc:
                at += HEAD + size
                yield kind, part
            elif at + HEAD + size > len(content) and HEAD + size <= room:
                return  # still being written
            else:
                self.damaged += 1
                at += room
                yield 0, b""
