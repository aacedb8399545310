"""Whole files that are not what their ending says: encodings, cuts, noise, JSON of another shape."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator

from benchmarks.wrong_data.case import (
    SFT,
    WRITERS,
    WrongData,
    bytes_in,
    lines_of,
)

RANDOM = random.Random(0)


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "UTF-8 with a mark": lambda text: b"\xef\xbb\xbf" + text,
    "UTF-16": lambda text: text.decode().encode("utf-16"),
    "UTF-16 without a mark": lambda text: text.decode().encode("utf-16-le"),
    "UTF-32": lambda text: text.decode().encode("utf-32"),
    "Latin-1": lambda text: text.replace(b"What", "Ä".encode("latin-1")),
    "a zero byte": lambda text: text.replace(b"What", b"Wh\0at", 1),
    "carriage returns": lambda text: text.replace(b"\r\n", b"\n").replace(b"\n", b"\r"),
    "both line ends": lambda text: text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"),
    "cut in the middle": lambda text: text[: len(text) // 2],
    "zeros at the end": lambda text: text + bytes(4096),
    "bits flipped": lambda text: bytes(byte ^ 128 if k % 97 == 50 else byte for k, byte in enumerate(text)),
}


READ_AS_IT_IS = {
    *(("UTF-8 with a mark", kind) for kind in WRITERS),
    *(("both line ends", kind) for kind in WRITERS),
    *(("carriage returns", kind) for kind in WRITERS),
    *(("a zero byte", kind) for kind in ("csv", "tsv")),
    *(("cut in the middle", kind) for kind in ("csv", "tsv")),  # nothing says that the last text was longer
}


def encodings() -> Iterator[WrongData]:
    """Good rows in other encodings, and cut."""
    for kind, write in WRITERS.items():
        for name, damage in ENCODINGS.items():
            fine = (name, kind) in READ_AS_IT_IS
            yield WrongData(f"{kind}: {name}", "sft", bytes_in(f"rows.{kind}", damage(write(SFT))), fine)


TEXTS: dict[str, bytes] = {
    "empty": b"",
    "white space": b" \n\n \n",
    "a mark alone": b"\xef\xbb\xbf",
    "gzip": b"\x1f\x8b\x08\0" + bytes(range(256)),
    "zip": b"PK\3\4" + bytes(range(256)),
    "PDF": b"%PDF-1.7\n" + bytes(range(256)),
    "noise": RANDOM.randbytes(5000),
    "a web page": b"<!doctype html><html><body>404</body></html>",
    "deep": b'{"prompt": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "rather deep": b'{"prompt": ' + b"[" * 300 + b"]" * 300 + b"}\n",
    "digits": b'{"prompt": "a", "completion": ' + b"9" * 6000 + b"}\n",
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
}


def broken_texts() -> Iterator[WrongData]:
    """Files that hold something else, or JSON of another shape."""
    for name, content in TEXTS.items():
        for kind in ("jsonl", "json", "csv", "parquet"):
            yield WrongData(f"{kind}: {name}", "sft", bytes_in(f"rows.{kind}", content))
    for name, text in {
        "a number": "3",
        "a text": '"x"',
        "nothing": "null",
        "an empty list": "[]",
        "an empty mapping": "{}",
        "lists": "[[1, 2], [3, 4]]",
        "two tables": '{"a": [{"prompt": "x"}], "b": [{"prompt": "y"}]}',
        "columns": json.dumps({"prompt": ["a", "b"], "completion": ["c", "d"]}),
        "mappings by name": json.dumps({str(k): row for k, row in enumerate(SFT)}),
    }.items():
        yield WrongData(f"json: {name}", "sft", bytes_in("rows.json", text.encode()))
    yield WrongData("json: rows as data", "sft", bytes_in("rows.json", json.dumps({"data": SFT}).encode()), fine=True)
    yield WrongData("json: really lines", "sft", bytes_in("rows.json", lines_of(SFT)), fine=True)
    yield WrongData("no ending", "sft", bytes_in("rows", lines_of(SFT)))
    yield WrongData("unknown ending", "sft", bytes_in("rows.xlsx", lines_of(SFT)))
    yield WrongData("txt: lines", "sft", bytes_in("rows.txt", b"one line\nand another\nand a third\n"), fine=True)
    yield WrongData("txt: noise", "sft", bytes_in("rows.txt", RANDOM.randbytes(5000)))
    long = [*SFT, {"prompt": "Sum it up", "completion": "word " * 2_000_000}]
    yield WrongData("jsonl: a row of 10 MB", "sft", bytes_in("rows.jsonl", lines_of(long)), fine=True)
