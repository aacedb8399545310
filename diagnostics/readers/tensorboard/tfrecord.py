"""Where the records of a TensorFlow record file lie: length, checksum of it, payload, checksum of that.

Every length is verified by its checksum, so garbage cannot pass for a record; after garbage the next record whose
length checks out is looked for. Payload checksums are left to whoever decodes the payload.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diagnostics.readers.tensorboard.crc32c import crc32c, masked

IntArray = NDArray[np.int64]
HEAD, FOOT = 12, 4

STRIDE = 72
"""Records that are read one by one before a repeating cycle of lengths is searched."""

LOOK_BACK = 64
LONGEST_CYCLE = 32


@dataclass(frozen=True, eq=False)
class Frames:
    """Payload positions and sizes in bytes; ``lost`` counts stretches of garbage; ``cut``: the last is not whole."""

    starts: IntArray
    sizes: IntArray
    lost: int = 0
    cut: bool = False


@dataclass
class _Walk:
    """Where the walk over a file's bytes is and what it has found."""

    data: bytes
    at: int = 0
    lost: int = 0
    cut: bool = False
    sizes_by_head: dict[bytes, int] = field(default_factory=dict)
    heads: dict[int, bytes] = field(default_factory=dict)
    found: list[tuple[IntArray, IntArray]] = field(default_factory=list)

    @property
    def more(self) -> bool:
        """Whether another record may begin here."""
        return not self.cut and self.at + HEAD <= len(self.data)

    def step(self, count: int) -> list[int]:
        """Walk over up to ``count`` records, one by one; their sizes."""
        data, known = self.data, self.sizes_by_head
        at, end = self.at, len(data)
        starts: list[int] = []
        sizes: list[int] = []
        while len(sizes) < count and at + HEAD <= end:
            head = data[at : at + HEAD]
            size = known.get(head)
            if size is None:
                size = _length(head)
                if size is None:
                    at, self.lost = _next_record(data, at + 1), self.lost + 1
                    continue
                known[head], self.heads[size] = size, head
            if at + HEAD + size + FOOT > end:
                self.cut = True
                break
            starts.append(at + HEAD)
            sizes.append(size)
            at += HEAD + size + FOOT
        self.at = at
        self.found.append((np.array(starts, np.int64), np.array(sizes, np.int64)))
        return sizes

    def leap(self, cycle: list[int], limit: int) -> int:
        """Walk over as many whole cycles of records of these sizes as follow, up to ``limit``; how many did."""
        lengths = np.array(cycle, np.int64)
        offsets = np.concatenate([[0], np.cumsum(lengths + HEAD + FOOT)])
        stride = int(offsets[-1])
        count = min(limit, (len(self.data) - self.at) // stride)
        for offset, size in zip(offsets.tolist(), cycle, strict=False):
            if count:
                heads: NDArray[np.bytes_] = np.ndarray(count, "S12", self.data, self.at + offset, (stride,))
                same = heads == self.heads[size]
                count = count if same.all() else int(same.argmin())
        starts = (self.at + HEAD + offsets[:-1])[None, :] + stride * np.arange(count)[:, None]
        self.found.append((starts.ravel(), np.broadcast_to(lengths, (count, lengths.size)).ravel()))
        self.at += count * stride
        return count


def frames(data: bytes) -> Frames:
    """The records of a file's bytes, in file order.

    A training loop logs the same tags again and again, so lengths repeat in a short cycle; such stretches are
    checked many at a time.
    """
    walk, wait, reach = _Walk(data), STRIDE, 64
    while walk.more:
        sizes = walk.step(wait)
        cycle = _cycle(sizes[-LOOK_BACK:]) if len(sizes) == wait else None
        leapt = 0
        while cycle and walk.more:
            count = walk.leap(cycle, reach)
            leapt += count
            if count < reach:
                break
            reach *= 2
        reach = max(64, min(reach, leapt))
        wait = STRIDE if leapt else min(2 * wait, 1 << 14)
    starts = np.concatenate([np.empty(0, np.int64), *(starts for starts, _ in walk.found)])
    lengths = np.concatenate([np.empty(0, np.int64), *(lengths for _, lengths in walk.found)])
    return Frames(starts, lengths, walk.lost, walk.cut or 0 < len(data) - walk.at < HEAD)


def _cycle(sizes: list[int]) -> list[int] | None:
    """The shortest cycle in which the sizes repeat, at least twice over; None when there is none."""
    for period in range(1, LONGEST_CYCLE + 1):
        if sizes[period:] == sizes[:-period]:
            return sizes[-period:]
    return None


def _length(head: bytes) -> int | None:
    """The payload length in a record's first 12 bytes, None when its checksum is wrong."""
    size, stored = struct.unpack("<QI", head)
    return int(size) if masked(crc32c(head[:8])) == stored else None


def _next_record(data: bytes, at: int) -> int:
    """Where the next record with a right length begins at or after ``at``; the end of the data when none does.

    No record of 4 GiB is expected: the upper half of a length is zero, which narrows the search to few places.
    """
    while True:
        zeros = data.find(b"\0\0\0\0", at + 4)
        if zeros < 0 or zeros + 8 > len(data):
            return len(data)
        if _length(data[zeros - 4 : zeros + 8]) is not None:
            return zeros - 4
        at = zeros - 3
