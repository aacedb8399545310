from __future__ import annotations

import numpy as np
import pytest

from diagnostics.readers.tensorboard.crc32c import crc32c, masked, shares, unmasked
from diagnostics.readers.tensorboard.tfrecord import frames
from tests.diagnostics.readers.records import record


def payloads(data: bytes) -> list[bytes]:
    where = frames(data)
    return [data[start : start + size] for start, size in zip(where.starts, where.sizes, strict=True)]


def test_the_checksum_is_that_of_the_standard():
    # RFC 3720, appendix B.4: CRC-32C of 32 zero bytes, 32 bytes of ones, and 0..31.
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


def test_a_changed_byte_changes_the_checksum_by_its_share():
    before, after = b"abcdefg", b"abXdefg"
    change = shares(4)[ord("c")] ^ shares(4)[ord("X")]
    assert crc32c(before) ^ int(change) == crc32c(after)


def test_masking_can_be_undone():
    plain = [0, 1, 0x8A9136AA, 0xFFFFFFFF]
    stored = np.array([masked(crc) for crc in plain], dtype=np.uint32)
    assert unmasked(stored).tolist() == plain


def test_records_come_back_in_order():
    said = [b"a", b"bb", b"", b"ccc" * 100]
    assert payloads(b"".join(map(record, said))) == said


@pytest.mark.parametrize("period", [1, 3, 4, 33])
def test_long_cycles_of_lengths_come_back_whole(period: int):
    said = [bytes([k % 251]) * (3 + k % period) for k in range(3000)]
    said[1500] = b"odd one out" * 3
    assert payloads(b"".join(map(record, said))) == said


def test_random_lengths_come_back_whole():
    rng = np.random.default_rng(0)
    said = [bytes(int(size)) for size in rng.integers(0, 60, 2000)]
    assert payloads(b"".join(map(record, said))) == said


@pytest.mark.parametrize("garbage", [b"\xff", b"\0" * 5, b"\0" * 40, b"some words in between", bytes(range(256))])
def test_reading_continues_after_garbage(garbage: bytes):
    data = record(b"first") + garbage + record(b"second") + record(b"third")
    assert payloads(data) == [b"first", b"second", b"third"]
    assert frames(data).lost == 1
    assert not frames(data).cut


def test_a_cut_tail_is_counted_and_the_rest_is_read():
    data = record(b"first") + record(b"second")
    for length in range(len(record(b"first")) + 1, len(data)):
        assert payloads(data[:length]) == [b"first"]
        assert frames(data[:length]).cut
    assert not frames(data).cut


def test_an_empty_file_has_no_records():
    assert payloads(b"") == []
