"""Event files written byte by byte, so that the tests need no tensorboard and can write what it would not."""

from __future__ import annotations

import struct

from diagnostics.readers.tensorboard.crc32c import crc32c, masked

START = 1.7e9


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def part(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return varint(number << 3 | 2) + varint(len(content)) + content


def record(payload: bytes) -> bytes:
    head = struct.pack("<Q", len(payload))
    return head + struct.pack("<I", masked(crc32c(head))) + payload + struct.pack("<I", masked(crc32c(payload)))


def event(step: int, *values: bytes, wall: float | None = None) -> bytes:
    time = struct.pack("<d", START + step if wall is None else wall)
    body = b"".join(part(1, value) for value in values)
    return record(b"\x09" + time + (b"\x10" + varint(step) if step else b"") + part(5, body))


def simple(tag: str, value: float) -> bytes:
    """A scalar as torch's SummaryWriter writes it."""
    return part(1, tag.encode()) + b"\x15" + struct.pack("<f", value)


def tensor(tag: str, value: float) -> bytes:
    """A scalar as tf.summary.scalar and Keras write it."""
    metadata = part(9, part(1, part(1, b"scalars")))
    return part(1, tag.encode()) + part(8, b"\x08\x01" + part(2, b"") + part(4, struct.pack("<f", value))) + metadata


def words(tag: str, said: str) -> bytes:
    """A text as SummaryWriter.add_text writes it."""
    metadata = part(9, part(1, part(1, b"text")))
    return (
        part(1, tag.encode()) + part(8, b"\x08\x07" + part(2, part(2, b"\x08\x01")) + part(8, said.encode())) + metadata
    )


def version() -> bytes:
    return record(b"\x09" + struct.pack("<d", START) + part(3, b"brain.Event:2"))
