from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.samplers import RandomSampler

from diagnostics.curves import Run
from diagnostics.errors import BadInput
from tests.tuner.madeup import BATCH, RATE, Bowl, spec
from tuner.space import Choice, Range
from tuner.study.events import Closed, Event, Said, Started
from tuner.study.loop import run_study
from tuner.study.results import StudyResult
from tuner.study.setup import Report

ROOT = Path(__file__).parents[3]
ON_DEVICE = {"per_device_train_batch_size": 1, "per_device_eval_batch_size": 1}
RATE_ONLY: dict[str, Range | Choice] = {"learning_rate": RATE}


def run(out: Path, trainer: Any = None, *, trials: int | None = None, show: Any = None, **block: Any) -> StudyResult:
    block.setdefault("trials", 4)
    block.setdefault("seeds", 0)
    study = spec(out.parent, **block)
    trainer = trainer or Bowl(evaluations=6)
    return run_study(study, trainer, out, trials=trials, show=show, base=RandomSampler(seed=0))


def test_a_study_finds_a_better_rate_proves_it_and_leaves_its_reports(tmp_path: Path):
    trainer = Bowl(evaluations=6)
    result = run(tmp_path / "out", trainer, trials=6, seeds=3)
    assert result.baseline is not None
    assert result.baseline.settings["learning_rate"] == 1e-5
    assert result.baseline.moved_by == "file"
    assert result.winner is not None
    assert result.winner.value is not None
    assert result.winner.value < 1.03
    assert result.trials[1].moved_by == "advice:rate-too-low"
    assert result.gain is not None
    assert result.gain.claimed
    assert [pair.seed for pair in result.gain.pairs] == [8, 9, 10]
    records = {record.rule: record for record in result.records}
    assert (records["rate-too-low"].followed, records["rate-too-low"].helped) == (2, 2)
    assert records["rate-too-low"].advised >= 2
    assert result.before == {"eval_loss": 2.0}
    for name in ("study.md", "study.html", "study.json", "study.db"):
        assert (tmp_path / "out" / name).stat().st_size > 0
    assert len(trainer.calls) == 12


def test_only_the_best_trial_keeps_its_adapter_and_none_its_checkpoints(tmp_path: Path):
    result = run(tmp_path / "out", seeds=1)
    adapters = [path.parent.name for path in (tmp_path / "out").glob("*/adapter")]
    assert adapters == [f"trial-{result.best:03d}"]
    assert not list((tmp_path / "out").glob("*/checkpoint-*"))


def test_a_finished_study_run_again_trains_nothing(tmp_path: Path):
    run(tmp_path / "out", seeds=1)
    trainer = Bowl(evaluations=6)
    (tmp_path / "out" / "study.md").unlink()
    again = run(tmp_path / "out", trainer, seeds=1)
    assert trainer.calls == []
    assert len(again.trials) == 4
    assert (tmp_path / "out" / "study.md").exists()


def test_more_trials_later_are_added_to_those_that_are_there(tmp_path: Path):
    first = run(tmp_path / "out", trials=3)
    trainer = Bowl(evaluations=6)
    second = run(tmp_path / "out", trainer, trials=5)
    assert trainer.calls == ["trial-003", "trial-004"]
    assert second.trials[:3] == first.trials


def test_a_study_in_two_parts_is_the_study_in_one(tmp_path: Path):
    whole = run(tmp_path / "whole", trials=5)
    run(tmp_path / "parts", trials=2)
    parts = run(tmp_path / "parts", trials=5)
    assert [t.settings for t in parts.trials[:5]] == [t.settings for t in whole.trials[:5]]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"space": {"learning_rate": Range(1e-6, 1e-3, log=True)}}, "study.space.learning_rate"),
        ({"space": {**RATE_ONLY, "batch_size": BATCH}}, "study.space.batch_size"),
        ({"metric": "eval_exact_match", "direction": "maximize"}, "metric"),
        ({"model_name_or_path": "other/model"}, "model_name_or_path (tuner/tiny -> other/model)"),
    ],
)
def test_a_study_file_that_changed_is_one_clear_line(tmp_path: Path, change: dict[str, Any], named: str):
    run(tmp_path / "out", trials=1, space=RATE_ONLY)
    with pytest.raises(BadInput, match=re.escape(named)) as error:
        run(tmp_path / "out", **{"space": RATE_ONLY, **change})
    assert "another --out" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_number_of_trials_seeds_and_minutes_may_change(tmp_path: Path):
    run(tmp_path / "out", trials=1, space=RATE_ONLY)
    result = run(tmp_path / "out", trials=2, seeds=1, minutes=10.0, output_dir="elsewhere", space=RATE_ONLY)
    assert len(result.trials) == 2


def test_an_error_is_recorded_with_its_cause_and_the_study_goes_on(tmp_path: Path):
    def odd(moves: Mapping[str, Any], call: int) -> None:
        if moves["learning_rate"] > 1e-4:
            raise RuntimeError("an odd shape\nmore")

    result = run(tmp_path / "out", Bowl(evaluations=6, fails=odd), trials=4)
    failed = [trial for trial in result.trials if trial.state == "failed"]
    assert failed
    assert failed[0].error == "RuntimeError: an odd shape"
    assert failed[0].value is None
    trace = (tmp_path / "out" / failed[0].folder / "error.txt").read_text()
    assert "Traceback" in trace
    assert "in odd" in trace
    assert len(result.trials) == 4
    assert any("traceback in error.txt" in point.text for point in result.review)
    told = optuna.load_study(study_name="bowl", storage=f"sqlite:///{tmp_path / 'out' / 'study.db'}").trials
    worst = max(t.value or 0 for t in told if t.number not in {f.number for f in failed})
    assert all((told[f.number].value or 0) > worst for f in failed)


def test_the_same_error_in_every_trial_ends_the_study_with_one_line_and_mending_it_starts_afresh(tmp_path: Path):
    def bug(moves: Mapping[str, Any], call: int) -> None:
        raise RuntimeError("shapes do not match")

    trainer = Bowl(evaluations=6, fails=bug)
    with pytest.raises(BadInput, match="the first 3 trials all failed with RuntimeError: shapes do not match"):
        run(tmp_path / "out", trainer, trials=8)
    assert len(trainer.calls) == 3
    result = run(tmp_path / "out", trials=2)
    assert [trial.state for trial in result.trials] == ["complete", "complete"]


def test_a_bug_that_comes_later_ends_the_study_too_but_memory_does_not(tmp_path: Path):
    def failing(text: str) -> Bowl:
        def fail(moves: Mapping[str, Any], call: int) -> None:
            if call > 2:
                raise OSError(text)

        return Bowl(evaluations=6, fails=fail)

    with pytest.raises(BadInput, match=r"the latest 3 trials .* No space left .* --trials 11"):
        run(tmp_path / "disk", failing("No space left on device"), trials=8)
    assert len(run(tmp_path / "memory", failing("CUDA out of memory"), trials=6, **ON_DEVICE).trials) == 6


def test_a_repeat_that_failed_is_run_again_by_the_next_command(tmp_path: Path):
    def fail(moves: Mapping[str, Any], call: int) -> None:
        if "seed" in moves:
            raise OSError("No space left on device")

    broken = run(tmp_path / "out", Bowl(evaluations=6, fails=fail), trials=3, seeds=1)
    assert broken.gain is not None
    assert "nothing is proved" in broken.gain.message
    trainer = Bowl(evaluations=6)
    mended = run(tmp_path / "out", trainer, trials=3, seeds=1)
    assert len(trainer.calls) == 2
    assert mended.gain is not None
    assert len(mended.gain.pairs) == 1


def test_a_mistake_in_the_input_ends_the_study_at_once(tmp_path: Path):
    def missing(moves: Mapping[str, Any], call: int) -> None:
        raise BadInput("rows.jsonl: no such file")

    with pytest.raises(BadInput, match=r"rows\.jsonl"):
        run(tmp_path / "out", Bowl(fails=missing))


@pytest.mark.parametrize("start", [8e-3, 1e-2])
def test_nan_is_told_as_a_finite_bad_value(tmp_path: Path, start: float):
    result = run(tmp_path / "out", learning_rate=start, trials=4)
    assert result.trials[0].value is None
    assert result.trials[0].label == "unstable"
    told = optuna.load_study(study_name="bowl", storage=f"sqlite:///{tmp_path / 'out' / 'study.db'}").trials
    assert told[0].state.name == "COMPLETE"
    assert told[0].value == max(t.value or 0 for t in told)
    assert result.winner is not None
    assert result.winner.number > 0


def test_a_metric_that_never_comes_is_no_value(tmp_path: Path):
    def silent(moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        return Run.from_points("x", {"train_loss": [(k, 2 - k / 100) for k in range(50)]})

    result = run(tmp_path / "out", silent, trials=2)
    assert [trial.value for trial in result.trials] == [None, None]
    assert result.best is None


def test_a_study_that_maximises_picks_the_highest(tmp_path: Path):
    def trainer(moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        made = Bowl().run(moves, "x", Bowl().points(moves), 1.0)
        held = made.curves["eval_loss"]
        accuracy = [(step, 2.5 - value) for step, value in zip(held.steps, held.values, strict=True)]
        return Run(made.name, {**made.curves, "eval_exact_match": Run.from_points("", {"a": accuracy}).curves["a"]})

    result = run(tmp_path / "out", trainer, metric="eval_exact_match", direction="maximize", trials=5)
    values = [trial.value for trial in result.trials if trial.value is not None]
    assert result.winner is not None
    assert result.winner.value == max(values)
    assert result.winner.value > values[0]


def test_when_the_file_is_the_best_nothing_is_repeated_and_no_gain_is_claimed(tmp_path: Path):
    trainer = Bowl(evaluations=6, best_rate=1e-4)
    result = run(tmp_path / "out", trainer, trials=2, seeds=3, space=RATE_ONLY, learning_rate=1e-4)
    assert result.best == 0
    assert result.gain is not None
    assert not result.gain.claimed
    assert "no gain" in result.gain.message
    assert len(trainer.calls) == 2


def test_minutes_stop_new_trials_while_time_for_the_repeats_is_left(tmp_path: Path):
    run(tmp_path / "out", trials=3, space=RATE_ONLY)
    trainer, said = Bowl(evaluations=6), list[Event]()
    result = run(tmp_path / "out", trainer, trials=50, seeds=1, minutes=0.001, show=said.append, space=RATE_ONLY)
    assert len(result.trials) == 3
    assert trainer.calls == ["repeat-0-seed-8", f"repeat-{result.best}-seed-8"]
    assert any(isinstance(event, Said) and "no time" in event.text for event in said)


def test_steps_stop_new_trials_while_the_repeats_can_still_be_paid(tmp_path: Path):
    # A trial of one pass over 6,400 rows takes 400 steps of trial 0's batch, whatever its own batch.
    said = list[Event]()
    result = run(tmp_path / "out", trials=50, seeds=1, steps=2500, show=said.append, stop_early=False)
    assert len(result.trials) == 4
    assert len({trial.settings["batch_size"] for trial in result.trials}) >= 1
    assert result.steps == pytest.approx(2400, abs=100)
    assert result.gain is not None and len(result.gain.pairs) == 1
    text = "no steps for another trial: 1600 of 2500 are spent, 800 are for the repeats"
    assert any(isinstance(event, Said) and event.text == text for event in said)
    assert result.notes == (f"4 trials: {text}",)
    more = run(tmp_path / "out", trials=50, seeds=1, steps=3300, stop_early=False)
    assert len(more.trials) == 5


def test_a_study_stops_when_no_gain_beyond_noise_is_in_sight_and_can_go_on_all_the_same(tmp_path: Path):
    said = list[Event]()
    result = run(tmp_path / "out", trials=40, show=said.append, space=RATE_ONLY)
    assert 10 <= len(result.trials) < 40
    assert result.winner is not None
    assert (result.winner.value or 9) < 1.02
    why = next(event.text for event in said if isinstance(event, Said))
    assert "no gain beyond noise is in sight" in why and "--no-stop-early" in why
    assert result.notes == (f"{len(result.trials)} trials: {why}",)
    trainer = Bowl(evaluations=6)
    assert len(run(tmp_path / "out", trainer, trials=40, space=RATE_ONLY).trials) == len(result.trials)
    assert trainer.calls == []
    more = len(result.trials) + 2
    assert len(run(tmp_path / "out", trials=more, space=RATE_ONLY, stop_early=False).trials) == more


def test_a_trial_that_another_worker_has_taken_over_is_left_to_it(tmp_path: Path):
    storage = f"sqlite:///{tmp_path / 'out' / 'study.db'}"
    said = list[Event]()

    class Overtaken(Bowl):
        """While its second trial runs, somebody else finishes that one."""

        def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
            def late(run: Run, share: float) -> str | None:
                if out.name == "trial-001" and share > 0.5:
                    study = optuna.load_study(study_name="bowl", storage=storage)
                    study.tell(1, 1.25, skip_if_finished=True)
                return report(run, share)

            return super().__call__(moves, out, late)

    result = run(tmp_path / "out", Overtaken(evaluations=6), trials=3, show=said.append)
    assert any(isinstance(event, Said) and "trial 1 is in the hands of another worker" in event.text for event in said)
    assert [trial.state for trial in result.trials] == ["complete"] * 3
    assert result.trials[1].value == 1.25


def test_a_finite_space_is_tried_once_and_the_study_ends(tmp_path: Path):
    said: list[Event] = []
    space = {"learning_rate": Choice((3e-4, 1e-3)), "batch_size": Choice((8, 16))}
    result = run(tmp_path / "out", space=space, learning_rate=3e-4, trials=10, show=said.append)
    assert len(result.trials) == len({tuple(trial.settings.values()) for trial in result.trials}) == 4
    assert any(isinstance(event, Said) and "every setting" in event.text for event in said)


def test_a_study_without_a_space_is_refused(tmp_path: Path):
    with pytest.raises(BadInput, match=r"study\.space is missing"):
        run(tmp_path / "out", space={})


def test_a_storage_that_cannot_be_opened_is_one_line(tmp_path: Path):
    with pytest.raises(BadInput, match="--storage nonsense"):
        run_study(spec(tmp_path), Bowl(), tmp_path / "out", storage="nonsense")


@pytest.mark.parametrize("sign", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_leaves_a_study_that_goes_on_in_the_same_trial(tmp_path: Path, sign: type[BaseException]):
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


def test_two_processes_share_one_study(tmp_path: Path):
    trainers = [Bowl(evaluations=3, pause=0.02) for _ in range(2)]
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


def start(out: Path, pause: float, **block: Any) -> subprocess.Popen[str]:
    """The made-up study in a process of its own."""
    code = f"from tests.tuner.madeup import main; main({str(out)!r}, {pause}, **{block!r})"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def wait_for(path: Path, process: subprocess.Popen[str]) -> None:
    for _ in range(1200):
        if path.exists():
            return
        assert process.poll() is None, process.stdout and process.stdout.read()
        time.sleep(0.05)
    raise AssertionError(f"{path} never came")


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_study_loses_nothing_and_repeats_nothing(tmp_path: Path, sign: signal.Signals):
    out = tmp_path / "out"
    process = start(out, pause=0.1, trials=4, seeds=1)
    wait_for(out / "trial-002" / "log.json", process)
    time.sleep(0.3)
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
    assert "trial 2 goes on where it was cut" in text
    assert "trial 0:" not in text.replace("repeat 1 of 2: trial 0", "")
    after = optuna.load_study(study_name="bowl", storage=storage).trials
    assert [trial.state.name for trial in after] == ["COMPLETE"] * 4
    assert [trial.params for trial in after[:3]] == [trial.params for trial in before]
    assert [trial.value for trial in after[:2]] == [trial.value for trial in before[:2]]


@pytest.mark.slow
def test_a_study_killed_in_its_repeats_runs_only_those_that_are_missing(tmp_path: Path):
    out = tmp_path / "out"
    process = start(out, pause=0.05, trials=3, seeds=2)
    for _ in range(1200):
        if len(list(out.glob("repeat-*/repeat.json"))) == 2:
            break
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=60)
    kept = {path: path.stat().st_mtime_ns for path in out.glob("repeat-*/repeat.json")}
    process = start(out, pause=0.0, trials=3, seeds=2)
    text, _ = process.communicate(timeout=120)
    assert process.returncode == 0, text
    assert "2 of 2 seeds" in text
    assert text.count("repeat ") == 4 - len(kept)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.parametrize(
    ("storage", "named"),
    [
        ("foo", "--storage foo: no address of a database; write sqlite:///FILE.db or postgresql://USER@HOST/NAME"),
        ("sqlite:///{rows}", "is no SQLite database; name another file"),
        ("sqlite:///{folder}", "is a folder; write sqlite:///FILE.db"),
        ("mysql://me@there/runs", "--storage mysql://me@there/runs: "),
        ("postgresql://me:secret@127.0.0.1:1/runs", "Connection refused"),
    ],
)
def test_a_storage_that_cannot_be_opened_is_one_line_and_leaves_nothing(tmp_path: Path, storage: str, named: str):
    (tmp_path / "rows.jsonl").write_text('{"text": "a"}\n')
    before = sorted(tmp_path.rglob("*"))
    address = storage.format(rows=tmp_path / "rows.jsonl", folder=tmp_path)
    with pytest.raises(BadInput, match=re.escape(named)) as error:
        run_study(spec(tmp_path), Bowl(), tmp_path / "runs" / "out", storage=address)
    assert "\n" not in str(error.value) and "secret" not in str(error.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path):
    (tmp_path / "taken").write_text("a file")
    for out in (tmp_path / "taken", tmp_path / "taken" / "out"):
        with pytest.raises(BadInput, match="so no study can live there; choose another folder with --out"):
            run(out, trials=1)


def test_another_study_of_the_same_name_in_one_storage_is_one_line_and_leaves_nothing(tmp_path: Path):
    storage = f"sqlite:///{tmp_path / 'shared.db'}"
    run_study(spec(tmp_path, trials=1, seeds=0), Bowl(evaluations=4), tmp_path / "a", storage=storage)
    other = spec(tmp_path, trials=1, seeds=0, space=RATE_ONLY)
    with pytest.raises(
        BadInput, match=r"the study bowl in sqlite:///.*: study.space.batch_size.* another name"
    ) as error:
        run_study(other, Bowl(), tmp_path / "b", storage=storage)
    assert "--out" not in str(error.value)
    assert not (tmp_path / "b").exists()
    assert (tmp_path / "a" / "study.md").exists()
