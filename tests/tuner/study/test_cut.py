"""Studies that are interrupted, killed or shared, and continue without loss."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import optuna
import pytest

from diagnostics.model.curves import Run
from diagnostics.model.message import message
from tests.forked import Forked
from tests.tuner.madeup import Bowl, main, run
from tests.waiting import until
from tuner.study.events import Closed, Event, Notice, Started
from tuner.study.protocols import Report
from tuner.study.results import StudyResult

ROOT = Path(__file__).parents[3]


def test_a_trial_that_another_worker_has_taken_over_is_left_to_it(tmp_path: Path):
    storage = f"sqlite:///{tmp_path / 'out' / 'study.db'}"
    events = list[Event]()

    class Overtaken(Bowl):
        """While its second trial runs, somebody else finishes that one."""

        def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
            def late(run: Run, share: float) -> str | None:
                if out.name == "trial-001" and share > 0.5:
                    study = optuna.load_study(study_name="bowl", storage=storage)
                    study.tell(1, 1.25, skip_if_finished=True)
                return report(run, share)

            return super().__call__(moves, out, late)

    result = run(tmp_path / "out", Overtaken(evaluations=6), trials=3, show=events.append)
    assert Notice(message("trial-lost", trial=1)) in events
    assert [trial.state for trial in result.trials] == ["complete"] * 3
    assert result.trials[1].value == 1.25


@pytest.mark.parametrize("sign", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_leaves_a_study_that_continues_in_the_same_trial(tmp_path: Path, sign: type[BaseException]):
    def cut(moves: Mapping[str, Any], call: int) -> None:
        if call == 3:
            raise sign

    with pytest.raises(sign):
        run(tmp_path / "out", Bowl(evaluations=6, fails=cut))
    assert "study" in (tmp_path / "out" / "study.md").read_text().lower()
    trainer, events = Bowl(evaluations=6), list[Event]()
    result = run(tmp_path / "out", trainer, show=events.append)
    assert trainer.calls == ["trial-002", "trial-003"]
    started = [event for event in events if isinstance(event, Started)]
    assert [(event.number, event.continued) for event in started] == [(2, True), (3, False)]
    assert [trial.number for trial in result.trials] == [0, 1, 2, 3]
    assert isinstance(events[-1], Closed)


@pytest.mark.parametrize("where", ["tuner.study.loop.free_disk", "tuner.study.repeats.save"])
def test_weights_that_a_killed_worker_left_are_removed_by_the_next_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
):
    left = 4  # times that the study comes by
    module, _, name = where.rpartition(".")
    plain = getattr(import_module(module), name)

    def killed(*given: Any) -> None:
        nonlocal left
        left -= 1
        if where.endswith("save") or left:
            plain(*given)
        if not left:
            raise KeyboardInterrupt

    monkeypatch.setattr(where, killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", seeds=2)
    monkeypatch.undo()
    result = run(tmp_path / "out", seeds=2)
    assert [path.parent.name for path in tmp_path.rglob("adapter")] == [f"trial-{result.best:03d}"]
    assert not list(tmp_path.rglob("checkpoint-*"))


def test_two_processes_share_one_study(tmp_path: Path):
    both = threading.Barrier(2)

    def together(moves: Mapping[str, Any], call: int) -> None:
        if call == 1:
            both.wait(60)

    trainers = [Bowl(evaluations=3, fails=together) for _ in range(2)]
    results: list[StudyResult] = []
    threads = [
        threading.Thread(target=lambda t=t: results.append(run(tmp_path / "out", t, trials=6, seeds=1)))
        for t in trainers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    calls = sorted(call for trainer in trainers for call in trainer.calls if call.startswith("trial"))
    assert calls == [f"trial-{number:03d}" for number in range(6)]
    assert all(trainer.calls for trainer in trainers)
    final = run(tmp_path / "out", trials=6, seeds=1)
    assert final.gain is not None
    assert len(final.gain.pairs) == 1


def start(out: Path, pause: float, **block: Any) -> Forked:
    """The made-up study in a process of its own."""
    return Forked(out.parent / "said.txt", main, str(out), pause, **block)


@pytest.mark.parametrize("sign", [signal.SIGKILL, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_killed_study_loses_nothing_and_repeats_nothing(tmp_path: Path, sign: signal.Signals):
    out = tmp_path / "out"
    process = start(out, pause=0.2, trials=4, seeds=1)
    until((out / "trial-002" / "log.json").exists, "the third trial", process)
    process.send_signal(sign)
    process.communicate(timeout=60)
    storage = f"sqlite:///{out / 'study.db'}"
    before = optuna.load_study(study_name="bowl", storage=storage).trials
    logged = len(json.loads((out / "trial-002" / "log.json").read_text()))
    assert [trial.state.name for trial in before] == ["COMPLETE", "COMPLETE", "RUNNING"]
    assert logged >= 1

    process = start(out, pause=0.0, trials=4, seeds=1)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    assert "trial 2 continues where it was cut" in text
    assert "trial 0:" not in text.replace("repeat 1 of 2: trial 0", "")
    after = optuna.load_study(study_name="bowl", storage=storage).trials
    assert [trial.state.name for trial in after] == ["COMPLETE"] * 4
    assert [trial.params for trial in after[:3]] == [trial.params for trial in before]
    assert [trial.value for trial in after[:2]] == [trial.value for trial in before[:2]]


@pytest.mark.long
def test_a_study_killed_in_its_repeats_runs_only_those_that_are_missing(tmp_path: Path):
    out = tmp_path / "out"
    process = start(out, pause=0.05, trials=3, seeds=2)
    until(lambda: len(list(out.glob("repeat-*/repeat.json"))) >= 2, "two repeats", process)
    process.kill()
    process.communicate(timeout=60)
    kept = {path: path.stat().st_mtime_ns for path in out.glob("repeat-*/repeat.json")}
    process = start(out, pause=0.0, trials=3, seeds=2)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    assert "2 of 2 seeds" in text
    assert text.count("repeat ") == 4 - len(kept)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
