"""What one record of an event file says: the few protobuf fields of ``Event`` that a diagnosis needs.

The layout of the messages is that of tensorflow's event.proto, summary.proto and tensor.proto.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
NUMBER_TYPES = {1: "<f4", 2: "<f8", 3: "<i4", 9: "<i8", 19: "<f2", 4: "<u1", 6: "<i1"}
"""TensorProto's dtype numbers as numpy spells them; other types hold no scalar of ours."""


class Damaged(ValueError):
    """The bytes are not a message of the expected kind."""


class Field(NamedTuple):
    """One field of a message: its number, its wire type, where its content lies, and its value when a varint."""

    number: int
    wire: int
    start: int
    stop: int
    value: int


class Cell(NamedTuple):
    """A scalar in a record: its tag, where its bytes lie, and their numpy type."""

    tag: str
    at: int
    kind: str


@dataclass
class Layout:
    """What a record holds and where: the wall time, the step's bytes, the scalars, and texts by tag."""

    wall_at: int | None = None
    step_at: tuple[int, int] | None = None
    step: int = 0
    cells: list[Cell] = field(default_factory=list)
    numbers: list[tuple[str, float]] = field(default_factory=list)
    texts: list[tuple[str, bytes]] = field(default_factory=list)

    def wall(self, data: bytes) -> float:
        """Seconds since 1970, nan when the record does not say."""
        return float(struct.unpack_from("<d", data, self.wall_at)[0]) if self.wall_at is not None else float("nan")


def layout(data: bytes) -> Layout:
    """The layout of one event's payload. Raises ``Damaged`` when it is not an event."""
    found = Layout()
    for part in fields(data, 0, len(data)):
        if part.number == 1 and part.wire == FIXED64:
            found.wall_at = part.start
        elif part.number == 2 and part.wire == VARINT:
            found.step_at, found.step = (part.start, part.stop), _signed(part.value)
        elif part.number == 5 and part.wire == BYTES:
            for value in fields(data, part.start, part.stop):
                if value.number == 1 and value.wire == BYTES:
                    _summary_value(data, value, found)
    return found


def fields(data: bytes, start: int, stop: int) -> Iterator[Field]:
    """The fields of a message that lies at ``start:stop``. Raises ``Damaged`` where they do not fit."""
    at = start
    while at < stop:
        key, at = varint(data, at, stop)
        number, wire = key >> 3, key & 7
        first, value = at, 0
        if wire == VARINT:
            value, at = varint(data, at, stop)
        elif wire == BYTES:
            size, first = varint(data, at, stop)
            at = first + size
        elif wire in (FIXED64, FIXED32):
            at += 8 if wire == FIXED64 else 4
        else:
            raise Damaged(f"wire type {wire}")
        if at > stop or number == 0:
            raise Damaged("a field runs past the end")
        yield Field(number, wire, first, at, value)


def varint(data: bytes, at: int, stop: int) -> tuple[int, int]:
    """An unsigned varint and the position after it. Raises ``Damaged`` when it is cut or longer than 10 bytes."""
    value, shift = 0, 0
    while at < stop and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise Damaged("a number has no end")


def _signed(value: int) -> int:
    """A varint read as a signed 64-bit number."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def _summary_value(data: bytes, where: Field, found: Layout) -> None:
    """Add the scalar or the text of one ``Summary.Value`` to ``found``; other kinds add nothing."""
    tag, simple, tensor, plugin = "", None, None, b""
    for part in fields(data, where.start, where.stop):
        if part.number == 1 and part.wire == BYTES:
            tag = data[part.start : part.stop].decode("utf-8", "replace")
        elif part.number == 2 and part.wire == FIXED32:
            simple = part.start
        elif part.number == 8 and part.wire == BYTES:
            tensor = part
        elif part.number == 9 and part.wire == BYTES:
            plugin = data[part.start : part.stop]
    if tag.startswith("_hparams_/"):
        found.texts.append((tag, plugin))
    elif simple is not None:
        found.cells.append(Cell(tag, simple, "<f4"))
    elif tensor is not None:
        _tensor(data, tensor, tag, found)


def _tensor(data: bytes, where: Field, tag: str, found: Layout) -> None:
    """Add a tensor of one number, or of texts, to ``found``."""
    kind, single = 0, True
    held: list[Field] = []
    for part in fields(data, where.start, where.stop):
        if part.number == 1 and part.wire == VARINT:
            kind = part.value
        elif part.number == 2 and part.wire == BYTES:
            single = _count(data, part) == 1
        elif part.number in (4, 5, 6, 7, 8, 10, 13):
            held.append(part)
    if kind == 7:
        texts = [data[part.start : part.stop] for part in held if part.number == 8 and part.wire == BYTES]
        found.texts.extend((tag, raw) for raw in texts[:1])
    elif kind in NUMBER_TYPES and single and len(held) == 1:
        _number(data, held[0], NUMBER_TYPES[kind], tag, found)


def _number(data: bytes, part: Field, kind: str, tag: str, found: Layout) -> None:
    """Add a tensor's only number: raw bytes and floats by their place, whole numbers by their value."""
    width = int(kind[-1])
    if part.number in (4, 5, 6) and part.wire != VARINT and part.stop - part.start == width:
        found.cells.append(Cell(tag, part.start, kind))
    elif part.number in (7, 10) and part.wire in (VARINT, BYTES):
        value = part.value if part.wire == VARINT else varint(data, part.start, part.stop)[0]
        found.numbers.append((tag, float(_signed(value))))


def _count(data: bytes, shape: Field) -> int:
    """The number of elements of a ``TensorShapeProto``."""
    total = 1
    for dim in fields(data, shape.start, shape.stop):
        if dim.number == 2 and dim.wire == BYTES:
            sizes = [p.value for p in fields(data, dim.start, dim.stop) if p.number == 1 and p.wire == VARINT]
            total *= sizes[0] if sizes else 0
    return total
