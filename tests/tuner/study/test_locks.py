from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from tuner.study.workers.file_locks import FileLock, try_lock

ROOT = Path(__file__).parents[3]
HOLD = """
import time
from pathlib import Path
from tuner.study.workers.file_locks import try_lock
print(bool(try_lock(Path({!r}))), flush=True)
time.sleep(300)
"""


def test_of_many_threads_one_gets_the_lock(tmp_path: Path):
    for attempt in range(50):
        got: list[FileLock | None] = []
        start = threading.Barrier(4)

        def take(path: Path = tmp_path / f"{attempt}.lock", start: threading.Barrier = start, got: list = got) -> None:
            start.wait()
            got.append(try_lock(path))

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(lock is not None for lock in got) == 1


def test_a_lock_can_be_had_again_once_it_is_released(tmp_path: Path):
    lock = try_lock(tmp_path / "a.lock")
    assert lock is not None
    assert try_lock(tmp_path / "a.lock") is None
    lock.release()
    again = try_lock(tmp_path / "a.lock")
    assert again is not None
    again.release()


def test_another_process_holds_it_until_it_is_killed(tmp_path: Path):
    path = tmp_path / "a.lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD.format(str(path))], stdout=subprocess.PIPE, cwd=ROOT)
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == b"True\n"
        assert try_lock(path) is None
        holder.kill()
        holder.wait()
    lock = try_lock(path)
    assert lock is not None
    lock.release()
