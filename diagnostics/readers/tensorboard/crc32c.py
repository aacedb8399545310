"""The checksum of TensorFlow's record files: CRC-32C, for one record and for many of the same length."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

POLYNOMIAL = 0x82F63B78


def _table() -> list[int]:
    """What each byte adds to the checksum when it is the last one."""
    rows = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (POLYNOMIAL if value & 1 else 0)
        rows.append(value)
    return rows


TABLE = _table()


def crc32c(data: bytes) -> int:
    """The plain CRC-32C of ``data``."""
    value, table = 0xFFFFFFFF, TABLE
    for byte in data:
        value = value >> 8 ^ table[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """The checksum as record files store it: turned by 15 bits and shifted by a constant."""
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def unmasked(stored: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The plain checksums of stored ones."""
    turned = stored - np.uint32(0xA282EAD8)
    return turned >> np.uint32(17) | turned << np.uint32(15)


@cache
def shares(following: int) -> NDArray[np.uint32]:
    """What each of the 256 bytes adds to the checksum when ``following`` bytes come after it.

    CRC is linear: changing a byte changes the checksum by the exclusive or of its old and its new share, so
    records that differ in few bytes need few look-ups.
    """
    if following == 0:
        return np.asarray(TABLE, dtype=np.uint32)
    before = shares(following - 1)
    after: NDArray[np.uint32] = before >> np.uint32(8) ^ shares(0)[before & np.uint32(0xFF)]
    return after
