"""What is done to studies: kills at points, many workers, a server that restarts, full disks, jumps of the clock."""

from __future__ import annotations

import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from benchmarks.chaos.clock import JUMPS
from benchmarks.chaos.life import Life
from benchmarks.chaos.points import REAL_POINTS, STUDY_POINTS
from benchmarks.chaos.tally import Tally
from benchmarks.chaos.workers import SIGNALS, workers
from tests.tuner import smallest
from tests.tuner.study import server
from tests.waiting import until

Scenario = Callable[[Path, float, random.Random], Tally]
COUNTS: Mapping[str, int] = {
    "import": 900,
    "lock": 8,
    "statement": 300,
    "log": 15,
    "evaluation": 15,
    "report written": 15,
    "first log": 5,
}
"""About how often two trials pass a point; the others are passed once or twice."""
FEW = 2
COMMON_POINTS = (
    "import",
    "before ask",
    "after ask",
    "statement",
    "before tell",
    "after tell",
    "report half written",
    "report written",
    "before repeat",
    "before repeat is kept",
)
"""Points of every study that are tried with TRL's trainer as well."""


def in_turn(pick: random.Random, points: Iterable[str]) -> Iterator[str]:
    """All the points in any order, again and again."""
    while True:
        yield from pick.sample(listed := [*points], len(listed))


def struck(life: Life, pick: random.Random, points: Iterator[str]) -> Life:
    """The life, to be struck at the next of the points."""
    point = next(points)
    count = pick.randint(1, COUNTS.get(point, FEW))
    return replace(life, point=point, count=count, signal=int(pick.choice(SIGNALS)))


def kills(folder: Path, seconds: float, pick: random.Random) -> Tally:
    """One worker after another on studies of the made-up trainer, each struck at a point, until the study is done."""
    tally, end, number = Tally(), time.monotonic() + seconds, 0
    points = in_turn(pick, STUDY_POINTS)
    with workers(tally) as team:
        while time.monotonic() < end:
            number += 1
            life = Life(str(folder / str(number) / "out"), str(folder / f"{number}.ledger"), trials=16, seeds=2)
            Path(life.out).parent.mkdir()
            while team.run(struck(life, pick, points)) and time.monotonic() < end:
                pass
            team.finish(life)
            tally.judge(life, [Path(life.out)])
    return tally


def team(folder: Path, seconds: float, pick: random.Random, storage: str = "", size: int = 4) -> Tally:
    """Several workers at once on one study, each struck at a point or by chance from outside, and started again."""
    tally, end = Tally(), time.monotonic() + seconds
    points = in_turn(pick, STUDY_POINTS)
    life = Life(
        str(folder / "out"), str(folder / "ledger"), storage=storage, trials=max(12, int(seconds / 5)), pause=0.1
    )
    with workers(tally) as crew:
        running = [crew.start(struck(life, pick, points)) for _ in range(size)]
        while time.monotonic() < end:
            time.sleep(pick.uniform(0.05, 1.5))
            for place, process in enumerate(running):
                if process.poll() is not None:
                    crew.wait(process)
                    running[place] = crew.start(struck(life, pick, points))
            if pick.random() < 0.3:
                _hit(pick.choice(running), pick, tally)
        for process in running:
            _hit(process, pick, tally)
            crew.wait(process)
        crew.finish(life)
        tally.judge(life, [Path(life.out)])
    return tally


def _hit(process: subprocess.Popen[str], pick: random.Random, tally: Tally) -> None:
    if process.poll() is None:
        sign = pick.choice(SIGNALS)
        process.send_signal(sign)
        if sign is not signal.SIGKILL:  # a second one, for whoever is patient with the first
            time.sleep(pick.uniform(0.0, 3.0))
            process.send_signal(sign)
        tally.signals[sign.name] += 1


def postgres(folder: Path, seconds: float, pick: random.Random) -> Tally:
    """The same with a PostgreSQL server."""
    with server.restartable() as machine:
        return team(folder, seconds, pick, storage=machine.address, size=3)


def restarts(folder: Path, seconds: float, pick: random.Random) -> Tally:
    """Three workers with folders of their own, on a PostgreSQL server that is ended and started again and again."""
    tally = Tally()
    with server.restartable() as machine, workers(tally) as crew:
        life = Life("", str(folder / "ledger"), storage=machine.address, trials=max(12, int(seconds / 4)), pause=0.5)
        lives = [replace(life, out=str(folder / name)) for name in "abc"]
        running = [crew.start(life) for life in lives]
        until(
            lambda: all(list(Path(life.out).glob("trial-*/log.json")) for life in lives), "all in a trial", seconds=600
        )
        end = time.monotonic() + seconds
        while time.monotonic() < end and any(process.poll() is None for process in running):
            machine.stop()
            time.sleep(pick.uniform(0.0, 4.0))
            machine.start()
            tally.restarts += 1
            time.sleep(pick.uniform(1.0, 12.0))
        for process in running:
            if crew.wait(process):
                tally.lost.append(f"a worker ended: {crew.said}")
        tally.judge(lives[0], [Path(life.out) for life in lives])
    return tally


def disk(folder: Path, seconds: float, pick: random.Random) -> Tally:
    """A disk that fills up under the runs, under the database, or under both, and has room again later."""
    tally, end, number = Tally(), time.monotonic() + seconds, 0
    with workers(tally) as crew:
        while time.monotonic() < end or number < 3:
            number += 1
            here = folder / str(number)
            here.mkdir()
            with ExitStack() as stack:
                small, large = stack.enter_context(small_disk(here / "small")), here / "large"
                large.mkdir()
                out, base = [(small, large), (large, small), (small, small)][number % 3]
                life = Life(str(out / "out"), str(here / "ledger"), storage=f"sqlite:///{base / 'study.db'}")
                process = crew.start(life)
                _fill(small, process, pick)
                if crew.wait(process):
                    tally.restarts += 1
                (small / "filler").unlink(missing_ok=True)
                crew.finish(life)
                tally.judge(life, [Path(life.out)])
    return tally


def _fill(disk: Path, process: subprocess.Popen[str], pick: random.Random) -> None:
    """Fill a disk after a while, but for some bytes, as long as a process runs."""
    time.sleep(pick.uniform(2.0, 12.0))
    leave, block = pick.choice((0, 100, 3_000, 20_000)), bytes(1024)
    with suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(block)
    with suppress(OSError):
        size = (disk / "filler").stat().st_size
        with (disk / "filler").open("r+b") as filler:
            filler.truncate(max(0, size - leave))
    with suppress(subprocess.TimeoutExpired):
        process.wait(60)


@contextmanager
def small_disk(place: Path) -> Iterator[Path]:
    """A disk of 6 MB in memory; raises ``PermissionError`` where none may be mounted."""
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(place)], capture_output=True)
    if mounted.returncode:
        raise PermissionError(mounted.stderr.decode().strip())
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def clock(folder: Path, seconds: float, pick: random.Random) -> Tally:
    """Two workers on studies whose clock jumps by seconds, hours and years, back and forth."""
    tally, end, number, over = Tally(), time.monotonic() + seconds, 0, threading.Event()
    offset = folder / "offset"
    offset.write_text("0")

    def jump() -> None:
        while not over.wait(pick.uniform(0.05, 1.0)):
            jumped = pick.choice((1, 60, 3600, 86_400, 10 * 365 * 86_400)) * pick.uniform(-1, 1)
            draft = offset.with_suffix(".new")
            draft.write_text(f"{jumped:+.3f}")
            draft.replace(offset)

    jumping = threading.Thread(target=jump)
    jumping.start()
    try:
        with workers(tally, **{JUMPS: str(offset)}) as crew:
            while time.monotonic() < end or number < 1:
                number += 1
                life = Life(str(folder / str(number) / "out"), str(folder / f"{number}.ledger"), pause=0.1)
                Path(life.out).parent.mkdir()
                processes = [crew.start(life) for _ in range(2)]
                tally.lost += [crew.said for process in processes if crew.wait(process)]
                tally.judge(life, [Path(life.out)])
    finally:
        over.set()
        jumping.join()
    return tally


def real(folder: Path, seconds: float, pick: random.Random) -> Tally:
    """TRL's trainer on a small model, struck at each of its points in turn."""
    tally, end, number = Tally(), time.monotonic() + seconds, 0
    model, rows = smallest.model_folder(folder / "model"), smallest.rows_folder(folder / "rows")
    space = {"learning_rate": {"low": 1e-5, "high": 1e-3, "log": True}}
    points = in_turn(pick, (*REAL_POINTS, *COMMON_POINTS))
    with workers(tally) as crew:
        while time.monotonic() < end:
            number += 1
            here = folder / str(number)
            here.mkdir()
            block = {"trials": 6, "seeds": 1, "space": space}
            keys = {"learning_rate": 1e-4, "max_steps": 6, "eval_steps": 2, "save_steps": 2, "logging_steps": 1}
            file = smallest.study_file(here, model, rows, study=block, **keys)
            life = Life(str(here / "out"), str(here / "ledger"), str(file), trials=6)
            while time.monotonic() < end and crew.run(struck(life, pick, points)):
                pass
            crew.finish(life)
            tally.judge(life, [Path(life.out)])
    return tally


SCENARIOS: Mapping[str, Scenario] = {
    "kills": kills,
    "team": team,
    "postgres": postgres,
    "restarts": restarts,
    "disk": disk,
    "clock": clock,
    "real": real,
}
