"""How fast logs are read: ``python -m benchmarks.reader [--scalars N] [--runs N] [--repeats N]``.

Part one writes one event file of 900,000 scalars (four tags, as a training loop writes them) and times our reader
against TensorBoard's ``EventAccumulator`` on it, in the same process and with the same values out. Part two writes
1,000 runs of 1,000 steps and times finding and reading them all. The data are seeded.
"""

from __future__ import annotations

import argparse
import statistics
import struct
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from diagnostics.readers import find_runs, read
from diagnostics.readers.tensorboard.crc32c import crc32c, masked

TAGS = ("train/loss", "train/grad_norm", "train/learning_rate", "train/epoch")


def record(payload: bytes) -> bytes:
    """A payload as a record file holds it."""
    head = struct.pack("<Q", len(payload))
    return b"".join(
        (head, struct.pack("<I", masked(crc32c(head))), payload, struct.pack("<I", masked(crc32c(payload))))
    )


def varint(value: int) -> bytes:
    """An unsigned number in 7-bit groups."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def scalar(tag: str, step: int, value: float) -> bytes:
    """One scalar as torch's SummaryWriter writes it."""
    said = tag.encode()
    one = b"\x0a" + varint(len(said)) + said + b"\x15" + struct.pack("<f", value)
    body = b"\x0a" + varint(len(one)) + one
    number = b"\x10" + varint(step) if step else b""
    return record(b"\x09" + struct.pack("<d", 1.7e9 + step / 7) + number + b"\x2a" + varint(len(body)) + body)


def write_events(path: Path, steps: int, seed: int) -> None:
    """An event file of ``steps`` steps of every tag, loss falling with noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(0, 0.05, (steps, len(TAGS)))
    with path.open("wb") as file:
        file.write(record(b"\x09" + struct.pack("<d", 1.7e9) + b"\x1a\x0dbrain.Event:2"))
        for step, row in enumerate(noise.tolist(), start=1):
            level = (2 + step**-0.5, 1.0, 1e-4 * (1 - step / steps), step / steps)
            file.write(b"".join(scalar(t, step, a + b) for t, a, b in zip(TAGS, level, row, strict=True)))


def accumulated(path: Path) -> Any:
    """TensorBoard's reading of the file, all scalars kept."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    log = EventAccumulator(str(path), size_guidance={"scalars": 0})
    log.Reload()
    return log


def timed(act: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """The median of the seconds that an act takes, and its last result."""
    seconds = []
    for _ in range(repeats):
        began = time.perf_counter()
        result = act()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds), result


def same_values(run: Any, log: Any) -> bool:
    """Whether both readings hold the same steps and values of every tag."""
    names = dict(zip(TAGS, ("train_loss", "grad_norm", "learning_rate", "epoch"), strict=True))
    for tag, name in names.items():
        theirs = log.Scalars(tag)
        if not np.array_equal(run.curves[name].steps, [event.step for event in theirs]):
            return False
        if not np.array_equal(run.curves[name].values, [event.value for event in theirs]):
            return False
    return True


def one_large_file(folder: Path, scalars: int, repeats: int) -> None:
    """Time both readers on one large event file."""
    path = folder / "large" / "events.out.tfevents.1.host"
    write_events(path, scalars // len(TAGS), seed=0)
    ours, run = timed(lambda: read(path), repeats)
    theirs, log = timed(lambda: accumulated(path), max(1, repeats // 3))
    again, _ = timed(lambda: read(path), repeats)
    ours = max(ours, again)
    size = path.stat().st_size / 1e6
    print(f"one event file: {scalars:,} scalars, {size:.0f} MB, equal values: {same_values(run, log)}")
    print(f"  read               {ours:8.3f} s   (every length and payload checksum verified)")
    print(f"  EventAccumulator   {theirs:8.3f} s")
    print(f"  ratio              {theirs / ours:8.0f}")


def many_runs(folder: Path, runs: int, repeats: int) -> None:
    """Time finding and reading many small runs."""
    for number in range(runs):
        write_events(folder / "many" / f"run-{number:04}" / "events.out.tfevents.1.host", 1000, seed=number)
    finding, found = timed(lambda: find_runs(folder / "many"), repeats)
    reading, read_all = timed(lambda: [read(path) for path in found], repeats)
    points = sum(len(run.curves["train_loss"]) for run in read_all)
    print(f"{len(found):,} runs of 1,000 steps, {points * len(TAGS):,} scalars")
    print(f"  find               {finding:8.3f} s")
    print(f"  read               {reading:8.3f} s")


def main() -> None:
    """Run both parts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--scalars", type=int, default=900_000)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        one_large_file(Path(name), options.scalars, options.repeats)
        many_runs(Path(name), options.runs, options.repeats)


if __name__ == "__main__":
    main()
