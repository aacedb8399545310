"""One training run gets one label and one advice, whichever program wrote its log.

The runs are real: a small language model with an adapter, trained once at a good rate, once 100 times too low, once 60
times too high, and once on 24 rows. What the programs leave beside the log differs, as it does with their users.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.dialects import hf, lightning, llamafactory, swift
from benchmarks.dialects.measured import Eval, Layout, Measured, windows
from diagnostics import Diagnosis, diagnose
from diagnostics.readers import find_runs, read

RUNS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "logs" / "same_run.json").read_text()
)
LAYOUT = Layout(2)
BETWEEN_RULES = 0.02
"""Where another rule decides, its own confidence counts: a loss that runs away needs no gradient norm to be seen."""


def measured(name: str) -> Measured:
    raw = RUNS[name]
    curves = (np.array(raw[key]) for key in ("losses", "rates", "norms"))
    return Measured(*curves, tuple(Eval(*one) for one in raw["evals"]), raw["steps_per_epoch"], raw["settings"])


def write_csv(run: Measured, layout: Layout, folder: Path) -> Path:
    """A script's table, and its settings in a file beside it."""
    folder.mkdir()
    held = {one.step: one.loss for one in run.evals}
    rows = [
        f"{at.step},{at.epoch},{at.loss},{held.get(at.step, '')},{at.rate},{at.norm}"
        for at in windows(run, layout.every)
    ]
    (folder / "log.csv").write_text("\n".join(["step,epoch,loss,eval_loss,lr,grad_norm", *rows]))
    (folder / "config.json").write_text(json.dumps(run.settings))
    return folder


WRITERS = {
    "transformers": hf.write_state,
    "LLaMA-Factory": llamafactory.write,
    "ms-swift": swift.write,
    "Lightning": lightning.write_csv,
    "CSV": write_csv,
}


@pytest.fixture(scope="module")
def verdict(tmp_path_factory: pytest.TempPathFactory):
    @cache
    def of(name: str, program: str) -> Diagnosis:
        folder = tmp_path_factory.mktemp("run") / "out"
        WRITERS[program](measured(name), LAYOUT, folder)
        (found,) = find_runs(folder)
        return diagnose(read(found))

    return of


@pytest.mark.parametrize("program", WRITERS)
@pytest.mark.parametrize("name", RUNS)
def test_every_program_gets_the_label_and_the_advice_of_the_others(name: str, program: str, verdict):
    found, other = verdict(name, program), verdict(name, "transformers")
    assert str(found.label) == name
    first, expected = ([one for one in run.advice if not one.optional][:1] for run in (found, other))
    assert [one.knob for one in first] == [one.knob for one in expected]
    for one, same in zip(first, expected, strict=True):
        assert (one.old, (one.factor or 1) < 1) == (same.old, (same.factor or 1) < 1)
    if name != "unstable":  # Lightning logs no gradient norm: there another rule fires, with another factor
        assert [one.new for one in first] == [one.new for one in expected]


@pytest.mark.parametrize("name", RUNS)
def test_a_bare_table_is_never_surer_than_one_with_its_facts(name: str, verdict, tmp_path: Path):
    run = measured(name)
    rows = [f"{at.step},{at.loss}" for at in windows(run, LAYOUT.every)]
    (tmp_path / "bare.csv").write_text("\n".join(["step,loss", *rows]))
    bare, full = diagnose(read(tmp_path / "bare.csv")), verdict(name, "CSV")
    assert bare.label != full.label or bare.confidence <= full.confidence + BETWEEN_RULES
