"""A run against one that is known to be good."""

from __future__ import annotations

import json
from dataclasses import replace
from html import unescape

import numpy as np
import pytest

from diagnostics import diagnose
from diagnostics.diagnosis.baseline import MIN_POINTS, compare
from diagnostics.messages import comparison_rows, comparison_title
from diagnostics.model.comparison import Comparison, Outcome, Question
from diagnostics.model.curves import Curve, Run
from diagnostics.model.message import message
from diagnostics.model.settings import Settings
from diagnostics.report.write import as_html, as_json, as_markdown, as_text, dumped
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


def outcomes(found: Comparison) -> dict[str, str]:
    return {answer.question: answer.outcome for answer in found.answers}


@pytest.mark.parametrize("seed", range(10))
def test_another_seed_of_the_same_run_is_alike_in_all(seed: int):
    found = compare(sketched(seed=seed + 1), sketched())
    assert found.refused is None
    assert found.curve == "eval_loss"
    assert outcomes(found) == dict.fromkeys(Question, "alike")


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
def test_a_difference_is_found_in_its_direction(run: Run, question: str, verdict: str):
    assert outcomes(compare(run, sketched()))[question] == verdict


def test_a_run_that_hardly_moves_never_gets_half_of_the_way():
    found = compare(sketched(end=1.97), sketched())
    speed = next(answer for answer in found.answers if answer.question == "speed")
    assert (speed.outcome, speed.mine, speed.evidence.code) == (Outcome.WORSE, np.inf, "half-never-reached")


def test_rows_count_where_both_batch_sizes_are_known_and_steps_where_not():
    large = replace(sketched(), settings=Settings(method="sft", batch_size=64))
    assert outcomes(compare(large, sketched()))["speed"] == "worse"
    unknown = replace(sketched(), settings=Settings(method="sft"))
    found = compare(unknown, sketched())
    assert outcomes(found)["speed"] == "alike"
    assert {answer.evidence.values.get("unit") for answer in found.answers} == {"steps", None}


def test_other_methods_and_scales_are_refused():
    dpo = replace(sketched(), settings=Settings(method="dpo"))
    assert compare(dpo, sketched()).refused == message("methods-differ", mine="DPO", baseline="SFT")
    twice = {name: Curve(c.steps, 2.5 * c.values) for name, c in sketched().curves.items()}
    found = compare(replace(sketched(), curves=twice), sketched())
    assert found.answers == ()
    assert found.refused is not None
    assert found.refused.code == "starts-differ"
    assert compare(Run("empty", {}), sketched()).refused == message("no-common-loss", need=MIN_POINTS)


def test_what_cannot_be_compared_is_listed_with_the_reason():
    curves = {name: curve for name, curve in sketched().curves.items() if name != "grad_norm"}
    found = compare(replace(sketched(), curves=curves), sketched())
    assert found.skipped == {Question.GRADIENT_NORM: message("no-grad-norm-in", whose="run")}
    flat = {"train_loss": Curve(np.arange(50.0), 1.0 + 0.01 * np.random.default_rng(0).standard_normal(50))}
    found = compare(sketched(), replace(sketched(), curves=flat))
    assert {Question.DESCENT, Question.SPEED} <= set(found.skipped) or found.refused


@pytest.mark.parametrize("size", [3, 4, 5, 6, 8, 20, 59, 60, 61])
def test_short_logs_are_compared_without_a_fault(size: int):
    curves = {"train_loss": Curve(np.arange(float(size)), np.linspace(2, 1, size))}
    found = compare(Run("a", curves), Run("b", curves))
    assert set(outcomes(found).values()) <= {"alike"}
    assert json.dumps(found.to_dict())


def test_an_unfinished_run_is_compared_up_to_its_own_last_step():
    good = sketched()
    curves = {name: curve.between(0, 120) for name, curve in sketched(seed=3).curves.items()}
    going = replace(good, name="going", curves=curves, settings=replace(good.settings, max_steps=400))
    found = compare(going, good)
    assert (found.baseline, found.curve, found.until) == ("mine", "eval_loss", 120.0)
    assert outcomes(found) == dict.fromkeys(Question, "alike")
    over = compare(replace(going, settings=replace(good.settings, max_steps=120)), good)
    assert over.until is None
    assert outcomes(over)["floor"] == "worse"


def test_a_comparison_is_read_back_as_it_was():
    for run in (sketched(end=1.3), sketched(end=1.97), replace(sketched(), settings=Settings(method="dpo"))):
        found = compare(run, sketched())
        assert Comparison.from_dict(json.loads(dumped(found.to_dict()))) == found


def test_a_comparison_of_an_earlier_version_is_read_with_its_sentences():
    answer = {
        "question": "floor",
        "mine": 1.2,
        "baseline": 1.1,
        "verdict": "worse",
        "message": "the lowest loss is 1.2",
    }
    stored = {"run": "good", "curve": "eval_loss", "answers": [answer], "skipped": [{"question": "speed", "why": "-"}]}
    found = Comparison.from_dict(stored)
    assert outcomes(found) == {Question.FLOOR: Outcome.WORSE}
    assert next(row[2] for row in comparison_rows(found)) == "the lowest loss is 1.2"


def test_every_report_shows_the_comparison():
    run, good = make("rate-too-low", seed=1), replace(make("healthy-sft", seed=2), name="good <one>")
    verdict = replace(diagnose(run), baseline=compare(run, good))
    raw = json.loads(as_json([verdict]))[0]["baseline"]
    assert raw["run"] == "good <one>"
    assert {answer["question"] for answer in raw["answers"]} | {s["question"] for s in raw["skipped"]} == {*Question}
    title = comparison_title(verdict.baseline)
    assert title.startswith("good <one>")
    assert all(title in str(as_text(run, verdict, verbose=verbose)) for verbose in (True, False))
    assert title.replace("<", "&lt;") in as_markdown(run, verdict)
    page = unescape(as_html([(run, verdict)]))
    for words in (title, *(cell for row in comparison_rows(verdict.baseline) for cell in row)):
        assert words in page
    assert "baseline" not in json.loads(as_json([diagnose(run)]))[0]
