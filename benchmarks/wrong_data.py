"""About 200 wrong data files, each to be refused in one line, or read as it is: no traceback, no hang, no memory gone.

``python -m benchmarks.wrong_data [--limit SECONDS] [--train] [--seed 0]`` makes JSON, JSON lines, CSV, Parquet, folders
and saved data sets with damage of every kind, loads each as a study does, in a process of its own, and prints what came
of them. ``--train`` trains one step on each that was accepted.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import multiprocessing
import os
import random
import resource
import signal
import stat
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tuner.config.study_file import StudyBlock, StudySpec
from tuner.errors import SpecError, Unfinished

ROWS = 20
BAD = 7
"""The row that is damaged, counted from 1."""
LIMIT, MEMORY, HANG = 5.0, 1 << 30, 60.0
"""Processor seconds, bytes above what the process held before, and seconds by the clock, that one file may cost."""
LONGEST_LINE = 700
SFT = [{"prompt": f"What is {k} and one?", "completion": f"It is {k + 1}."} for k in range(ROWS)]
DPO = [{"prompt": f"What is {k}?", "chosen": f"It is {k}.", "rejected": "I do not know."} for k in range(ROWS)]
CHAT = [
    {"messages": [{"role": "user", "content": f"Say {k}"}, {"role": "assistant", "content": str(k)}]}
    for k in range(ROWS)
]
Make = Callable[[Path], Path]
Row = dict[str, Any]
RANDOM = random.Random(0)


@dataclass(frozen=True)
class WrongData:
    """One case: ``make`` writes it into a folder and returns what a study file names.

    ``fine`` cases look wrong and are right; None for those that may be either. ``row`` is the row that its line
    must name, None where there is none.
    """

    name: str
    method: str
    make: Make
    fine: bool | None = False
    row: int | None = None

    @property
    def right(self) -> tuple[str, ...]:
        """What may come of it."""
        return {True: ("accepted",), False: ("refused",), None: ("accepted", "refused")}[self.fine]


def cases() -> Iterator[WrongData]:
    """All of them."""
    yield from _encodings()
    yield from _broken_texts()
    yield from _broken_rows()
    yield from _broken_turns()
    yield from _wrong_columns()
    yield from _tables()
    yield from _parquet_files()
    yield from _folders()


def bytes_in(name: str, content: bytes) -> Make:
    """A file of these bytes."""

    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return make


def lines_of(rows: list[Any]) -> bytes:
    """Rows as JSON lines."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode("utf-8", "surrogatepass")


def table_of(rows: list[Row], delimiter: str = ",") -> bytes:
    """Rows as CSV."""
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


WRITERS: dict[str, Callable[[list[Row]], bytes]] = {
    "jsonl": lines_of,
    "json": lambda rows: json.dumps(rows).encode(),
    "csv": table_of,
    "tsv": lambda rows: table_of(rows, "\t"),
}
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


def _encodings() -> Iterator[WrongData]:
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


def _broken_texts() -> Iterator[WrongData]:
    for name, content in TEXTS.items():
        for kind in ("jsonl", "json", "csv", "parquet"):
            fine = kind == "csv" and False
            yield WrongData(f"{kind}: {name}", "sft", bytes_in(f"rows.{kind}", content), fine)
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


WRONG_ROWS: dict[str, Any] = {
    "null": None,
    "a list": ["a", "b"],
    "a number": 3,
    "a text": "a",
    "nothing in it": {},
    "other columns": {"x": 1},
}
WRONG_FIELDS: dict[str, Any] = {
    "null": None,
    "a number": 7,
    "nan": float("nan"),
    "true": True,
    "an empty text": "",
    "white space": " \n ",
    "an empty list": [],
    "a list of texts": ["a", "b"],
    "a list of lists": [[["a"]]],
    "a mapping": {"a": 1},
    "a lone surrogate": "\ud800",
    "a huge number": 10**30,
}


def _broken_rows() -> Iterator[WrongData]:
    for kind, method, rows in (
        ("jsonl", "sft", SFT),
        ("json", "sft", SFT),
        ("jsonl", "dpo", DPO),
        ("jsonl", "sft", CHAT),
    ):
        for name, row in WRONG_ROWS.items():
            yield _with_row(kind, name, method, rows, row)
    for method, rows, fields in (("sft", SFT, ("prompt", "completion")), ("dpo", DPO, ("chosen", "rejected"))):
        for field in fields:
            for name, value in WRONG_FIELDS.items():
                yield _with_row("jsonl", f"{field} is {name}", method, rows, {**rows[BAD - 1], field: value})
        row = {key: value for key, value in rows[BAD - 1].items() if key != fields[-1]}
        yield _with_row("jsonl", f"{fields[-1]} is missing", method, rows, row)
    yield WrongData(
        "jsonl: chosen is rejected in every row",
        "dpo",
        bytes_in("rows.jsonl", lines_of([{**row, "rejected": row["chosen"]} for row in DPO])),
    )
    same = [{"prompt": "the same", "completion": str(k)} for k in range(ROWS)]
    yield WrongData("jsonl: one prompt", "sft", bytes_in("rows.jsonl", lines_of(same)))
    yield WrongData("jsonl: one row", "sft", bytes_in("rows.jsonl", lines_of(SFT[:1])))


def _with_row(kind: str, name: str, method: str, rows: list[Row], row: Any) -> WrongData:
    content = WRITERS[kind]([*rows[: BAD - 1], row, *rows[BAD:]])
    return WrongData(f"{kind} of {method}: {name}", method, bytes_in(f"rows.{kind}", content), row=BAD)


def _broken_turns() -> Iterator[WrongData]:
    user, bot = {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}
    for name, turns in {
        "null": None,
        "a text": "hello",
        "a number": 3,
        "no turn": [],
        "a turn is null": [user, None],
        "a turn is a text": ["q", "a"],
        "a turn without a role": [{"content": "q"}, bot],
        "an unknown role": [{"role": "robot", "content": "q"}, bot],
        "a role that is a number": [{"role": 3, "content": "q"}, bot],
        "a turn without content": [{"role": "user"}, bot],
        "content is null": [user, {"role": "assistant", "content": None}],
        "content is a number": [{"role": "user", "content": 3}, bot],
        "content is a list": [{"role": "user", "content": [{"type": "text", "text": "q"}]}, bot],
        "an empty answer": [user, {"role": "assistant", "content": " "}],
        "nobody answers": [user, user],
        "a system turn alone": [{"role": "system", "content": "s"}],
        "a mapping": {"role": "user", "content": "q"},
        "nested": [[user, bot]],
    }.items():
        yield _with_row("jsonl", f"turns: {name}", "sft", CHAT, {"messages": turns})
    for name, tools in {"null": None, "a text": "f()", "a number": 3, "a list of numbers": [1]}.items():
        turn = {"role": "assistant", "content": None, "tool_calls": tools}
        yield _with_row("jsonl", f"tool calls: {name}", "sft", CHAT, {"messages": [user, turn]})


def _wrong_columns() -> Iterator[WrongData]:
    alpaca = [{"instruction": str(k), "output": "a"} for k in range(ROWS)]
    renamed = [{"Prompt": row["prompt"], "Completion": row["completion"]} for row in SFT]
    for name, method, rows in (
        ("pairs for sft", "sft", DPO),
        ("instructions for dpo", "dpo", SFT),
        ("turns for dpo", "dpo", CHAT),
        ("other columns", "sft", [{"a": k, "b": k} for k in range(ROWS)]),
        ("capital letters", "sft", renamed),
        ("spaces", "sft", [{f" {key} ": value for key, value in row.items()} for row in SFT]),
        ("an empty name", "sft", [{"": "x", **row} for row in renamed]),
        ("a column named None", "sft", [{"None": None} for _ in SFT]),
        ("20,000 columns", "sft", [{f"c{k}": k for k in range(20_000)} for _ in range(3)]),
        ("chosen is text and rejected turns", "dpo", [{**row, "rejected": CHAT[0]["messages"]} for row in DPO]),
        ("turns that share no prompt", "dpo", [{"chosen": _turns(k), "rejected": _turns(-k)} for k in (1, 2, 3)]),
        ("chosen and rejected alone", "dpo", [{"chosen": [None], "rejected": [None]} for _ in DPO]),
        ("history that is no pairs", "sft", [{**row, "history": [1, 2]} for row in alpaca]),
        ("history that is a text", "sft", [{**row, "history": "ab"} for row in alpaca]),
        ("system that is a number", "sft", [{**row, "system": 3} for row in alpaca]),
        ("tokens already", "sft", [{"input_ids": [1, 2, k]} for k in range(9)]),
    ):  # fmt: skip
        yield WrongData(f"columns: {name}", method, bytes_in("rows.jsonl", lines_of(rows)))
    mixed = [{**row, "extra": k if k % 2 else "text"} for k, row in enumerate(SFT)]
    yield WrongData("columns: one of two types", "sft", bytes_in("rows.jsonl", lines_of(mixed)), fine=True)


def _turns(number: int) -> list[Row]:
    turns: list[Row] = CHAT[number]["messages"]
    return turns


def _tables() -> Iterator[WrongData]:
    good = table_of(SFT).decode().splitlines()
    for name, lines, fine in (
        ("a header alone", good[:1], False),
        ("no header", good[1:], False),
        ("a name twice", ["prompt,completion,prompt", *(f"{line},x" for line in good[1:])], False),
        ("an empty name", ["prompt,,", *(f"{line},x" for line in good[1:])], False),
        ("more fields than names", [*good[:5], f"{good[5]},more", *good[6:]], False),
        ("fewer fields than names", [*good[:5], "only one", *good[6:]], False),
        ("a quote that is not closed", [*good[:5], 'q,"a', *good[6:]], False),
        ("semicolons", [line.replace(",", ";") for line in good], False),
        ("empty lines between", [part for line in good for part in (line, "")], True),
        ("line ends in quotes", [*good[:5], 'q,"a', 'b"', *good[6:]], True),
        ("a comment first", ["# rows of ours", *good], False),
    ):
        yield WrongData(f"csv: {name}", "sft", bytes_in("rows.csv", "\n".join(lines).encode()), fine)


def _parquet_files() -> Iterator[WrongData]:
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


def _folders() -> Iterator[WrongData]:
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
        "rows of noise": lambda path: (path / arrow).write_bytes(RANDOM.randbytes(3000)),
    }.items():
        yield WrongData(f"saved set: {name}", "sft", saved(harm))
    yield WrongData("saved set", "sft", saved(lambda path: None), fine=True)


@dataclass(frozen=True)
class Outcome:
    """What came of one case: ``refused``, ``accepted``, or a failure; the line, and what it cost."""

    what: str
    line: str
    seconds: float
    memory: int


def outcome(case: WrongData, folder: Path, limit: float = LIMIT, train: bool = False) -> Outcome:
    """What loading one case comes to, in a process of its own: it may crash, hang, or take all memory."""
    source = case.make(folder)
    mine, theirs = multiprocessing.Pipe(duplex=False)
    child = multiprocessing.get_context("fork").Process(target=_loaded, args=(case, source, limit, train, theirs))
    child.start()
    theirs.close()
    if not mine.poll(HANG + (60 if train else 0)):
        child.kill()
        child.join()
        return Outcome("hung", "no end by the clock", HANG, 0)
    try:
        found: Outcome = mine.recv()
    except EOFError:
        child.join()
        return Outcome("crashed", f"the process ended with {child.exitcode}", 0.0, 0)
    child.join()
    return found


def _loaded(case: WrongData, source: Path, limit: float, train: bool, answer: Connection) -> None:
    def stop(number: int, frame: object) -> None:
        raise TimeoutError("too much processor time")

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, limit)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    what, line = _tried(case, source, train)
    seconds, memory = time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    what = "hung" if seconds > limit and not train else "swollen" if memory << 10 > MEMORY else what
    answer.send(Outcome(what, line, seconds, memory << 10))


def _tried(case: WrongData, source: Path, train: bool) -> tuple[str, str]:
    from tuner.data import load_data

    os.environ["HF_HUB_OFFLINE"] = "1"
    config = {"model_name_or_path": "tuner/tiny", "dataset_name": str(source), "max_steps": 1, "use_peft": True}
    try:
        load_data(config, case.method, source.parent)
        if train:
            signal.setitimer(signal.ITIMER_PROF, 0)
            from tuner.training.train import train as train_once

            spec = StudySpec(source.parent / "x.yaml", "x", case.method, config, StudyBlock())
            train_once(spec, {}, source.parent / "run")
        return "accepted", ""
    except (SpecError, Unfinished) as error:
        return _judged(case, source, str(error)), str(error)
    except TimeoutError as error:
        return "hung", str(error)
    except BaseException as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        return "crashed", f"{type(error).__name__}: {str(error)[:200]} ({last.filename}:{last.lineno})"


def _judged(case: WrongData, source: Path, line: str) -> str:
    """Whether the line is one, short, and names the file and the row."""
    if "\n" in line or len(line) > LONGEST_LINE:
        return "unclear"
    if source.parent.name not in line and source.name not in line:
        return "unclear"
    return "unclear" if case.row is not None and f"row {case.row}" not in line else "refused"


def main() -> int:
    """Load every case and print what came of it; 1 where one crashed, hung, or was taken for the wrong thing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--limit", type=float, default=LIMIT, help="processor seconds per file (default: 5)")
    parser.add_argument("--train", action="store_true", help="train one step on each file that was accepted")
    parser.add_argument("--show", action="store_true", help="print the line of every file")
    options = parser.parse_args()
    import datasets  # so that no case pays for the import
    import pyarrow.parquet  # noqa: F401

    datasets.disable_progress_bars()
    counts, bad, slowest, largest = Counter[str](), 0, 0.0, 0
    for case in cases():
        with tempfile.TemporaryDirectory() as folder:
            found = outcome(case, Path(folder), options.limit, options.train)
        slowest, largest = max(slowest, found.seconds), max(largest, found.memory)
        wrong = found.what not in case.right
        counts[f"{found.what}{', wrongly' if wrong else ''}"] += 1
        bad += wrong
        if wrong or options.show:
            print(f"{'!! ' if wrong else ''}{case.name}: {found.what}: {found.line[:300]}")
    print(f"{sum(counts.values())} files, the slowest {slowest:.2f} s, at most {largest >> 20} MiB:")
    for name, count in counts.most_common():
        print(f"  {name}: {count}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
