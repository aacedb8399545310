from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import optuna
import pytest

from diagnostics.model.curves import Run
from diagnostics.model.message import message
from tests.tuner.madeup import RATE, Bowl, notices, run
from tuner.config.search_space import Choice, Range
from tuner.search.proposer import FILE, advice_of
from tuner.study.events import Event
from tuner.study.protocols import Report

RATE_ONLY: dict[str, Range | Choice] = {"learning_rate": RATE}


def test_a_study_finds_a_better_rate_proves_it_and_leaves_its_reports(tmp_path: Path):
    trainer = Bowl(evaluations=6)
    result = run(tmp_path / "out", trainer, trials=6, seeds=3)
    assert result.baseline is not None
    assert result.baseline.settings["learning_rate"] == 1e-5
    assert result.baseline.proposer == FILE
    assert result.winner is not None
    assert result.winner.value is not None
    assert result.winner.value < 1.03
    assert result.trials[1].proposer == advice_of("rate-too-low")
    assert result.gain is not None
    assert result.gain.claimed
    assert [pair.seed for pair in result.gain.pairs] == [8, 9, 10]
    records = {record.rule: record for record in result.records}
    assert records["rate-too-low"].followed >= records["rate-too-low"].helped >= 1
    assert records["rate-too-low"].advised >= 1
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


def test_the_number_of_trials_seeds_and_minutes_may_change(tmp_path: Path):
    run(tmp_path / "out", trials=1, space=RATE_ONLY)
    result = run(tmp_path / "out", trials=2, seeds=1, minutes=10.0, output_dir="elsewhere", space=RATE_ONLY)
    assert len(result.trials) == 2


@pytest.mark.parametrize("start", [8e-3, 1e-2])
def test_nan_counts_as_a_finite_bad_value(tmp_path: Path, start: float):
    result = run(tmp_path / "out", learning_rate=start, trials=4)
    assert result.trials[0].value is None
    assert result.trials[0].label == "unstable"
    trials = optuna.load_study(study_name="bowl", storage=f"sqlite:///{tmp_path / 'out' / 'study.db'}").trials
    assert trials[0].state.name == "COMPLETE"
    assert trials[0].value == max(t.value or 0 for t in trials)
    assert result.winner is not None
    assert result.winner.number > 0


def test_a_metric_that_never_comes_is_no_value(tmp_path: Path):
    def silent(moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        return Run.from_points("x", {"train_loss": [(k, 2 - k / 100) for k in range(50)]})

    result = run(tmp_path / "out", silent, trials=2)
    assert [trial.value for trial in result.trials] == [None, None]
    assert result.best is None


def test_a_study_that_maximizes_picks_the_highest(tmp_path: Path):
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
    assert result.gain.doubts == (message("file-not-beaten"),)
    assert len(trainer.calls) == 2


def test_minutes_stop_new_trials_while_time_for_the_repeats_is_left(tmp_path: Path):
    run(tmp_path / "out", trials=3, space=RATE_ONLY)
    trainer, events = Bowl(evaluations=6), list[Event]()
    result = run(tmp_path / "out", trainer, trials=50, seeds=1, minutes=0.001, show=events.append, space=RATE_ONLY)
    assert len(result.trials) == 3
    assert trainer.calls == ["repeat-0-seed-8", f"repeat-{result.best}-seed-8"]
    assert message("minutes-kept", minutes=0.001) in notices(events)


def test_steps_stop_new_trials_while_the_repeats_can_still_be_paid(tmp_path: Path):
    # A trial of one pass over 6,400 rows takes 400 steps of trial 0's batch, whatever its own batch.
    events = list[Event]()
    result = run(tmp_path / "out", trials=50, seeds=1, steps=2500, show=events.append, stop_early=False)
    assert len(result.trials) == 4
    assert len({trial.settings["batch_size"] for trial in result.trials}) >= 1
    assert 2000 < result.steps <= 2500  # a trial that was stopped took fewer
    assert result.gain is not None and len(result.gain.pairs) == 1
    (why,) = [notice for notice in notices(events) if notice.code == "steps-kept"]
    assert why.values == {"spent": result.steps - 800, "steps": 2500, "kept": 800}
    assert result.notes == (why,)
    more = run(tmp_path / "out", trials=50, seeds=1, steps=3300, stop_early=False)
    assert len(more.trials) == 5


@pytest.mark.long
def test_a_study_stops_when_no_gain_beyond_noise_is_in_sight_and_can_continue_anyway(tmp_path: Path):
    events = list[Event]()
    result = run(tmp_path / "out", trials=40, show=events.append, space=RATE_ONLY)
    assert 7 <= len(result.trials) < 40
    assert result.winner is not None
    assert (result.winner.value or 9) < 1.02
    (why,) = notices(events)
    assert why.code == "no-gain-in-sight"
    assert result.notes == (why,)
    trainer = Bowl(evaluations=6)
    assert len(run(tmp_path / "out", trainer, trials=40, space=RATE_ONLY).trials) == len(result.trials)
    assert trainer.calls == []
    more = len(result.trials) + 2
    assert len(run(tmp_path / "out", trials=more, space=RATE_ONLY, stop_early=False).trials) == more


def test_a_finite_space_is_tried_once_and_the_study_ends(tmp_path: Path):
    events: list[Event] = []
    space = {"learning_rate": Choice((3e-4, 1e-3)), "batch_size": Choice((8, 16))}
    result = run(tmp_path / "out", space=space, learning_rate=3e-4, trials=10, show=events.append)
    assert len(result.trials) == len({tuple(trial.settings.values()) for trial in result.trials}) == 4
    assert message("space-used-up") in notices(events)
