"""What holds for every log: it is read or refused, and what was written comes back."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from diagnostics import diagnose
from diagnostics.diagnosis.baseline import compare
from diagnostics.diagnosis.resume_offsets import remove_offsets
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Label
from diagnostics.readers import UnreadableLog, find_runs, read
from tests.diagnostics.readers.records import event, simple, version

NAMES = ("events.out.tfevents.1.host", "trainer_state.json", "trainer_log.jsonl", "a.csv", "train.log", "a.tsv", "none")
PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(
        [
            b'{"log_history": [',
            b'{"step": 1, "loss": 2}',
            b"step,loss\n",
            b"1,2\n",
            b"{'loss': 1.5}",
            b"\n",
            b"\0",
            b"]}",
        ]
    ),
    st.just(version()),
    st.integers(0, 2**40).map(lambda step: event(step, simple("train/loss", 1.0))),
)
VALUES = st.one_of(st.floats(), st.floats(0.01, 10), st.integers(-(10**30), 10**30))
POINTS = st.dictionaries(st.integers(-10, 10**9), VALUES, min_size=1, max_size=40)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(NAMES), st.lists(PIECES, max_size=12))
def test_any_bytes_are_diagnosed_or_refused_in_a_line(name: str, pieces: list[bytes]):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(b"".join(pieces))
        refused = []
        for place in (path, *find_runs(folder)):
            try:
                diagnose(read(place))
            except UnreadableLog as error:
                refused.append(str(error))
        assert "\n" not in "".join(refused)


def written(folder: Path, points: dict[int, float]) -> list[Path]:
    """The same training loss as a table, as JSON lines, as a trainer's state and as it is printed."""
    rows = [{"step": step, "loss": float(value)} for step, value in sorted(points.items())]
    state = {"log_history": rows, "global_step": len(rows)}
    texts = {
        "a.csv": "step,loss\n" + "\n".join(f"{row['step']},{row['loss']!r}" for row in rows),
        "b.jsonl": "\n".join(map(json.dumps, rows)),
        "c.json": json.dumps(state),
        "d.log": "\n".join(str(row) for row in rows),
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


@settings(max_examples=60, deadline=None)
@given(POINTS)
def test_every_format_gives_back_what_was_written(points: dict[int, float]):
    with tempfile.TemporaryDirectory() as folder:
        for path in written(Path(folder), points):
            curve = read(path).curves["train_loss"]
            wanted = {float(step): float(value) for step, value in sorted(points.items())}
            finite = {step: value for step, value in wanted.items() if math.isfinite(value)}
            assert dict(zip(curve.steps.tolist(), curve.values.tolist(), strict=True)) == finite, path.name
            assert curve.broken == tuple(step for step in wanted if step not in finite), path.name
            if len(finite) < len(wanted):
                assert diagnose(read(path)).label in (Label.UNSTABLE, Label.BROKEN)


@settings(max_examples=100, deadline=None)
@given(POINTS, POINTS, st.lists(st.floats(-10, 1e9), max_size=4))
def test_comparing_and_levelling_never_raise(
    one: dict[int, float], two: dict[int, float], discontinuities: list[float]
):
    runs = [Run("x", {"train_loss": Curve.from_points(list(p), list(p.values()))}) for p in (one, two)]
    with np.errstate(all="ignore"):
        json.dumps(compare(*runs).to_dict())
        curves, _ = remove_offsets(runs[0].curves, discontinuities)
    assert len(curves["train_loss"]) <= len(runs[0].curves["train_loss"])
    diagnose(Run("x", runs[0].curves, discontinuities=tuple(discontinuities)))
