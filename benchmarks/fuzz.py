"""Do the readers survive damaged logs? ``python -m benchmarks.fuzz [--mutations 10000] [--seed 0] [--samples FOLDER]``.

Every sample log of every reader is damaged in turn: bits flipped, bytes cut, doubled, dropped and made up, huge
lengths, broken UTF-8, numbers replaced by nan, inf, negative and gigantic ones, deep nesting, zeros at the end, lines
of a million characters, an empty file. Then it is found, read and diagnosed as ``tuner diagnose`` does it, and
reported on as text, Markdown, HTML and JSON. Anything but a run or an ``UnreadableLog`` is a failure, and so is a log
that takes longer than five seconds of CPU time or more than a gigabyte of memory. The seed and a failure's number
give the same bytes again.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import resource
import shutil
import signal
import struct
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from diagnostics import diagnose
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.readers import UnreadableLog, find_runs, read
from diagnostics.readers.tensorboard.crc32c import crc32c, masked
from diagnostics.report.terminal import plain_text
from diagnostics.report.write import as_html, as_json, as_markdown, as_text

SAMPLES = Path(__file__).parents[1] / "tests" / "data" / "logs"
LIMIT = 5.0
MEMORY = 1 << 30
HANG = 20

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


@dataclass
class Tally:
    """What became of the mutations of one sample."""

    clean: int = 0
    noted: int = 0
    refused: int = 0
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)


def samples(folder: Path) -> list[Path]:
    """Every file of the sample logs; a file in a folder is read together with the others there."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def place_for(sample: Path, folder: Path, scratch: Path) -> tuple[Path, Path]:
    """Where a sample is damaged, and what is read then: the file alone, or the copy of its whole folder."""
    top = folder / sample.relative_to(folder).parts[0]
    if top.is_file():
        return scratch / sample.name, scratch
    shutil.copytree(top, scratch / top.name)
    return scratch / sample.relative_to(folder), scratch


def tried(target: Path, root: Path, data: bytes, tally: Tally) -> str | None:
    """What went wrong when the damaged data were read, None when nothing did."""
    target.write_bytes(data)
    began, before = time.process_time(), peak()
    signal.alarm(HANG)
    try:
        places = find_runs(root) or [target]
        for place in places:
            run = read(place)
            made = reports(run, diagnose(run))
            "".join(made).encode()
            json.loads(made[-1])
            tally.noted += bool(run.notes) and place == places[0]
            tally.clean += not run.notes and place == places[0]
    except UnreadableLog as error:
        tally.refused += 1
        return "the reason is not one line" if "\n" in str(error) else None
    except Exception:
        return traceback.format_exc(limit=-3)
    finally:
        signal.alarm(0)
        tally.slowest = max(tally.slowest, took := time.process_time() - began)
    if took > LIMIT:
        return f"took {took:.1f} s"
    grown = peak() - before
    return f"memory has grown by {grown >> 20} MiB" if grown > MEMORY else None


def reports(run: Run, diagnosis: Diagnosis) -> list[str]:
    """The diagnosis in every form: text in brief and in full, Markdown, HTML with its charts, JSON."""
    texts = [plain_text(as_text(run, diagnosis, verbose=verbose), 100) for verbose in (False, True)]
    return [*texts, as_markdown(run, diagnosis), as_html([(run, diagnosis)]), as_json([diagnosis])]


def peak() -> int:
    """The most memory that this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def hung(*_: object) -> None:
    """Raise ``TimeoutError``: the alarm went off."""
    raise TimeoutError(f"no end after {HANG} s")


def fuzz(folder: Path, mutations: int, seed: int) -> dict[str, Tally]:
    """The tally of every sample below the folder after so many mutations in all."""
    signal.signal(signal.SIGALRM, hung)
    found = {str(path.relative_to(folder)): (path, path.read_bytes()) for path in samples(folder)}
    tallies = {name: Tally() for name in found}
    names = list(found)
    with tempfile.TemporaryDirectory() as base:
        scratches = {name: Path(base, str(number)) for number, name in enumerate(names)}
        places = {}
        for name, scratch in scratches.items():
            scratch.mkdir()
            places[name] = place_for(found[name][0], folder, scratch)
        for number in range(mutations):
            name = names[number % len(names)]
            pick = random.Random(f"{seed}-{number}")
            mutate = pick.choice(MUTATIONS)
            wrong = tried(*places[name], mutate(pick, found[name][1]), tallies[name])
            if wrong:
                tallies[name].failures.append(f"mutation {number} ({mutate.__name__}): {wrong}")
    return tallies


def report(tallies: dict[str, Tally]) -> int:
    """Print one line a sample and every failure; 1 when there was one."""
    print(f"{'sample':<44} {'read':>6} {'with notes':>11} {'refused':>8} {'failed':>7} {'slowest':>9}")
    for name, tally in tallies.items():
        counts = f"{tally.clean:>6} {tally.noted:>11} {tally.refused:>8} {len(tally.failures):>7}"
        print(f"{name:<44} {counts} {tally.slowest:>7.2f} s")
    failures = [f"{name}: {why}" for name, tally in tallies.items() for why in tally.failures]
    print("\n".join(failures[:20]) or f"no failure; at most {peak() >> 20} MiB of memory")
    return 1 if failures else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the readers; the exit status is 1 after a failure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=Path, default=SAMPLES, help="a folder of logs (default: those of the tests)")
    options = parser.parse_args(arguments)
    return report(fuzz(options.samples, options.mutations, options.seed))


if __name__ == "__main__":
    sys.exit(main())
