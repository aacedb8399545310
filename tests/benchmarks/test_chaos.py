"""A small sample of the chaos benchmark: studies that are killed lose nothing, and the benchmark sees what is lost."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from benchmarks.chaos.life import Life
from benchmarks.chaos.points import POINTS
from benchmarks.chaos.scenarios import kills
from benchmarks.chaos.tally import Tally
from benchmarks.chaos.workers import workers


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_study_that_is_killed_at_points_loses_nothing(tmp_path: Path) -> None:
    tally = kills(tmp_path, 15.0, random.Random(5))
    assert not any(tally.failures().values()), tally.failures()
    assert tally.signals.total()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_each_point_of_the_made_up_study_can_be_reached_and_a_cut_study_counts_as_lost(tmp_path: Path) -> None:
    life = Life(str(tmp_path / "out"), str(tmp_path / "ledger"), point="before tell", count=2)
    tally = Tally()
    with workers(tally) as team:
        assert team.run(life) == -signal.SIGKILL
    tally.judge(life, [Path(life.out)])
    assert tally.signals == {"SIGKILL": 1}
    assert "trial 1 RUNNING " in tally.lost and "trial 5 missing" in tally.lost
    assert set(POINTS) > {"before tell", "checkpoint half written"}
