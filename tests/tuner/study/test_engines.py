"""Engines: commands, plans, a real worker below its keeper; clusters are in ``tests/benchmarks/test_engines.py``."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from diagnostics.errors import BadInput
from tests.tuner.drivers.script import ROOT, file, steps_logged
from tests.waiting import until
from tuner.cli import main
from tuner.commands.on_cluster import worker_words
from tuner.config.cluster import Cluster
from tuner.drivers.keeper import of_run
from tuner.drivers.process import tag_of
from tuner.errors import Unfinished
from tuner.study.engines import crew as crew_module
from tuner.study.engines.crew import MAX_LOSSES, Crew
from tuner.study.engines.engine import Ended, Order
from tuner.study.engines.on_ray import _check_address
from tuner.study.engines.on_slurm import A_WEEK, parameters
from tuner.study.engines.run import check_storage, order
from tuner.study.engines.worker import Worker, command
from tuner.study.events import Notice

RUN = """
import pickle, sys
from tuner.study.engines.worker import Worker
print(Worker().run(pickle.load(sys.stdin.buffer)))
"""


@pytest.mark.parametrize(
    ("visible", "gpus"), [("", []), ("-1", []), ("0,1", ["--gpus", "0,1"]), ("GPU-8f2", ["--gpus", "GPU-8f2"])]
)
def test_a_worker_holds_the_gpus_that_the_cluster_gave_it(tmp_path: Path, visible: str, gpus: list[str]):
    made = command(order(tmp_path, ["study", "a.yaml"]), {"CUDA_VISIBLE_DEVICES": visible})
    assert made == [sys.executable, "-m", "tuner", "study", "a.yaml", *gpus]


def test_a_worker_gets_the_options_of_its_command_and_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    given = {"trials": 8, "minutes": None, "storage": "postgresql://a@b/c", "gpus_per_trial": 2, "stop_early": False}
    words = worker_words(Path("a.yaml"), Path("out"), {**given, "trust_remote_code": True})
    assert words[:2] == ["study", str(tmp_path / "a.yaml")] and words[-2:] == ["--no-stop-early", "--trust-remote-code"]
    pairs = dict(zip(words[2:-2:2], words[3:-2:2], strict=True))
    assert pairs == {
        "--engine": "local",
        "--workers": "1",
        "--out": str(tmp_path / "out"),
        "--trials": "8",
        "--storage": "postgresql://a@b/c",
        "--gpus-per-trial": "2",
    }


def test_a_worker_gets_no_secret_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in ("HF_TOKEN", "PGPASSWORD", "HF_HOME"):
        monkeypatch.setenv(name, "x")
    made = order(tmp_path, [])
    assert made.environment["HF_HOME"] == "x" and not {"HF_TOKEN", "PGPASSWORD"} & made.environment.keys()
    assert made.log.parent == tmp_path / "workers" and made.name != order(tmp_path, []).name


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"cluster": "local"}, {"timeout_min": A_WEEK}),
        ({"time": "240", "partition": "gpu"}, {"timeout_min": 240, "slurm_partition": "gpu", "gpus_per_node": 2}),
        ({"time": "9", "gpus_per_node": "0", "mem_gb": "1.5"}, {"timeout_min": 9, "gpus_per_node": 0, "mem_gb": 1.5}),
    ],
)
def test_options_of_sbatch_become_parameters_of_the_jobs(options: dict[str, str], wanted: dict[str, Any]):
    made = parameters(options, gpus_per_trial=2)
    assert made == {"name": "tuner", "stderr_to_stdout": True, **wanted}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({}, "time=MINUTES is missing"),
        ({"time": "1:30:00"}, "time=1:30:00: must be a whole number of minutes"),
        ({"cluster": "pbs"}, "must be slurm, or local"),
        ({"cluster": "local", "nodes": "two"}, "nodes=two: must be a number"),
    ],
)
def test_options_of_sbatch_that_cannot_be_are_refused(options: dict[str, str], named: str):
    with pytest.raises(BadInput, match=named):
        parameters(options, 1)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--ray-address", "a:6379"], "--ray-address: is an option of --engine ray"),
        (["--engine", "ray", "--slurm", "time=9"], "--slurm: is an option of --engine slurm"),
        (["--engine", "ray", "--gpus", "0,1"], "the cluster gives out the GPUs"),
    ],
)
def test_options_of_another_engine_are_refused(
    tmp_path: Path, words: list[str], named: str, capsys: pytest.CaptureFixture[str]
):
    assert main(["study", str(file(tmp_path)), *words]) == 2
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(("engine", "module"), [("ray", "ray"), ("slurm", "submitit")])
def test_an_extra_that_is_missing_is_named(
    tmp_path: Path, engine: str, module: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["study", str(file(tmp_path)), "--engine", engine, "--out", str(tmp_path / "out")]) == 2
    assert f"pip install 'curvetuner[{engine}]'" in capsys.readouterr().err and not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("address", "named"),
    [("127.0.0.1:1", "nothing answers there"), ("ray://a:1", "nothing answers"), ("a", "HOST:PORT")],
)
def test_an_address_that_nothing_answers_at_is_refused_at_once(address: str, named: str):
    with pytest.raises(BadInput, match=named):
        _check_address(address)


@dataclass
class Scripted:
    """An engine whose workers end as a script says, one after the other; None is a worker that waits for ever."""

    script: list[Ended | None]
    hosts: int = 1
    places: int | None = None
    name: str = "scripted"
    started: int = 0
    stopped: list[int] = field(default_factory=list)
    there: bool = True

    def is_there(self) -> bool:
        return self.there

    def left(self) -> list[int]:
        return []

    def start(self, order: Order) -> int:
        self.started += 1
        return self.started - 1

    def has_begun(self, handle: int) -> bool:
        return self.script[handle] is not None

    def ended(self, handle: int) -> Ended | None:
        return self.script[handle]

    def stop(self, handle: int) -> None:
        self.stopped.append(handle)

    def kill(self, handle: int) -> None:
        self.stopped.append(-handle)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crew_module, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(crew_module, "GONE_AFTER", 0.01)


def work(tmp_path: Path, engine: Scripted, workers: int = 2, ended: Iterator[int] | None = None) -> list[str]:
    """The notices of a crew at work."""
    events: list[Any] = []
    look = (lambda: 0) if ended is None else lambda: next(ended)
    Crew(engine, lambda: order(tmp_path, []), workers, look, events.append).work()
    return [event.message.code for event in events if isinstance(event, Notice)]


DONE, LOST = Ended(0), Ended(-9)


def test_a_lost_worker_is_replaced_and_one_that_got_no_place_is_given_up(tmp_path: Path):
    engine = Scripted([LOST, None, DONE])
    assert work(tmp_path, engine) == ["worker-lost"] and engine.started == 3 and engine.stopped == [1]


def test_after_so_many_losses_in_a_row_the_command_ends(tmp_path: Path):
    with pytest.raises(Unfinished, match=r"10 workers in a row were lost \(status -9\)"):
        work(tmp_path, Scripted([LOST] * 20), workers=1)
    engine = Scripted([LOST] * 15 + [DONE])
    work(tmp_path, engine, workers=1, ended=iter(range(100)))  # a run ended between any two of them
    assert engine.started == 16 and MAX_LOSSES == 10


@pytest.mark.parametrize(
    ("end", "kind", "says"),
    [
        (Ended(2, "tuner: a.yaml: no rows"), BadInput, "^a.yaml: no rows$"),
        (Ended(3, "tuner: the disk is full"), Unfinished, "^the disk is full$"),
        (Ended(1, "KeyError: 1"), Unfinished, "ended by an error: KeyError: 1; its log is in .*workers"),
    ],
)
def test_an_error_that_all_workers_would_meet_ends_the_others(
    tmp_path: Path, end: Ended, kind: type[Exception], says: str
):
    engine = Scripted([end, None])
    with pytest.raises(kind, match=says):
        work(tmp_path, engine)
    assert engine.stopped == [1]


def test_a_cluster_that_is_gone_ends_the_command(tmp_path: Path):
    engine = Scripted([None, None], there=False)
    with pytest.raises(Unfinished, match="scripted cluster is gone"):
        work(tmp_path, engine)
    assert engine.stopped == []


@pytest.mark.parametrize("storage", [None, "sqlite:///a.db"])
def test_workers_on_several_machines_need_a_server(storage: str | None):
    check_storage(Scripted([]), storage)
    with pytest.raises(BadInput, match="need a database server; give --storage postgresql://"):
        check_storage(Scripted([], hosts=2), storage)
    check_storage(Scripted([], hosts=2), "postgresql://me@host/name")


def test_options_belong_to_their_engine():
    assert Cluster().is_here and not Cluster("ray").is_here
    Cluster("slurm", slurm={"time": "9"}).check(None)


@pytest.mark.long
def test_a_worker_stops_when_it_is_asked_and_the_next_one_goes_on(tmp_path: Path):
    path, out = file(tmp_path, {"trials": 1, "seeds": 0}, steps=60, pause=0.03), tmp_path / "out"
    first = order(out, worker_words(path, out, {}))
    first = replace(first, environment={**first.environment, "PYTHONPATH": str(ROOT)})
    with subprocess.Popen([sys.executable, "-c", RUN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT) as job:
        assert job.stdin and job.stdout
        job.stdin.write(pickle.dumps(first))
        job.stdin.close()
        until((out / "trial-000" / "output" / "log.jsonl").exists, "a log", job)
        first.stop_file.touch()
        said = job.stdout.read().decode()
    assert "status=130" in said and "stopped; run the same command again" in said
    assert of_run(tag_of(first.log.with_suffix(""))) == [] and not first.stop_file.exists()
    here = Path.cwd()
    try:
        assert Worker().run(replace(first, name="second")).status == 0
    finally:
        os.chdir(here)
    assert steps_logged(out / "trial-000") == [*range(1, 61)]
