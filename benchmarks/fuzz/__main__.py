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
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.fuzz.mutations import MUTATIONS
from diagnostics import diagnose
from diagnostics.model.curves import Run
from diagnostics.model.records import Diagnosis
from diagnostics.readers import UnreadableLog, find_runs, read
from diagnostics.report.terminal import plain_text
from diagnostics.report.write import as_html, as_json, as_markdown, as_text

SAMPLES = Path(__file__).parents[2] / "tests" / "data" / "logs"
LIMIT = 5.0
MEMORY = 1 << 30
HANG = 20


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
