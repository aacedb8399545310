from __future__ import annotations

from pathlib import Path

from tuner.config.trainers.others import TORCHTUNE
from tuner.drivers.checkpoints import newest_whole


def test_what_a_finished_run_of_torchtune_leaves_is_not_continued_from(tmp_path: Path):
    epoch = tmp_path / "epoch_0"
    epoch.mkdir()
    (epoch / "adapter_model.pt").touch()
    assert newest_whole(tmp_path, TORCHTUNE.checkpoints, TORCHTUNE.state) is None
    (tmp_path / "recipe_state").mkdir()
    (tmp_path / "recipe_state" / "recipe_state.pt").touch()
    assert newest_whole(tmp_path, TORCHTUNE.checkpoints, TORCHTUNE.state) == epoch
