"""Every scalar of an event file, decoded many records at a time.

A training loop writes records that differ only in time, step and value. Records of one length are laid side by
side, the first is decoded field by field, and all that equal it outside those three places are read with it.
What is left, down to single records, goes the same way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from diagnostics.model.curves import FloatArray
from diagnostics.readers.tensorboard.crc32c import crc32c, masked, shares, unmasked
from diagnostics.readers.tensorboard.event_proto import Damaged, Layout, layout
from diagnostics.readers.tensorboard.tfrecord import Frames, IntArray, frames

FEW = 4
"""Fewer records than this are decoded one by one."""

PASSES = 256
"""Comparisons with a first record, per record of one length, before the rest is decoded one by one."""

WIDE = 1024
"""Records longer than this hold texts, images or histograms, one of a kind; they are decoded one by one."""


@dataclass(frozen=True, eq=False)
class Block:
    """Points of one tag: their places in the file, steps, values, and wall times in seconds since 1970."""

    places: IntArray
    steps: FloatArray
    values: FloatArray
    times: FloatArray


@dataclass
class Scalars:
    """All scalars and texts of an event file; ``damaged`` counts the stretches and records that were dropped."""

    blocks: dict[str, list[Block]] = field(default_factory=dict)
    texts: dict[str, bytes] = field(default_factory=dict)
    damaged: int = 0
    cut: bool = False

    def add(self, tag: str, block: Block) -> None:
        """Take in points of a tag."""
        self.blocks.setdefault(tag, []).append(block)


def scalars(data: bytes) -> Scalars:
    """The scalars of an event file's bytes; damaged records are left out and counted."""
    where = frames(data)
    found = Scalars(damaged=where.lost, cut=where.cut)
    raw = np.frombuffer(data, dtype=np.uint8)
    lengths = np.minimum(where.sizes, WIDE + 1).astype(np.uint16)  # 16 bits sort in linear time
    order = np.argsort(lengths, kind="stable")
    for places in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
        if places.size:
            _same_length(data, raw, where, places, found)
    return found


def _same_length(data: bytes, raw: NDArray[np.uint8], where: Frames, places: IntArray, found: Scalars) -> None:
    """Decode the records at ``places``, which all have the same length or are all wide."""
    size = int(where.sizes[places[0]])
    singles = places if places.size < FEW or not 0 < size <= WIDE else places[:0]
    if not singles.size:
        windows = np.ndarray(raw.size - size - 3, dtype=f"V{size + 4}", buffer=raw, strides=(1,))
        rows = windows[where.starts[places]]
        singles = places[_by_template(rows, places, found)]
    for place in singles:
        start, size = int(where.starts[place]), int(where.sizes[place])
        _single(data[start : start + size], data[start + size : start + size + 4], int(place), found)


def _by_template(rows: NDArray[np.void], places: IntArray, found: Scalars) -> IntArray:
    """Decode all rows that have company; the indices of those that have none."""
    left = np.arange(rows.size)
    alone: list[int] = []
    compared = 0
    while left.size >= FEW and compared < PASSES * rows.size:
        first = rows[left[0]].tobytes()
        shape = _scalar_layout(first[:-4])
        if shape is None:
            # Texts and histograms: no use in comparing the others with this one.
            plain = _leading_without_scalars(rows, left)
            alone.extend(left[:plain].tolist())
            left = left[plain:]
            continue
        alike = _alike(rows[left], first, shape)
        compared += left.size
        _decode(rows[left[alike]], places[left[alike]], first, shape, found)
        left = left[~alike]
    return np.array(alone + left.tolist(), dtype=np.int64)


def _leading_without_scalars(rows: NDArray[np.void], left: IntArray) -> int:
    """How many rows at the front hold no scalar."""
    for count, row in enumerate(left):
        if count and _scalar_layout(rows[row].tobytes()[:-4]) is not None:
            return count
    return int(left.size)


def _scalar_layout(payload: bytes) -> Layout | None:
    """The layout of a record whose scalars all lie at fixed places, else None."""
    try:
        found = layout(payload)
    except Damaged:
        return None
    return found if found.cells and not found.numbers and not found.texts else None


def _free(shape: Layout) -> list[tuple[int, int]]:
    """The byte ranges in which records of the same shape may differ."""
    free = [(cell.at, cell.at + int(cell.kind[-1])) for cell in shape.cells]
    free += [(shape.wall_at, shape.wall_at + 8)] if shape.wall_at is not None else []
    free += [shape.step_at] if shape.step_at else []
    return sorted(free)


def _column(rows: NDArray[np.void], at: int, kind: str) -> NDArray[np.generic]:
    """The bytes at an offset of every row, as the given type; a view."""
    form = np.dtype({"names": ["x"], "formats": [kind], "offsets": [at], "itemsize": rows.dtype.itemsize})
    return np.asarray(rows.view(form)["x"])


def _bytes(rows: NDArray[np.void]) -> NDArray[np.uint8]:
    """The rows as a matrix of bytes; a view."""
    return rows.view(np.uint8).reshape(rows.size, -1)


def _alike(rows: NDArray[np.void], first: bytes, shape: Layout) -> NDArray[np.bool_]:
    """Which rows equal ``first`` outside the free ranges and spend as many bytes on the step."""
    alike = np.ones(rows.size, dtype=np.bool_)
    at = 0
    for start, stop in [*_free(shape), (len(first) - 4, len(first))]:
        if start > at:
            alike &= _column(rows, at, f"S{start - at}") == np.bytes_(first[at:start])
        at = max(at, stop)
    for at in range(*(shape.step_at or (0, 0))):
        alike &= (_bytes(rows)[:, at] ^ first[at]) < 0x80
    return alike


def _decode(rows: NDArray[np.void], places: IntArray, first: bytes, shape: Layout, found: Scalars) -> None:
    """Take the scalars of rows of one shape, leaving out those with a wrong checksum."""
    right = _checked(rows, first, shape)
    if not right.all():
        found.damaged += int(right.size - right.sum())
        rows, places = rows[right], places[right]
        if not rows.size:
            return
    steps = np.zeros(rows.size, dtype=np.int64)
    for shift, at in enumerate(range(*(shape.step_at or (0, 0)))):
        steps |= (_bytes(rows)[:, at].astype(np.int64) & 0x7F) << 7 * shift
    times = np.full(rows.size, np.nan) if shape.wall_at is None else _floats(rows, shape.wall_at, "<f8")
    for cell in shape.cells:
        found.add(cell.tag, Block(places, steps.astype(np.float64), _floats(rows, cell.at, cell.kind), times))


def _floats(rows: NDArray[np.void], at: int, kind: str) -> FloatArray:
    """A column as float64."""
    return _column(rows, at, kind).astype(np.float64)


def _checked(rows: NDArray[np.void], first: bytes, shape: Layout) -> NDArray[np.bool_]:
    """Which rows have the right checksum, from the first row's and the shares of the bytes that differ."""
    size = len(first) - 4
    crc = np.full(rows.size, crc32c(first[:size]), dtype=np.uint32)
    for start, stop in _free(shape):
        for at in range(start, stop):
            share = shares(size - 1 - at)
            crc ^= (share ^ share[first[at]]).take(_bytes(rows)[:, at])
    return np.asarray(crc == unmasked(_column(rows, size, "<u4").astype(np.uint32)), dtype=np.bool_)


def _single(payload: bytes, foot: bytes, place: int, found: Scalars) -> None:
    """Decode one record, field by field; a damaged one is counted."""
    try:
        shape = layout(payload)
    except Damaged:
        found.damaged += 1
        return
    points = list(_numbers(payload, shape))
    if not points and not shape.texts:
        return
    if masked(crc32c(payload)) != int.from_bytes(foot, "little"):
        found.damaged += 1
        return
    found.texts.update(shape.texts)
    for tag, value in points:
        ones = (np.array([number], np.float64) for number in (shape.step, value, shape.wall(payload)))
        found.add(tag, Block(np.array([place], np.int64), *ones))


def _numbers(payload: bytes, shape: Layout) -> Iterator[tuple[str, float]]:
    """The scalars of one record."""
    for cell in shape.cells:
        yield cell.tag, float(np.frombuffer(payload, cell.kind, 1, cell.at)[0])
    yield from shape.numbers
