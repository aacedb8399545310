"""What is left of a study when workers, commands and clusters are killed under an engine?

    python -m benchmarks.engines [ray cluster postgres slurm] [--keep FOLDER]

Each scenario runs a study of four trials of a small script, that of the tests, on an engine of this machine, kills what
it names, gives the same command again, and counts: trials lost, steps trained twice, processes left, commands that
ended with more than a line. All must be 0. Ray and submitit must be installed, and PostgreSQL for ``postgres``.

- ``ray``: a cluster with two GPUs that Ray is only told of; a worker and, later, the command are killed in mid-trial.
- ``cluster``: the head of the Ray cluster and its node are killed in mid-trial, and a new cluster is started.
- ``postgres``: four workers on two such GPUs, their trials in PostgreSQL; one is killed, and the server restarts.
- ``slurm``: submitit's jobs on this machine; one is preempted and requeued, one's worker and the command are killed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from benchmarks.chaos.tally import MARK, alive
from benchmarks.must_be_empty import MustBeEmpty
from tests.tuner.study.server import Server, restartable

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "tuner" / "drivers" / "train.py"
TRIALS, STEPS = 4, 150
RAY = ("--num-gpus", "2", "--num-cpus", "2", "--include-dashboard=false", "--object-store-memory=100000000")
PATIENCE = 300.0
GRACE = 30.0
"""Seconds in which what was killed may take its processes with it."""


@dataclass
class Left(MustBeEmpty):
    """What was killed, and what must not be."""

    killed: tuple[str, ...] = ()
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def judge(self, out: Path) -> None:
        """Count what is missing in the study's report, and the steps in its logs that were trained twice."""
        known = json.loads((out / "study.json").read_text())["trials"]
        self.lost += [f"{out}: {len(known)} trials"] * (len(known) != TRIALS)
        self.lost += [f"trial {one['number']}: {one['state']}" for one in known if one["value"] is None]
        runs = [*out.glob("trial-*"), *out.glob("repeat-*")]
        self.lost += [f"{len(runs)} runs"] * (len(runs) < TRIALS)
        for run in runs:
            logged = [json.loads(line)["step"] for line in (run / "output" / "log.jsonl").read_text().splitlines()]
            steps = [step for step, _ in itertools.groupby(logged)]  # logged, not yet saved, and killed: logged again
            self.repeated += [run.name] * (steps != [*range(1, len(steps) + 1)])


@dataclass
class Scene:
    """A study, the command that runs it, and the mark by which all processes of the scenario are known."""

    folder: Path
    words: list[str]
    tally: Left
    mark: str = field(default_factory=lambda: f"{os.getpid()}-{random.randrange(10**9)}")

    def __post_init__(self) -> None:
        """Write the study file."""
        self.folder.mkdir(parents=True)
        block = {"trainer": "command", "trials": TRIALS, "seeds": 1, "stop_early": False}
        block |= {"command": f"{sys.executable} {SCRIPT} --config {{config}} --lr {{learning_rate}} --out {{run}}"}
        block |= {"space": {"learning_rate": {"low": 1e-5, "high": 1e-1, "log": True}}}
        content = {"learning_rate": 1e-4, "steps": STEPS, "pause": 0.04, "workers": 1, "study": block}
        (self.folder / "bowl.yaml").write_text(yaml.safe_dump(content))

    @property
    def out(self) -> Path:
        """The study's folder."""
        return self.folder / "out"

    @property
    def environment(self) -> dict[str, str]:
        """What every process of the scenario finds."""
        return {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", MARK: self.mark}

    def start(self) -> subprocess.Popen[str]:
        """The command."""
        file, pipe = str(self.folder / "bowl.yaml"), subprocess.PIPE
        command = [sys.executable, "-m", "tuner", "study", file, "--out", str(self.out), *self.words]
        return subprocess.Popen(command, env=self.environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def end(self, head: subprocess.Popen[str], status: int = 0) -> None:
        """Wait for the end of the command, which must be this one, without a traceback."""
        said, _ = head.communicate(timeout=PATIENCE)
        if head.returncode != status or "Traceback" in said:
            self.tally.said.append(f"status {head.returncode}, not {status}: {said[-800:]}")

    def until_trained(self, run: str, steps: int = 20) -> None:
        """Wait until a run has logged so many steps."""
        log, end = self.out / run / "output" / "log.jsonl", time.monotonic() + PATIENCE
        while not log.exists() or log.read_text().count("\n") < steps:
            assert time.monotonic() < end, f"{run} has not trained for {steps} steps"
            time.sleep(0.05)

    def processes(self, words: str) -> list[int]:
        """The processes of the scenario with these words in their command line."""
        return [int(one.split()[0]) for one in alive(self.mark) if words in one]

    def kill(self, words: str, what: str, sign: signal.Signals = signal.SIGKILL, count: int = 1) -> None:
        """Send a signal to the first ``count`` of the processes with these words."""
        found = self.processes(words)
        assert found, f"no process with {words}"
        for process in found[:count]:
            os.kill(process, sign)
        self.tally.killed = (*self.tally.killed, f"{what} ({sign.name})")

    def kill_command(self, head: subprocess.Popen[str]) -> None:
        """Kill the command itself."""
        head.kill()
        head.communicate()
        self.tally.killed = (*self.tally.killed, f"the command ({signal.SIGKILL.name})")

    def close(self) -> None:
        """Count the processes that are left, and end them."""
        end = time.monotonic() + GRACE
        while (found := alive(self.mark)) and time.monotonic() < end:
            time.sleep(0.5)
        self.tally.left += found
        for one in found:
            os.kill(int(one.split()[0]), signal.SIGKILL)
        if self.out.exists():
            self.tally.judge(self.out)


@contextmanager
def ray_cluster(scene: Scene) -> Iterator[None]:
    """A Ray cluster on this machine, whose processes carry the mark; it is stopped after the block."""
    program = str(Path(sys.executable).with_name("ray"))
    begin = [program, "start", "--head", *RAY, "--disable-usage-stats"]
    subprocess.run(begin, env=scene.environment, check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run([program, "stop", "--force"], capture_output=True, check=False)


def ray(folder: Path, tally: Left) -> None:
    """Two workers on two GPUs; one of them is killed in mid-trial, then the command; the same command again."""
    scene = Scene(folder, ["--engine", "ray"], tally)
    with ray_cluster(scene):
        head = scene.start()
        scene.until_trained("trial-001")
        scene.kill("--engine\\x00local", "a worker")
        scene.until_trained("trial-002")
        scene.kill_command(head)
        scene.end(scene.start())
    scene.close()


def cluster(folder: Path, tally: Left) -> None:
    """The head of the cluster is killed in mid-trial: the command ends by a line; a new cluster, the same command."""
    scene = Scene(folder, ["--engine", "ray"], tally)
    with ray_cluster(scene):
        head = scene.start()
        scene.until_trained("trial-001")
        scene.kill("gcs_server", "the head of the cluster")
        scene.kill("raylet/raylet", "its node")
        scene.end(head, status=3)
    with ray_cluster(scene):
        scene.end(scene.start())
    scene.close()


def postgres(folder: Path, tally: Left) -> None:
    """Four workers, two on a GPU, with their trials in PostgreSQL: one is killed, and the server restarts."""
    with restartable() as server:
        _with_server(folder, tally, server)


def _with_server(folder: Path, tally: Left, server: Server) -> None:
    words = ["--engine", "ray", "--workers", "4", "--slots-per-gpu", "2", "--storage", server.address]
    scene = Scene(folder, words, tally)
    with ray_cluster(scene):
        head = scene.start()
        scene.until_trained("trial-003")
        scene.kill("--engine\\x00local", "a worker")
        server.stop()
        time.sleep(1.0)
        server.start()
        tally.killed = (*tally.killed, "the server (restarted)")
        scene.end(head)
    scene.close()


def slurm(folder: Path, tally: Left) -> None:
    """Two jobs: one is preempted and requeued, a worker is killed, then the command; the same command again."""
    scene = Scene(folder, ["--engine", "slurm", "--slurm", "cluster=local", "--workers", "2"], tally)
    head = scene.start()
    scene.until_trained("trial-001")
    scene.kill("submitit.core._submit", "a job", signal.SIGUSR2)
    time.sleep(3.0)
    scene.kill("--engine\\x00local", "a worker")
    scene.until_trained("trial-002")
    scene.kill_command(head)
    scene.end(scene.start())
    scene.close()
    requeued = [log for log in (scene.out / "jobs").glob("*_log.out") if "Requeued job" in log.read_text()]
    tally.lost += ["the preempted job was not requeued"] * (not requeued)


SCENARIOS: Mapping[str, Callable[[Path, Left], None]] = {
    "ray": ray,
    "cluster": cluster,
    "postgres": postgres,
    "slurm": slurm,
}


def main() -> int:
    """Run the scenarios; 1 where something was lost, repeated or left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", choices=[*SCENARIOS, []], help="default: all")
    parser.add_argument("--keep", type=Path, help="a folder that keeps what the studies left")
    options = parser.parse_args()
    bad = False
    for name in options.scenarios or SCENARIOS:
        tally, began = Left(), time.monotonic()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            SCENARIOS[name]((options.keep or Path(scratch)) / name, tally)
        print(f"{name}: {', '.join(tally.killed)} killed in {time.monotonic() - began:.0f} s: {tally.counts()}")
        print(*tally.examples(), sep="\n", end="\n" if tally.examples() else "", flush=True)
        bad = bad or any(tally.failures().values())
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
