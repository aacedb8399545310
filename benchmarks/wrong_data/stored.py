"""Parquet files, folders, saved data sets and devices."""

from __future__ import annotations

import os
import random
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.wrong_data.case import (
    DPO,
    SFT,
    Make,
    WrongData,
    lines_of,
)


def parquet_files() -> Iterator[WrongData]:
    """Parquet that is damaged, or holds columns of other types."""

    def written(table: Callable[[Any], Any]) -> Make:
        def make(folder: Path) -> Path:
            import pyarrow
            import pyarrow.parquet

            pyarrow.parquet.write_table(table(pyarrow), folder / "rows.parquet")
            return folder / "rows.parquet"

        return make

    def damaged(harm: Callable[[bytes], bytes]) -> Make:
        def make(folder: Path) -> Path:
            path = written(lambda arrow: arrow.Table.from_pylist(SFT * 50))(folder)
            path.write_bytes(harm(path.read_bytes()))
            return path

        return make

    def flipped(seed: int) -> Callable[[bytes], bytes]:
        def flip(data: bytes) -> bytes:
            pick, out = random.Random(seed), bytearray(data)
            for _ in range(pick.choice((1, 4, 30))):
                out[pick.randrange(4, len(out) - 8)] ^= 1 << pick.randrange(8)
            return bytes(out)

        return flip

    for name, harm in {"cut": lambda d: d[:-50], "no end": lambda d: d[:-8], "no start": lambda d: d[40:]}.items():
        yield WrongData(f"parquet: {name}", "sft", damaged(harm))
    for seed in range(12):
        # A bit of a text makes another text: Parquet knows checksums, and few files have them.
        yield WrongData(f"parquet: bits flipped {seed}", "sft", damaged(flipped(seed)), fine=None)
    tables: dict[str, Callable[[Any], Any]] = {
        "no rows": lambda arrow: arrow.table({"prompt": [], "completion": []}),
        "no columns": lambda arrow: arrow.table({}),
        "numbers": lambda arrow: arrow.table({"prompt": [1, 2, 3], "completion": [4, 5, 6]}),
        "bytes": lambda arrow: arrow.table({"prompt": [b"\xff", b"b"], "completion": [b"c", b"d"]}),
        "nothing but nulls": lambda arrow: arrow.table({"prompt": arrow.nulls(3), "completion": arrow.nulls(3)}),
        "lists of lists": lambda arrow: arrow.table({"prompt": [[["a"]], [["b"]]], "completion": ["c", "d"]}),
        "times": lambda arrow: arrow.table({"prompt": arrow.array([1], arrow.timestamp("s")), "completion": ["a"]}),
        "a name twice": lambda arrow: arrow.Table.from_arrays([arrow.array(["a", "b"])] * 2, ["prompt", "prompt"]),
        "structs": lambda arrow: arrow.table({"prompt": [{"a": 1}, {"a": 2}], "completion": ["c", "d"]}),
    }  # fmt: skip
    for name, table in tables.items():
        yield WrongData(f"parquet: {name}", "sft", written(table))
    encoded = written(
        lambda arrow: arrow.table({k: arrow.array([r[k] for r in SFT]).dictionary_encode() for k in SFT[0]})
    )
    yield WrongData("parquet: encoded by a dictionary", "sft", encoded, fine=True)


def folders() -> Iterator[WrongData]:
    """Folders without rows, devices, links and saved data sets."""

    def folder_of(*files: tuple[str, bytes]) -> Make:
        def make(folder: Path) -> Path:
            for name, content in files:
                (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / "data" / name).write_bytes(content)
            (folder / "data").mkdir(exist_ok=True)
            return folder / "data"

        return make

    good = lines_of(SFT)
    yield WrongData("folder: empty", "sft", folder_of())
    yield WrongData("folder: a README alone", "sft", folder_of(("README.md", b"# rows")))
    yield WrongData("folder: a test file alone", "sft", folder_of(("test.jsonl", good)))
    yield WrongData("folder: one bad file of two", "sft", folder_of(("train.jsonl", good), ("test.jsonl", b"{")))
    yield WrongData("folder: two formats", "sft", folder_of(("train.jsonl", good), ("test.jsonl", lines_of(DPO))))
    yield WrongData("folder: train and test", "sft", folder_of(("train.jsonl", good), ("test.jsonl", good)), fine=True)
    yield WrongData("folder: named like a file", "sft", _made(lambda path: path.mkdir(), "rows.jsonl"))
    yield WrongData("a pipe", "sft", _made(os.mkfifo, "rows.jsonl"))
    yield WrongData("a socket", "sft", _made(lambda path: os.mknod(path, stat.S_IFSOCK | 0o600), "rows.jsonl"))
    yield WrongData("an endless device", "sft", _made(lambda path: path.symlink_to("/dev/zero"), "rows.jsonl"))
    yield WrongData("a link to nothing", "sft", _made(lambda path: path.symlink_to("gone.jsonl"), "rows.jsonl"))
    yield WrongData("a link to itself", "sft", _made(lambda path: path.symlink_to(path), "rows.jsonl"))
    yield from _saved_sets()


def _made(deed: Callable[[Path], object], name: str) -> Make:
    def make(folder: Path) -> Path:
        deed(folder / name)
        return folder / name

    return make


def _saved_sets() -> Iterator[WrongData]:
    def saved(harm: Callable[[Path], object]) -> Make:
        def make(folder: Path) -> Path:
            from datasets import Dataset

            Dataset.from_list(SFT).save_to_disk(str(folder / "set"))
            harm(folder / "set")
            return folder / "set"

        return make

    arrow = "data-00000-of-00001.arrow"
    for name, harm in {
        "state cut": lambda path: (path / "state.json").write_text("{"),
        "state of numbers": lambda path: (path / "state.json").write_text("[1]"),
        "info cut": lambda path: (path / "dataset_info.json").write_text('{"features": '),
        "rows gone": lambda path: (path / arrow).unlink(),
        "rows cut": lambda path: (path / arrow).write_bytes((path / arrow).read_bytes()[:300]),
        "rows of noise": lambda path: (path / arrow).write_bytes(random.Random(0).randbytes(3000)),
    }.items():
        yield WrongData(f"saved set: {name}", "sft", saved(harm))
    yield WrongData("saved set", "sft", saved(lambda path: None), fine=True)
