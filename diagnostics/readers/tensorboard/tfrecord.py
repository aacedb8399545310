"""Where the records of a TensorFlow record file lie: length, checksum of it, payload, checksum of that.

Every length is verified by its checksum, so garbage cannot pass for a record; after garbage the next record whose
length checks out is looked for. Payload checksums are left to whoever decodes the payload.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diagnostics.readers.tensorboard.crc32c import crc32c, masked, shares, unmasked

IntArray = NDArray[np.int64]
HEAD, FOOT = 12, 4

STRIDE = 72
"""Records that are read one by one before a repeating cycle of lengths is searched."""

LOOK_BACK = 64
LONGEST_CYCLE = 32

UPPER_HALF = bytes(4)
"""Of a record's length: none of 4 GiB is expected, which leaves few places where one may begin."""

PLACES_TRIED = 16
"""Places that are tried one by one after garbage."""

MIN_STRETCH, MAX_STRETCH = 256, 1 << 18
"""Bytes that are searched at a time after more places; they double from one stretch to the next."""

ZERO_LENGTH = crc32c(bytes(8))


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

    Garbage is short as a rule, and a few places are tried one by one; longer garbage, such as the zeros that a lost
    disk leaves behind, is searched in stretches that grow.
    """
    for _ in range(PLACES_TRIED):
        zeros = data.find(UPPER_HALF, at + 4)
        if zeros < 0 or zeros + 8 > len(data):
            return len(data)
        if _length(data[zeros - 4 : zeros + 8]) is not None:
            return zeros - 4
        at = zeros - 3
    return _next_in_stretches(data, at)


def _next_in_stretches(data: bytes, at: int) -> int:
    width = MIN_STRETCH
    while at + HEAD <= len(data):
        part = data[at : at + width + HEAD - 1]
        found = None if part == bytes(len(part)) else _first_head(part)  # zeros only: no checksum fits them
        if found is not None:
            return at + found
        at += width
        width = min(2 * width, MAX_STRETCH)
    return len(data)


def _first_head(part: bytes) -> int | None:
    """The place of the first record's length with a right checksum, None when there is none.

    Twelve zero bytes are none.
    """
    raw = np.frombuffer(part, dtype=np.uint8)
    filled = np.concatenate([[0], np.cumsum(raw != 0, dtype=np.int32)])
    count = raw.size - HEAD + 1
    upper = filled[8 : 8 + count] == filled[4 : 4 + count]
    places = np.flatnonzero(upper & (filled[HEAD : HEAD + count] > filled[:count]))
    crc = np.full(places.size, ZERO_LENGTH, dtype=np.uint32)
    stored = np.zeros(places.size, dtype=np.uint32)
    for byte in range(4):
        crc ^= shares(7 - byte)[raw[places + byte]] ^ shares(7 - byte)[0]
        stored |= raw[places + 8 + byte].astype(np.uint32) << np.uint32(8 * byte)
    right = places[unmasked(stored) == crc]
    return int(right[0]) if right.size else None
