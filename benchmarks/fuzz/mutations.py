"""Ways to damage a log, each by a seeded choice."""

from __future__ import annotations

import random
import re
import struct
from collections.abc import Callable

from diagnostics.readers.tensorboard.crc32c import crc32c, masked

NUMBER = re.compile(rb"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
ODD = (
    b"NaN",
    b"nan",
    b"-inf",
    b"Infinity",
    b"1e400",
    b"-1",
    b"-7.5",
    b"9" * 400,
    b"9" * 5000,
    b"1.8e19",
    b"0",
    b"null",
    b'""',
    b"true",
    b"[]",
    b"{}",
)
HUGE = (2**31, 2**32 - 1, 2**40, 2**63, 2**64 - 1)

Mutation = Callable[[random.Random, bytes], bytes]


def flip_bits(pick: random.Random, data: bytes) -> bytes:
    """Some bits turned."""
    out = bytearray(data)
    for _ in range(pick.choice((1, 2, 8, 64))):
        if out:
            out[pick.randrange(len(out))] ^= 1 << pick.randrange(8)
    return bytes(out)


def cut_tail(pick: random.Random, data: bytes) -> bytes:
    """The end missing, as in a file that is still being written."""
    return data[: pick.randrange(len(data) + 1)]


def cut_head(pick: random.Random, data: bytes) -> bytes:
    """The start missing."""
    return data[pick.randrange(len(data) + 1) :]


def span(pick: random.Random, data: bytes) -> tuple[int, int]:
    """A random stretch of the data."""
    start = pick.randrange(len(data) + 1)
    return start, min(len(data), start + pick.choice((1, 7, 64, 700, 7000)))


def drop_block(pick: random.Random, data: bytes) -> bytes:
    """A stretch missing."""
    start, stop = span(pick, data)
    return data[:start] + data[stop:]


def double_block(pick: random.Random, data: bytes) -> bytes:
    """A stretch twice or many times."""
    start, stop = span(pick, data)
    return data[:start] + data[start:stop] * pick.choice((2, 3, 20)) + data[stop:]


def random_bytes(pick: random.Random, data: bytes) -> bytes:
    """A stretch of made-up bytes in between or instead."""
    start, stop = span(pick, data)
    return data[:start] + pick.randbytes(pick.choice((1, 16, 500))) + data[stop if pick.random() < 0.5 else start :]


def huge_lengths(pick: random.Random, data: bytes) -> bytes:
    """Eight bytes that tell a huge length, sometimes with the checksum that a record file wants."""
    start = pick.randrange(len(data) + 1)
    head = struct.pack("<Q", pick.choice(HUGE))
    head += struct.pack("<I", masked(crc32c(head))) if pick.random() < 0.5 else b""
    return data[:start] + head + data[start + (len(head) if pick.random() < 0.5 else 0) :]


def broken_utf8(pick: random.Random, data: bytes) -> bytes:
    """Bytes that are no UTF-8, marks of other encodings, zero bytes."""
    start = pick.randrange(len(data) + 1)
    return (
        data[:start] + pick.choice((b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"\0", b"\xf8", b"\x1b[")) + data[start:]
    )


def odd_numbers(pick: random.Random, data: bytes) -> bytes:
    """Some written numbers replaced by ones that nobody expects."""
    places = [found.span() for found in NUMBER.finditer(data)]
    for start, stop in sorted(pick.sample(places, min(len(places), pick.choice((1, 3, 30)))), reverse=True):
        data = data[:start] + pick.choice(ODD) + data[stop:]
    return data


def nested(pick: random.Random, data: bytes) -> bytes:
    """Brackets many levels deep."""
    start, depth = pick.randrange(len(data) + 1), pick.choice((10, 1000, 100_000))
    opening, closing = pick.choice(((b"[", b"]"), (b'{"a":', b"}"), (b"{'loss': ", b"}"), (b"(", b")")))
    return data[:start] + opening * depth + (closing * depth if pick.random() < 0.5 else b"") + data[start:]


def shuffled_lines(pick: random.Random, data: bytes) -> bytes:
    """The lines in another order, some of them glued together."""
    lines = data.split(b"\n")
    pick.shuffle(lines)
    return pick.choice((b"\n", b"\r", b"", b"\n\n")).join(lines)


def zero_tail(pick: random.Random, data: bytes) -> bytes:
    """Zeros at the end, as a crash of the machine leaves them, and sometimes more data after them."""
    return data + bytes(pick.choice((1, 100, 5000, 1 << 20))) + (data if pick.random() < 0.2 else b"")


def endless_line(pick: random.Random, data: bytes) -> bytes:
    """A few characters of the log again and again, up to a million of them on one line, after the log or instead."""
    start = pick.randrange(len(data) + 1)
    part = data[start : start + pick.choice((1, 2, 5, 9, 17, 40))].replace(b"\n", b" ") or b"9"
    line = part * (pick.choice((20_000, 1_000_000)) // len(part))
    return pick.choice((data + line, data[:start] + line + data[start:], line))


def empty(pick: random.Random, data: bytes) -> bytes:
    """Nothing, or white space."""
    return pick.choice((b"", b"\n", b" " * 9, b"\0" * 64))


def several(pick: random.Random, data: bytes) -> bytes:
    """Some damage after another."""
    for mutate in pick.sample(MUTATIONS[:-1], 3):
        data = mutate(pick, data)
    return data


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    cut_tail,
    cut_head,
    drop_block,
    double_block,
    random_bytes,
    huge_lengths,
    broken_utf8,
    odd_numbers,
    nested,
    shuffled_lines,
    zero_tail,
    endless_line,
    empty,
    several,
)
