"""One run, written by several trainers, gets one verdict: what was measured is the same, only the dialect differs."""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.dialects import hf, lightning, llamafactory, scripts, swift, wandb
from benchmarks.dialects.measured import Eval, Layout, Measured, Write
from diagnostics import Diagnosis, diagnose, read

TABLE = Path(__file__).resolve().parents[2] / "benchmarks" / "search" / "tables" / "stories-alpaca.jsonl.xz"
LOGGED_EVERY = 4
SETTINGS_BESIDE: dict[str, Write] = {
    "transformers": hf.write_state,
    "llamafactory": llamafactory.write,
    "ms-swift": swift.write,
}
FEWER_FACTS: dict[str, Write] = {
    "lightning": lightning.write_csv,
    "wandb": wandb.write_export,
    "csv": scripts.semicolons,
}


def table_run(rate: float) -> Measured:
    """A LoRA run of the stored table, at this learning rate, as its loop measured it."""
    with lzma.open(TABLE, "rt") as file:
        rows = map(json.loads, file)
        row: dict[str, Any] = next(r for r in rows if r["setting"] == {**SETTING, "learning_rate": rate})
    curves, known = row["curves"], row["settings"]
    steps = np.arange(1, known["max_steps"] + 1)
    losses, rates, norms = (np.interp(steps, *curves[k][:2]) for k in ("train_loss", "learning_rate", "grad_norm"))
    evals = tuple(Eval(int(step), loss) for step, loss in zip(*curves["eval_loss"][:2], strict=True))
    return Measured(losses, rates, norms, evals, known["max_steps"] / known["num_train_epochs"], known)


SETTING = {"batch_size": 4, "warmup_ratio": 0.1, "lora_r": 4}


def verdicts(dialects: dict[str, Write], run: Measured, folder: Path) -> dict[str, Diagnosis]:
    """What is said of the run in each dialect."""
    layout = Layout(LOGGED_EVERY)
    return {name: diagnose(read(write(run, layout, folder / name))) for name, write in dialects.items()}


def rate_advised(verdict: Diagnosis) -> float | None:
    """The learning rate that the first advice about it wants."""
    found = next((a.new for a in verdict.advice if a.knob == "learning_rate"), None)
    return None if found is None else float(found)


@pytest.mark.parametrize("rate", [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 3e-2, 1e-1])
def test_trainers_that_leave_the_same_facts_get_one_label_and_one_advice(rate: float, tmp_path: Path):
    said = verdicts(SETTINGS_BESIDE, table_run(rate), tmp_path)
    assert len({(v.label, v.cause) for v in said.values()}) == 1, said
    wanted = [rate_advised(v) for v in said.values()]
    assert wanted[0] == wanted[1] == wanted[2]
    assert np.ptp([v.confidence for v in said.values()]) < 0.02


@pytest.mark.parametrize("rate", [1e-6, 1e-5, 1e-3])
def test_with_fewer_facts_the_label_stays_and_the_confidence_does_not_rise(rate: float, tmp_path: Path):
    run = table_run(rate)
    fullest = verdicts(SETTINGS_BESIDE, run, tmp_path)["transformers"]
    for name, verdict in verdicts(FEWER_FACTS, run, tmp_path).items():
        assert verdict.label == fullest.label, name
        assert verdict.confidence <= fullest.confidence + 0.02, name
