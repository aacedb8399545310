from __future__ import annotations

import json
from pathlib import Path

import optuna
import pytest

from diagnostics.model.message import Message, message
from tuner.config.direction import Direction
from tuner.study.failure import Failure, FailureKind
from tuner.study.repeats import Repeat, all_of, claim, gain_of, load, pairs_of, planned, save
from tuner.study.results import Pair
from tuner.study.workers.file_locks import FileLocks


def pairs(*values: tuple[float, float]) -> tuple[Pair, ...]:
    return tuple(Pair(seed, before, after) for seed, (before, after) in enumerate(values, 43))


def test_a_clear_gain_on_three_seeds_is_claimed():
    gain = gain_of(pairs((0.61, 0.32), (0.6, 0.33), (0.62, 0.31)), Direction.MINIMIZE)
    assert gain.claimed
    assert gain.mean == pytest.approx(0.29)
    assert gain.doubts == ()


def test_a_gain_of_a_metric_that_rises_is_positive():
    gain = gain_of(pairs((0.6, 0.7), (0.62, 0.71), (0.61, 0.72)), Direction.MAXIMIZE)
    assert gain.claimed
    assert gain.mean == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("values", "doubts"),
    [
        ([(1.0, 0.9), (1.0, 0.9), (1.0, 1.01)], [message("not-every-seed-better"), message("within-noise")]),
        ([(1.0, 0.9), (1.0, 0.9)], [message("too-few-seeds", needed=3)]),
        ([(1.0, 0.999), (1.0, 0.9985), (1.0, 0.9988)], [message("within-noise")]),
        ([(1.0, 0.99), (1.0, 0.7), (1.0, 0.998)], [message("within-noise")]),
        ([(1.0, 0.996), (1.0, 0.9961), (1.0, 0.9959)], [message("small-gain", share=0.005, needed=5)]),
        ([], [message("no-pairs")]),
    ],
)
def test_a_doubtful_gain_is_not_claimed_and_says_why(values: list[tuple[float, float]], doubts: list[Message]):
    gain = gain_of(pairs(*values), Direction.MINIMIZE)
    assert not gain.claimed
    assert list(gain.doubts) == doubts


def test_a_seed_that_one_side_lost_is_no_proof():
    gain = gain_of(pairs((1.0, 0.9), (1.0, 0.9), (1.0, 0.9)), Direction.MINIMIZE, lost=1)
    assert not gain.claimed
    assert gain.doubts == (message("seeds-without-pair", seeds=1),)


def test_trial_0_and_the_winner_take_turns_on_fresh_seeds():
    assert planned(4, 2, 42) == [(0, 43), (4, 43), (0, 44), (4, 44)]
    assert planned(0, 3, 42) == planned(None, 3, 42) == []


def test_only_seeds_with_both_sides_make_pairs():
    repeats = [Repeat(0, 1, 1.0, 1, {}), Repeat(4, 1, 0.9, 1, {}), Repeat(0, 2, 1.0, 1, {}), Repeat(4, 2, None, 1, {})]
    assert pairs_of(repeats, 4) == (Pair(1, 1.0, 0.9),)


def test_a_finished_repeat_is_never_claimed_again(tmp_path: Path):
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study, locks = optuna.create_study(), FileLocks(tmp_path)
    lock = claim(study, locks, 4, 43)
    assert lock is not None
    assert claim(study, locks, 4, 43) is None
    assert claim(study, locks, 0, 43) is not None
    lock.release()
    repeat = Repeat(4, 43, 0.9, 2.5, {"learning_rate": 1e-4}, steps=40.0)
    save(study, repeat, tmp_path / "r")
    assert load(study, 4, 43) == repeat
    assert load(study, 4, 44) is None
    assert claim(study, locks, 4, 43) is None
    assert all_of(study) == [repeat]
    assert json.loads((tmp_path / "r" / "repeat.json").read_text())["value"] == 0.9


def test_a_repeat_that_failed_can_be_claimed_again(tmp_path: Path):
    study = optuna.create_study()
    save(
        study, Repeat(4, 43, None, 1.0, {}, Failure(FailureKind.ERROR, "OSError", "No space left on device")), tmp_path
    )
    assert claim(study, FileLocks(tmp_path), 4, 43) is not None
