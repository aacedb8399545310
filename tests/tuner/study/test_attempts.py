"""What is kept of attempts that came to nothing: how often, why, and what they cost."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.samplers import RandomSampler

from diagnostics.model.curves import Run
from diagnostics.model.message import Message
from tests.tuner.madeup import RATE, Bowl, spec
from tests.tuner.study.deadly import FILE, file, rows_of
from tuner.config.search_space import Choice
from tuner.study.budget import steps_spent
from tuner.study.failure import Failure, FailureKind, RunGivenUp
from tuner.study.loop import run_study
from tuner.study.results import StudyResult, TrialResult, TrialState
from tuner.study.workers.attempts import (
    MAX_LOSSES_WITHOUT_PROGRESS,
    Attempt,
    Attempts,
    attempts_at,
    detect_lost_worker,
    keep,
    under_way,
)
from tuner.training.device_batch import DeviceBatch
from tuner.training.oom import MemoryKills, boot_id, free_memory_share, kill_count


def test_a_worker_that_is_killed_further_on_each_time_keeps_its_device_batch(tmp_path: Path):
    study = optuna.create_study()
    for share, in_a_row in ((0.0, 1), (0.2, 1), (0.5, 1), (0.0, 2)):
        died(study, tmp_path / "trial-000", share)
        death = detect_lost_worker(study, tmp_path / "trial-000")
        assert death is not None
        assert (death.for_memory, death.too_often, death.in_a_row) == (False, False, in_a_row)
        assert attempts_at(study, "trial-000").in_a_row == in_a_row
    assert attempts_at(study, "trial-000").killed == 4
    assert detect_lost_worker(study, tmp_path / "trial-000") is None


def test_another_trial_that_kills_every_worker_fails_without_a_value_and_the_search_continues(tmp_path: Path):
    study, folder = optuna.create_study(), tmp_path / "trial-001"
    for _ in range(MAX_LOSSES_WITHOUT_PROGRESS - 1):
        died(study, folder, 0.0)
        loss = detect_lost_worker(study, folder)
        assert loss is not None and not loss.too_often
    out = tmp_path / "out"
    trainer = Bowl(evaluations=4)

    def give_up(moves: Mapping[str, Any], call: int) -> None:
        if call == 2:
            raise RunGivenUp(Failure(FailureKind.WORKERS_LOST, losses=MAX_LOSSES_WITHOUT_PROGRESS))

    trainer.fails = give_up
    result = run_study(file(out), trainer, out, base=RandomSampler(seed=0))
    assert [trial.state for trial in result.trials] == [TrialState.COMPLETE, TrialState.FAILED, TrialState.COMPLETE]
    assert result.trials[1].failure == Failure(FailureKind.WORKERS_LOST, losses=MAX_LOSSES_WITHOUT_PROGRESS)
    stored = optuna.load_study(study_name="bowl", storage=f"sqlite:///{out / 'study.db'}").trials
    assert [(trial.state.name, trial.value is None) for trial in stored][1] == ("FAIL", True)


@pytest.mark.parametrize(
    ("free", "boot", "for_memory"),
    [(0.01, boot_id(), True), (0.5, boot_id(), False), (None, boot_id(), False), (0.01, "another", False)],
)
def test_little_free_memory_at_the_last_evaluation_is_evidence_unless_the_machine_was_restarted(
    tmp_path: Path, free: float | None, boot: str, for_memory: bool
):
    study = optuna.create_study()
    died(study, tmp_path / "trial-000", 0.0, free=free, boot=boot, host=platform.node())
    loss = detect_lost_worker(study, tmp_path / "trial-000")
    assert loss is not None and (loss.short_of_memory, loss.by_kernel) == (for_memory, False)


def test_the_kernel_s_count_says_nothing_across_a_restart(tmp_path: Path):
    study = optuna.create_study()
    died(study, tmp_path / "trial-000", 0.0, kills=-1, boot="another", host=platform.node())
    loss = detect_lost_worker(study, tmp_path / "trial-000")
    assert loss is not None and not loss.for_memory


def test_an_attempt_that_an_earlier_version_stored_is_read(tmp_path: Path):
    study = optuna.create_study()
    old = {"name": "a", "limit": None, "host": "h", "place": "p", "kills": 1, "steps": 2.0, "share": 0.1}
    kept = {"lost": 1.0, "killed": 1, "in_a_row": 1, "reached": 0.0, "under_way": old}
    study.set_user_attr("attempts:trial-000", kept)
    assert attempts_at(study, "trial-000").under_way == Attempt("a", None, "h", "p", 1, 2.0, 0.1)


def died(study: optuna.Study, folder: Path, share: float, **more: Any) -> None:
    """Leave a run as a worker does that is killed at a share of it."""
    with under_way(study, folder, DeviceBatch(8, 8), lambda run, share: None):
        dead = attempts_at(study, folder.name)
    assert dead.under_way is not None
    steps = 100 * share
    keep(study, folder.name, replace(dead, under_way=replace(dead.under_way, share=share, steps=steps, **more)))


@pytest.mark.parametrize(("kills", "host", "by_kernel"), [(-1, "", True), (0, "", False), (-1, "elsewhere", False)])
def test_the_kernel_s_word_counts_where_the_attempt_ran(tmp_path: Path, kills: int, host: str, by_kernel: bool):
    now = kill_count()
    if now is None:
        pytest.skip("the kernel does not count what it kills for memory")
    study = optuna.create_study()
    died(study, tmp_path / "trial-000", 0.5, kills=now + kills, group="", host=host or platform.node())
    death = detect_lost_worker(study, tmp_path / "trial-000")
    assert death is not None and death.by_kernel == by_kernel
    # With fewer rows it begins again, so what was trained is lost; else it continues from its checkpoint.
    assert attempts_at(study, "trial-000").lost == (50.0 if by_kernel else 0.0)


def test_what_a_killed_worker_trained_elsewhere_is_lost(tmp_path: Path):
    study = optuna.create_study()
    died(study, tmp_path / "a" / "trial-000", 0.4)
    assert detect_lost_worker(study, tmp_path / "b" / "trial-000") is not None
    assert attempts_at(study, "trial-000").lost == 40.0


@pytest.mark.parametrize(
    ("error", "lost"), [(RuntimeError("CUDA out of memory"), 25.0), (KeyboardInterrupt(), 0.0), (None, 0.0)]
)
def test_only_an_error_makes_what_was_trained_come_to_nothing(tmp_path: Path, error: BaseException | None, lost: float):
    study = optuna.create_study()
    try:
        with under_way(study, tmp_path / "trial-000", None, lambda run, share: None) as report:
            report(Run.from_points("a", {"eval_loss": [(0, 2.0), (25, 1.0)]}), 0.25)
            kept = attempts_at(study, "trial-000").under_way
            assert kept is not None and (kept.steps, kept.share) == (25.0, 0.25)
            if error is not None:
                raise error
    except (RuntimeError, KeyboardInterrupt):
        pass
    assert attempts_at(study, "trial-000") == Attempts(lost=lost)


def test_a_worker_that_was_replaced_leaves_the_record_to_the_other(tmp_path: Path):
    study = optuna.create_study()
    folder = tmp_path / "trial-000"
    with under_way(study, folder, None, lambda run, share: None):
        with under_way(study, folder, None, lambda run, share: None):
            other = attempts_at(study, "trial-000")
        keep(study, "trial-000", other)
    assert attempts_at(study, "trial-000") == other


class Late(Bowl):
    """The bowl on a device where more than 4 rows run out of memory half-way."""

    def __call__(self, moves: Any, out: Path, report: Any) -> Run:
        def failing(run: Run, share: float) -> str | None:
            reason = report(run, share)
            if share >= 0.5 and rows_of(moves) > 4:
                (out / "log.json").unlink()  # with other rows on the device a run begins again
                raise RuntimeError("CUDA out of memory")
            return reason

        return super().__call__({k: v for k, v in moves.items() if not k.endswith("_limit")}, out, failing)


def late(out: Path, **block: Any) -> StudyResult:
    space = {"learning_rate": RATE, "batch_size": Choice((8, 16, 32))}
    block = {"trials": 6, "seeds": 1, "stop_early": False, "space": space, **block}
    return run_study(spec(out.parent, **FILE, **block), Late(evaluations=4), out, base=RandomSampler(seed=0))


def test_attempts_that_ran_out_of_memory_are_paid_for(tmp_path: Path):
    result = late(tmp_path / "out", trials=2)
    first, second = result.trials
    assert (first.steps, first.lost) == (400.0, 400.0)  # half with 16 rows, half with 8, then the whole with 4
    assert second.lost == 0.0
    kept = json.loads((tmp_path / "out" / "study.json").read_text())
    assert kept["trials"][0]["lost"] == 400.0
    assert result.steps == pytest.approx(400 * 5, rel=0.01)  # two trials, two repeats, and what was lost


def test_a_budget_of_steps_ends_sooner_by_what_was_lost(tmp_path: Path):
    result = late(tmp_path / "out", steps=2000)
    assert len(result.trials) == 2
    assert result.steps <= 2000
    (note,) = result.notes
    assert isinstance(note, Message) and note.code == "steps-kept"


def test_lost_steps_count_in_batches_of_trial_0():
    trials = [
        TrialResult(n, {"batch_size": batch}, 1.0, TrialState.COMPLETE, steps=10.0, lost=5.0)
        for n, batch in ((0, 8), (1, 16))
    ]
    assert steps_spent(trials, []) == 15.0 + 30.0


@pytest.mark.parametrize(
    ("texts", "kills"),
    [
        (["nr_dirty 3\noom_kill 7\n"], 7),
        (["nr_dirty 3\n", "low 0\noom 4\noom_kill 2\noom_group_kill 0\n"], 2),
        ([None, "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"], 1),
        (["oom_kill\n", "oom_kill many\n"], None),
        ([], None),
    ],
)
def test_the_kernel_s_count_is_read_from_the_first_file_that_has_it(
    tmp_path: Path, texts: list[str | None], kills: int | None
):
    paths = [tmp_path / str(index) for index in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        if text is not None:
            path.write_text(text)
    assert kill_count(map(str, paths)) == kills


def test_kills_of_others_on_the_machine_are_not_those_of_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    machine, group = tmp_path / "vmstat", tmp_path / "memory.events"
    monkeypatch.setattr("tuner.training.oom.COUNTERS", (str(machine),))
    machine.write_text("oom_kill 3\n")
    group.write_text("oom 0\noom_kill 0\n")
    before = MemoryKills(3, str(group), 0)
    machine.write_text("oom_kill 9\n")
    assert not before.have_risen() and MemoryKills(3).have_risen()
    group.write_text("oom 1\noom_kill 1\n")
    assert before.have_risen()
    group.unlink()  # it has ended with its processes, so the machine's count is all that is left
    assert before.have_risen() and not MemoryKills(9, str(group), 0).have_risen()


def test_the_counter_of_its_own_group_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = tmp_path / "cgroup"
    own.write_text(f"9:memory:/a/b:c\n4:cpu:/x\n0::{tmp_path}/gone\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b:c").write_text("oom_kill_disable 0\noom_kill 5\n")
    monkeypatch.setattr("tuner.training.oom.OWN_GROUPS", str(own))
    monkeypatch.setattr("tuner.training.oom.GROUP_COUNTERS", {"": "{}/memory.events", "memory": f"{tmp_path}{{}}"})
    now = MemoryKills.now()
    assert (now.group, now.in_group) == (f"{tmp_path}/a/b:c", 5)


def test_the_free_share_of_memory_is_a_share_of_this_machine():
    share = free_memory_share()
    assert share is None or 0 <= share <= 1
    assert share is not None or not Path("/proc/meminfo").exists()
