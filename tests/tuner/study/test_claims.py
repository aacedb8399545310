from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution

from tuner.study.workers.claims import PLACE, claim, drop_weights
from tuner.study.workers.file_locks import FileLocks, Lock, locked, try_lock

SPACE = {"learning_rate": FloatDistribution(1e-6, 1e-2, log=True)}
START = {"learning_rate": 1e-5}
ROOT = Path(__file__).parents[3]


@pytest.fixture
def study(tmp_path: Path) -> optuna.Study:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna.create_study(storage=f"sqlite:///{tmp_path / 'study.db'}")


def test_the_first_trial_is_the_file(study: optuna.Study, tmp_path: Path):
    held = claim(study, FileLocks(tmp_path), tmp_path, SPACE, 3, START)
    assert held is not None
    assert held.settings == START
    assert not held.continued
    assert held.folder == tmp_path / "trial-000"


def test_two_hands_never_hold_the_same_trial(study: optuna.Study, tmp_path: Path):
    held = [claim(study, FileLocks(tmp_path), tmp_path, SPACE, 3, START) for _ in range(5)]
    assert [one.trial.number for one in held if one is not None] == [0, 1, 2]


def test_a_trial_whose_lock_is_free_goes_on_with_its_number_and_settings(study: optuna.Study, tmp_path: Path):
    claim(study, FileLocks(tmp_path), tmp_path, SPACE, 3, START)
    cut = claim(study, FileLocks(tmp_path), tmp_path, SPACE, 3, START)
    assert cut is not None
    cut.lock.release()
    again = claim(study, FileLocks(tmp_path), tmp_path, SPACE, 3, START)
    assert again is not None
    assert (again.trial.number, again.settings, again.continued) == (1, cut.settings, True)


def test_no_trial_is_taken_over_while_its_worker_may_still_get_its_lock_back(study: optuna.Study, tmp_path: Path):
    cut = claim(study, FileLocks(tmp_path), tmp_path, SPACE, 3, START)
    assert cut is not None
    cut.lock.release()

    class Restarted(FileLocks):
        """Locks of a server that has just been restarted."""

        def are_settled(self) -> bool:
            return False

    other = claim(study, Restarted(tmp_path), tmp_path, SPACE, 3, START)
    assert other is not None and (other.trial.number, other.continued) == (1, False)
    again = claim(study, FileLocks(tmp_path), tmp_path, SPACE, 3, START)
    assert again is not None and again.continued


def test_a_trial_that_ends_while_its_lock_is_asked_for_is_left_alone(study: optuna.Study, tmp_path: Path):
    other = claim(study, FileLocks(tmp_path), tmp_path, SPACE, 3, START)
    assert other is not None

    class Late(FileLocks):
        """Locks of a worker that looks just before the other one ends."""

        def try_lock(self, name: str) -> Lock | None:
            if name == "trial-000" and not study.trials[0].state.is_finished():
                study.tell(0, 1.0)
                other.lock.release()
            return super().try_lock(name)

    held = claim(study, Late(tmp_path), tmp_path, SPACE, 3, START)
    assert held is not None
    assert (held.trial.number, held.continued) == (1, False)
    free = FileLocks(tmp_path).try_lock("trial-000")
    assert free is not None
    free.release()


def test_a_trial_that_was_cut_before_its_settings_were_drawn_gets_them(study: optuna.Study, tmp_path: Path):
    study.enqueue_trial(START)
    study.ask()
    held = claim(study, FileLocks(tmp_path), tmp_path, SPACE, 3, START)
    assert held is not None
    assert held.continued
    assert held.settings == START


def test_workers_with_folders_of_their_own_never_hold_the_same_trial(study: optuna.Study, tmp_path: Path):
    folders = [tmp_path / "here", tmp_path / "there"]
    held = [claim(study, FileLocks(tmp_path), folder, SPACE, 3, START) for folder in folders * 2]
    assert [one.trial.number for one in held if one is not None] == [0, 1, 2]
    assert held[3] is None


def test_a_trial_that_was_cut_elsewhere_is_taken_over_and_its_place_is_known(study: optuna.Study, tmp_path: Path):
    there = claim(study, FileLocks(tmp_path), tmp_path / "there", SPACE, 3, START)
    assert there is not None
    assert study.trials[0].user_attrs[PLACE] == [platform.node(), str(tmp_path / "there" / "trial-000")]
    there.lock.release()
    here = claim(study, FileLocks(tmp_path), tmp_path / "here", SPACE, 3, START)
    assert here is not None
    assert (here.trial.number, here.settings, here.continued) == (0, START, True)
    assert study.trials[0].user_attrs[PLACE] == [platform.node(), str(tmp_path / "here" / "trial-000")]


def test_a_lock_is_released_when_its_process_is_killed(tmp_path: Path):
    script = f"""
        import os, signal, sys
        from pathlib import Path
        from tuner.study.workers.file_locks import try_lock
        lock = try_lock(Path({str(tmp_path / "lock")!r}))
        ready, begun = os.pipe()
        child = os.fork()
        if child == 0:
            import time
            os.write(begun, b"!")
            time.sleep(300)
        os.read(ready, 1)
        print("locked", child, flush=True)
        sys.stdin.read()
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    word, child = process.stdout.readline().split()
    assert word == "locked"
    assert try_lock(tmp_path / "lock") is None
    process.kill()
    process.wait()
    process.stdout.close()
    assert process.stdin is not None
    process.stdin.close()
    lock = try_lock(tmp_path / "lock")
    assert lock is not None, "a forked worker that outlives its parent must not keep the lock"
    lock.release()
    os.kill(int(child), signal.SIGKILL)


def test_a_lock_is_held_once_and_can_be_had_again(tmp_path: Path):
    locks = FileLocks(tmp_path)
    with locked(locks, "lock"):
        assert locks.try_lock("lock") is None
        with pytest.raises(TimeoutError, match="held by another worker"), locked(locks, "lock", patience=0.1):
            pass
    with locked(locks, "lock"):
        pass


def test_weights_are_dropped_and_the_rest_is_kept(tmp_path: Path):
    for name in ("checkpoint-10", "checkpoint-20", "adapter"):
        (tmp_path / name).mkdir()
    (tmp_path / "report.md").touch()
    drop_weights(tmp_path, adapter=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "report.md"]
    drop_weights(tmp_path, adapter=True)
    assert [path.name for path in tmp_path.iterdir()] == ["report.md"]
