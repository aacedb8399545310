"""The files of a running trainer are listed while it deletes some of them."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from tuner.drivers.live_files import paths_below


def test_a_checkpoint_that_is_deleted_during_the_search_does_not_end_it(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("here")
    over = threading.Event()

    def rotate() -> None:
        number = 0
        while not over.is_set():
            number += 1
            (tmp_path / f"checkpoint-{number}" / "inner").mkdir(parents=True)
            shutil.rmtree(tmp_path / f"checkpoint-{number - 1}", ignore_errors=True)

    trainer = threading.Thread(target=rotate)
    trainer.start()
    try:
        assert all(tmp_path / "kept.txt" in paths_below(tmp_path) for _ in range(500))
    finally:
        over.set()
        trainer.join()


def test_a_folder_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    assert paths_below(tmp_path / "nothing") == []
