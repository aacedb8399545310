from __future__ import annotations

import struct

import numpy as np
import pytest

from diagnostics.readers.tensorboard.scalars import Scalars, scalars
from tests.diagnostics.readers.records import event, part, record, simple, tensor, version, words


def points(found: Scalars, tag: str) -> list[tuple[float, float]]:
    """The points of a tag in file order."""
    rows = [row for b in found.blocks[tag] for row in zip(b.places, b.steps, b.values, strict=True)]
    return [(float(step), float(value)) for _, step, value in sorted(rows)]


def test_every_step_and_value_comes_back_across_step_lengths():
    steps = [0, 1, 5, 127, 128, 129, 300, 16383, 16384, 16385, 2097151, 2097152, 2**40, 2**62]
    data = version() + b"".join(event(step, simple("loss", 1 / (step + 1))) for step in steps)
    assert points(scalars(data), "loss") == [(float(s), float(np.float32(1 / (s + 1)))) for s in steps]


def test_tags_of_equal_length_are_kept_apart():
    data = b"".join(event(s, simple("aaa", s)) + event(s, simple("bbb", -s)) for s in range(200))
    found = scalars(data)
    assert points(found, "aaa") == [(float(s), float(s)) for s in range(200)]
    assert points(found, "bbb") == [(float(s), float(-s)) for s in range(200)]


def test_more_tags_than_passes_are_still_read():
    data = b"".join(event(s, simple(f"tag{k:04}", s + k)) for k in range(700) for s in (1, 2))
    found = scalars(data)
    assert len(found.blocks) == 700
    assert points(found, "tag0699") == [(1.0, 700.0), (2.0, 701.0)]


def test_several_values_in_one_record_are_all_read():
    data = b"".join(event(s, simple("a", s), tensor("b", -s)) for s in range(50))
    assert points(scalars(data), "a") == [(float(s), float(s)) for s in range(50)]
    assert points(scalars(data), "b") == [(float(s), float(-s)) for s in range(50)]


@pytest.mark.parametrize("count", [1, 50])
def test_tensor_scalars_of_every_number_type_are_read(count: int):
    one = part(2, b"")
    kinds = {
        "f4": b"\x08\x01" + one + part(5, struct.pack("<f", 2.5)),
        "f8": b"\x08\x02" + one + part(6, struct.pack("<d", 2.5)),
        "raw": b"\x08\x02" + one + part(4, struct.pack("<d", 2.5)),
        "half": b"\x08\x13" + one + part(4, struct.pack("<e", 2.5)),
        "int": b"\x08\x03" + one + part(7, b"\x07"),
        "long": b"\x08\x09" + one + b"\x50\x07",
        "vector": b"\x08\x01" + part(2, part(2, b"\x08\x02")) + part(4, struct.pack("<ff", 1, 2)),
    }
    data = b"".join(event(s, part(1, k.encode()) + part(8, v)) for k, v in kinds.items() for s in range(count))
    found = scalars(data)
    last = {tag: points(found, tag)[-1][1] for tag in found.blocks}
    assert last == {"f4": 2.5, "f8": 2.5, "raw": 2.5, "half": 2.5, "int": 7.0, "long": 7.0}


def test_nan_and_inf_are_read_as_logged():
    data = b"".join(
        event(s, simple("loss", v)) for s, v in enumerate([1.0, float("nan"), float("inf"), -float("inf"), 0.0])
    )
    values = [value for _, value in points(scalars(data), "loss")]
    assert np.array_equal(values, [1.0, np.nan, np.inf, -np.inf, 0.0], equal_nan=True)


def test_negative_steps_are_read():
    data = b"".join(event(step, simple("loss", 1)) for step in range(-5, 0))
    assert [step for step, _ in points(scalars(data), "loss")] == [-5, -4, -3, -2, -1]


def test_a_wrong_checksum_costs_its_record_and_is_counted():
    good = [event(s, simple("loss", s)) for s in range(1, 101)]
    bad = bytearray(good[40])
    bad[-6] ^= 0x40
    found = scalars(b"".join([*good[:40], bytes(bad), *good[41:]]))
    assert [step for step, _ in points(found, "loss")] == [float(s) for s in range(1, 101) if s != 41]
    assert found.damaged == 1


def test_texts_between_scalars_are_read_and_do_not_disturb():
    data = b"".join(event(s, simple("loss", s)) + event(s, words(f"note{s:03}", "x" * s)) for s in range(1, 60))
    found = scalars(data)
    assert len(points(found, "loss")) == 59
    assert found.texts["note007"] == b"xxxxxxx"


def test_records_that_are_no_event_are_left_out():
    data = record(b"\x07rubbish") + record(b"") + event(1, simple("loss", 2)) + record(b"\xff" * 50)
    assert points(scalars(data), "loss") == [(1.0, 2.0)]


def test_cutting_at_every_byte_keeps_all_whole_records():
    rows = [
        version(),
        *(event(s, simple("loss", s), simple("lr", -s)) for s in range(1, 9)),
        event(9, words("t", "hi")),
    ]
    data, ends = b"".join(rows), np.cumsum([len(row) for row in rows])
    for length in range(len(data) + 1):
        whole = int(np.searchsorted(ends, length, side="right"))
        found = scalars(data[:length])
        expected = [(float(s), float(s)) for s in range(1, min(whole, 9))]
        assert (points(found, "loss") if expected else []) == expected
        assert found.damaged == 0
        assert found.cut == (length not in {0, *ends})


def test_mutated_files_never_invent_a_value():
    rng = np.random.default_rng(7)
    rows = [version(), *(event(s, simple("loss", 1000.0 + s), tensor("acc", s)) for s in range(1, 41))]
    data = b"".join(rows)
    for _ in range(400):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), int(rng.integers(1, 6))):
            broken[at] = int(rng.integers(256))
        if rng.random() < 0.3:
            at, size = int(rng.integers(len(data))), int(rng.integers(1, 60))
            broken[at : at + size] = rng.bytes(int(rng.integers(0, 90)))
        found = scalars(bytes(broken))
        assert set(found.blocks) <= {"loss", "acc"}
        for step, value in points(found, "loss") if "loss" in found.blocks else []:
            assert value == 1000.0 + step
