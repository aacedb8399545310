"""Runs that were started again: what is left out, where the joins are, and that they are not taken for faults."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from diagnostics import diagnose
from diagnostics.model.curves import Curve
from diagnostics.model.message import message
from diagnostics.model.records import Label
from diagnostics.readers import read
from diagnostics.readers.assemble.counter_jumps import counter_jumps
from tests.diagnostics.readers.records import event, simple, version


def loss(step: int, seed: int = 0) -> float:
    """A healthy loss: it falls and flattens, with a noise of 1 %."""
    return float(1.1 + 0.9 * (1 + step / 20) ** -0.8 + 0.015 * np.random.default_rng(seed + step).standard_normal())


def rows(first: int, last: int, more: float = 0.0, **constant: float) -> list[dict[str, float]]:
    return [{"step": s, "loss": loss(s) + more, "epoch": s / 400, **constant} for s in range(first, last + 1)]


def jsonl(path: Path, lines: list[dict[str, float]]) -> Path:
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    return path


def test_what_a_resume_overwrites_is_left_out_of_every_tag(tmp_path: Path):
    lines = [*rows(1, 60, lr=1e-4), {"step": 60, "eval_loss": 9.0}, *rows(41, 50), {"step": 50, "eval_loss": 2.0}]
    run = read(jsonl(tmp_path / "a.jsonl", lines))
    assert run.curves["train_loss"].steps.tolist() == list(range(1, 51))
    assert run.curves["eval_loss"].steps.tolist() == [50]
    assert run.curves["learning_rate"].steps[-1] == 40
    assert run.discontinuities == (41,)
    assert message("log-restarts", step=41.0, rows=21) in run.notes


def test_rows_in_no_order_are_sorted_and_nothing_of_them_is_lost(tmp_path: Path):
    lines = rows(1, 40)
    mixed = [lines[at] for at in np.random.default_rng(0).permutation(40)]
    run = read(jsonl(tmp_path / "a.jsonl", mixed))
    assert run.curves["train_loss"].steps.tolist() == list(range(1, 41))
    assert run.discontinuities == ()
    assert message("rows-out-of-order") in run.notes
    again = read(jsonl(tmp_path / "b.jsonl", [*rows(1, 3), *rows(2, 4), *rows(3, 6)]))  # steps that were logged again
    assert again.discontinuities == (2, 3)
    once = read(jsonl(tmp_path / "c.jsonl", [*rows(1, 6), *rows(9, 12), *rows(7, 8), *rows(13, 20)]))
    assert once.discontinuities == (7,)


@pytest.mark.parametrize("resumed", [121, 101])
def test_a_jump_at_a_resume_is_noted_and_is_not_a_fault(tmp_path: Path, resumed: int):
    again = rows(resumed, 300, 0.5)
    run = read(jsonl(tmp_path / "a.jsonl", [*rows(1, 120), *again] if resumed < 121 else rows(1, 120) + again))
    if resumed == 101:
        assert run.discontinuities == (101,)
        found = diagnose(run)
        assert found.label is Label.HEALTHY, found.cause
        assert ("resume-offset", 101.0) in {(note.code, note.values.get("step")) for note in found.notes}
    else:  # nothing in such a log shows that it was resumed
        assert diagnose(run).label is Label.UNSTABLE


def test_event_files_that_follow_one_another_are_joined_where_the_second_begins(tmp_path: Path):
    for number, (first, last, more) in enumerate([(1, 120, 0.0), (121, 300, 0.5)]):
        lines = [event(s, simple("train/loss", loss(s) + more)) for s in range(first, last + 1)]
        (tmp_path / f"events.out.tfevents.{100 + number}.host.1.0").write_bytes(b"".join([version(), *lines]))
    run = read(tmp_path)
    assert run.discontinuities == (121,)
    assert diagnose(run).label is Label.HEALTHY


@pytest.mark.parametrize("tag", ["num_input_tokens_seen", "num_tokens"])
def test_a_change_of_packing_is_seen_in_the_tokens_and_is_not_a_fault(tmp_path: Path, tag: str):
    rng = np.random.default_rng(3)
    tokens = np.cumsum(np.where(np.arange(1, 301) < 150, 900, 4000) * rng.uniform(0.8, 1.2, 300))
    lines = [{**row, tag: count} for row, count in zip(rows(1, 149) + rows(150, 300, 0.6), tokens, strict=True)]
    run = read(jsonl(tmp_path / "a.jsonl", lines))
    assert run.discontinuities == (150,)
    assert [note.values["step"] for note in run.notes if note.code == "pace-changes"] == [150.0]
    assert diagnose(run).label is Label.HEALTHY
    plain = [{k: v for k, v in row.items() if k != tag} for row in lines]
    assert diagnose(read(jsonl(tmp_path / "b.jsonl", plain))).label is Label.UNSTABLE


def curve(pace: np.ndarray) -> dict[str, Curve]:
    return {"num_tokens": Curve(np.arange(1.0, pace.size + 1), np.cumsum(pace))}


def test_steady_noisy_and_sorted_rows_are_not_discontinuities():
    rng = np.random.default_rng(1)
    for pace in (
        np.full(200, 512.0),
        rng.gamma(4.0, 200.0, 500),
        np.tile(np.linspace(2000, 300, 50), 10),
        np.linspace(500, 2000, 300),
    ):
        assert counter_jumps(curve(pace)) == ([], [])


def test_the_place_of_a_change_is_exact_on_long_logs_too():
    for size, at in ((60, 30), (9_000, 5_000), (300_000, 123_456)):
        pace = np.where(np.arange(size) < at, 1000.0, 2000.0)
        assert counter_jumps(curve(pace))[0] == [float(at + 1)]


def test_a_counter_that_falls_back_is_a_discontinuity():
    tokens = np.concatenate([np.arange(1, 51) * 100.0, np.arange(1, 51) * 100.0])
    steps, notes = counter_jumps({"num_tokens": Curve(np.arange(1.0, 101.0), tokens)})
    assert steps == [51.0]
    assert notes == [message("counter-falls-back", counter="num_tokens", step=51.0)]
