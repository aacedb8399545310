"""A run against one that is known to be good."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from diagnostics import diagnose
from diagnostics.diagnosis.baseline import QUESTIONS, compare
from diagnostics.model.comparison import Comparison
from diagnostics.model.curves import Curve, Run
from diagnostics.model.settings import Settings
from diagnostics.report.write import as_html, as_json, as_markdown, as_text
from diagnostics.synthetic import make


def sketched(end: float = 1.1, half: float = 20.0, noise: float = 0.01, seed: int = 0, norm: float = 0.6) -> Run:
    """A run from 2 down to ``end``, half of the way after ``half`` steps, with evaluations."""
    rng = np.random.default_rng(seed)
    steps = np.arange(1.0, 401.0)
    loss = end + (2.0 - end) / (1.0 + steps / half)
    curves = {
        "train_loss": Curve(steps, loss + noise * rng.standard_normal(400)),
        "eval_loss": Curve(steps[9::10], (loss + 0.3 * noise * rng.standard_normal(400))[9::10]),
        "grad_norm": Curve(steps, norm + 0.1 * norm * rng.random(400)),
    }
    return Run("mine", curves, Settings(method="sft", batch_size=16))


def verdicts(found: Comparison) -> dict[str, str]:
    return {answer.question: answer.verdict for answer in found.answers}


@pytest.mark.parametrize("seed", range(10))
def test_another_seed_of_the_same_run_is_alike_in_all(seed: int):
    found = compare(sketched(seed=seed + 1), sketched())
    assert found.refused is None
    assert found.curve == "eval_loss"
    assert verdicts(found) == dict.fromkeys(QUESTIONS, "alike")


@pytest.mark.parametrize(
    ("run", "question", "verdict"),
    [
        (sketched(end=1.3), "floor", "worse"),
        (sketched(end=1.3), "descent", "worse"),
        (sketched(end=0.8), "floor", "better"),
        (sketched(end=0.8), "descent", "better"),
        (sketched(half=80), "speed", "worse"),
        (sketched(half=5), "speed", "better"),
        (sketched(norm=2.0), "gradient norm", "higher"),
        (sketched(norm=0.2), "gradient norm", "lower"),
    ],
)
def test_what_is_another_is_said(run: Run, question: str, verdict: str):
    assert verdicts(compare(run, sketched()))[question] == verdict


def test_a_run_that_hardly_moves_never_gets_half_of_the_way():
    found = compare(sketched(end=1.97), sketched())
    speed = next(answer for answer in found.answers if answer.question == "speed")
    assert speed.verdict == "worse"
    assert speed.message.startswith("never reaches half")


def test_rows_count_where_both_batch_sizes_are_known_and_steps_where_not():
    large = replace(sketched(), settings=Settings(method="sft", batch_size=64))
    assert verdicts(compare(large, sketched()))["speed"] == "worse"
    unknown = replace(sketched(), settings=Settings(method="sft"))
    found = compare(unknown, sketched())
    assert verdicts(found)["speed"] == "alike"
    assert any("steps" in answer.message for answer in found.answers)


def test_other_methods_and_scales_are_refused_in_a_line():
    dpo = replace(sketched(), settings=Settings(method="dpo"))
    assert compare(dpo, sketched()).refused == (
        "the run is DPO and the baseline SFT: their losses are of different kinds"
    )
    twice = {name: Curve(c.steps, 2.5 * c.values) for name, c in sketched().curves.items()}
    found = compare(replace(sketched(), curves=twice), sketched())
    assert found.answers == ()
    assert "another tokenizer" in str(found.refused)
    assert compare(Run("empty", {}), sketched()).refused == "no loss with 3 points or more in both logs"


def test_what_cannot_be_asked_is_told():
    curves = {name: curve for name, curve in sketched().curves.items() if name != "grad_norm"}
    found = compare(replace(sketched(), curves=curves), sketched())
    assert found.skipped == {"gradient norm": "the run's log has no grad_norm"}
    flat = {"train_loss": Curve(np.arange(50.0), 1.0 + 0.01 * np.random.default_rng(0).standard_normal(50))}
    found = compare(sketched(), replace(sketched(), curves=flat))
    assert {"descent", "speed"} <= set(found.skipped or {}) or found.refused


@pytest.mark.parametrize("size", [3, 4, 5, 6, 8, 20, 59, 60, 61])
def test_short_logs_are_compared_without_a_fault(size: int):
    curves = {"train_loss": Curve(np.arange(float(size)), np.linspace(2, 1, size))}
    found = compare(Run("a", curves), Run("b", curves))
    assert set(verdicts(found).values()) <= {"alike"}
    assert json.dumps(found.to_dict())


def test_a_run_in_mid_air_is_compared_up_to_its_own_last_step():
    good = sketched()
    curves = {name: curve.between(0, 120) for name, curve in sketched(seed=3).curves.items()}
    going = replace(good, name="going", curves=curves, settings=replace(good.settings, max_steps=400))
    found = compare(going, good)
    assert found.title == "mine (eval_loss, to step 120)"
    assert verdicts(found) == dict.fromkeys(QUESTIONS, "alike")
    over = compare(replace(going, settings=replace(good.settings, max_steps=120)), good)
    assert over.until is None
    assert verdicts(over)["floor"] == "worse"


def test_every_report_shows_the_comparison():
    run, good = make("rate-too-low", seed=1), replace(make("healthy-sft", seed=2), name="good <one>")
    verdict = replace(diagnose(run), baseline=compare(run, good))
    told = json.loads(as_json([verdict]))[0]["baseline"]
    assert told["run"] == "good <one>"
    assert {answer["question"] for answer in told["answers"]} | {s["question"] for s in told["skipped"]} == {*QUESTIONS}
    assert "against good <one> (eval_loss)" in str(as_text(run, verdict))
    assert "## Against good &lt;one>" in as_markdown(run, verdict)
    assert "Against good &lt;one&gt;" in as_html([(run, verdict)])
    assert "baseline" not in json.loads(as_json([diagnose(run)]))[0]
