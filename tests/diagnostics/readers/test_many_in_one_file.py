"""A file that holds thousands of runs is parsed once for all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from diagnostics.readers import READERS, UnreadableLog, find_runs, one_parse, read

RUNS, STEPS = 1500, range(12)


def loss(run: int, step: int) -> float:
    return round(3.0 / (1 + step) + run / 1000, 4)


def across() -> str:
    """As W&B exports a chart; the header is longer than what is read to see whether a file is a log."""
    bounds = [f'"run {run} - train/loss{end}"' for run in range(RUNS) for end in ("", "__MIN", "__MAX")]
    rows = [",".join(map(str, [step, *(loss(run, step) for run in range(RUNS) for _ in range(3))])) for step in STEPS]
    return "\n".join([",".join(["Step", *bounds]), *rows]) + "\n"


def below() -> str:
    rows = [f"run {run},{step},{loss(run, step)}" for run in range(RUNS) for step in STEPS]
    return "\n".join(["run,step,train/loss", *rows]) + "\n"


def interleaved() -> str:
    rows = [f"run {run},{step},{loss(run, step)}" for step in STEPS for run in range(RUNS)]
    return "\n".join(["run,step,train/loss", *rows]) + "\n"


def lines() -> str:
    rows = [(run, step) for run in range(RUNS) for step in STEPS]
    return "".join(f'{{"run": "run {run}", "step": {step}, "loss": {loss(run, step)}}}\n' for run, step in rows)


FILES = {"across.csv": across, "below.csv": below, "interleaved.csv": interleaved, "lines.jsonl": lines}


@pytest.mark.parametrize("name", FILES)
def test_all_runs_of_a_file_come_from_one_parse(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / name
    file.write_text(FILES[name]())
    parses = []
    real = one_parse._logs_or_error
    monkeypatch.setattr(one_parse, "_logs_or_error", lambda *given: parses.append(given) or real(*given))
    found = find_runs(file)
    assert len(found) == RUNS
    for run, path in sorted((int(path.name.split("run ")[1]), path) for path in found):
        curve = read(path).curves["train_loss"]
        assert curve.values.tolist() == [loss(run, step) for step in STEPS]
        assert curve.steps.tolist() == [float(step) for step in STEPS]
    assert len(parses) == 1


def test_a_file_that_changed_is_parsed_again(tmp_path: Path):
    file = tmp_path / "export.csv"
    for last in (1.0, 0.5):
        file.write_text(f"run,step,loss\na,1,2\na,2,{last}\nb,1,2\n")
        os.utime(file, ns=(0, int(last * 1e9)))
        assert read(tmp_path / "export.csv#a").curves["train_loss"].values[-1] == last
    file.unlink()
    with pytest.raises(UnreadableLog):
        read(tmp_path / "export.csv#a")


@pytest.mark.parametrize("name", ["export.csv", "export.jsonl", "export.log"])
def test_a_file_of_one_run_has_no_runs_to_choose_from(name: str, tmp_path: Path):
    texts = {".csv": "run,step,loss\na,1,2\na,2,1\n", ".jsonl": '{"run": "a", "step": 1, "loss": 2}\n' * 2}
    (tmp_path / name).write_text(texts.get(Path(name).suffix, "step 1: loss 2\nstep 2: loss 1\n"))
    assert all(
        not reader.read_all(tmp_path / name) for reader in READERS if reader.read_all and reader.reads(tmp_path / name)
    )
    with pytest.raises(UnreadableLog, match="it holds one run"):
        read(tmp_path / f"{name}#a")
