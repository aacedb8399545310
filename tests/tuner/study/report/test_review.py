from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from diagnostics.model.message import Message, message
from diagnostics.model.records import Finding, Label
from tests.tuner.madeup import BATCH, RATE, WARMUP, spec
from tuner.search.distributions import distributions
from tuner.search.importance import parameter_effect
from tuner.study.failure import Failure, FailureKind
from tuner.study.fit_memory import MemoryLimit
from tuner.study.noise import Noise
from tuner.study.report.review import review
from tuner.study.results import Gain, Pair, Paragraph, Text, TrialResult, TrialState
from tuner.training.device_batch import DeviceBatch

SPACE = distributions({"learning_rate": RATE, "batch_size": BATCH, "warmup_ratio": WARMUP})
FALLING = tuple((float(step), 1.0 + 0.5 * (1 - step / 400)) for step in range(0, 401, 40))
SETTLED = tuple((float(step), 1.0 + 0.5 * 0.97**step) for step in range(0, 401, 40))


def trial(number: int, value: float | None = 1.0, label: str = "healthy", **fields: Any) -> TrialResult:
    names = ("learning_rate", "batch_size", "warmup_ratio")
    settings = {"learning_rate": 3e-4, "batch_size": 8, "warmup_ratio": 0.1}
    settings |= {name: fields.pop(name) for name in names if name in fields}
    made = {"state": TrialState.COMPLETE, "steps": 400.0, "curve": SETTLED, **fields}
    return TrialResult(number=number, settings=settings, value=value, label=label, **made)


def code(sentence: Text) -> str:
    assert isinstance(sentence, Message)
    return sentence.code


def points(*trials: TrialResult, best: int = 0, gain: Gain | None = None, **more: Any) -> dict[str, Paragraph]:
    """The points of the review by their codes."""
    found = review(trials, best, spec(Path(), **more.pop("file", {})), SPACE, gain, **more)
    return {code(one.point): one for one in found}


def codes(paragraph: Paragraph) -> list[str]:
    return [code(sentence) for sentence in paragraph.sentences]


def test_an_ordinary_study_raises_no_points():
    assert points(trial(0), trial(1, 1.1, learning_rate=1e-4)) == {}


@pytest.mark.parametrize(
    ("knob", "best", "other", "wider"),
    [
        ("learning_rate", 1e-2, 1e-3, {"low": 1e-6, "high": 0.03, "log": True}),
        ("learning_rate", 1e-6, 1e-5, {"low": 3.33e-7, "high": 0.01, "log": True}),
        ("batch_size", 32, 16, [4, 8, 16, 32, 64]),
        ("batch_size", 4, 16, [2, 4, 8, 16, 32]),
        ("warmup_ratio", 0.2, 0.1, {"low": 0.0, "high": 0.3}),
    ],
)
def test_a_best_value_at_the_edge_comes_with_a_wider_range(knob: str, best: Any, other: Any, wider: Any):
    found = points(trial(0, 1.0, **{knob: best}), trial(1, 1.1, **{knob: other}))
    point = found["edge-of-range"]
    assert point.point == message("edge-of-range", knob=knob)
    assert point.patch["study"]["space"][knob] == pytest.approx(wider)


@pytest.mark.parametrize(
    ("noise", "named"),
    [(Noise(0.003, 0.0), True), (Noise(0.003, 0.0, 0.04), True), (Noise(0.003, 0.0, 0.06), False), (None, True)],
)
def test_an_edge_that_is_best_by_less_than_seeds_differ_says_nothing(noise: Noise | None, named: bool):
    trials = [trial(0, 1.0, batch_size=4), trial(1, 1.1, batch_size=8)]
    assert ("edge-of-range" in points(*trials, noise=noise)) == named


def test_the_edge_counts_where_only_its_close_neighbors_are_as_good():
    close, inside = trial(1, 1.0001, learning_rate=9e-3), trial(2, 1.1, learning_rate=1e-3)
    assert points(trial(0, learning_rate=1e-2), close, inside)
    assert points(trial(0, learning_rate=1e-2), close, trial(2, 1.0001, learning_rate=1e-3)) == {}


def test_the_edge_of_a_knob_that_never_moved_says_nothing():
    assert points(trial(0, warmup_ratio=0.2), trial(1, 1.1, warmup_ratio=0.2)) == {}


def test_no_warmup_is_a_natural_end():
    assert points(trial(0, warmup_ratio=0.0), trial(1, 1.1, warmup_ratio=0.1)) == {}


def test_many_unstable_trials_end_the_range_at_the_calm_ones():
    hot = [trial(number, None, "unstable", learning_rate=5e-3) for number in (1, 2)]
    point = points(trial(0), *hot, trial(3, 1.1, learning_rate=1e-3))["unstable-trials"]
    assert point.sentences[0] == message("unstable-count", unstable=2, trials=4, share=0.5)
    assert point.patch["study"]["space"]["learning_rate"]["high"] == pytest.approx(2e-3)


def test_one_unstable_trial_of_four_says_nothing():
    assert points(trial(0), trial(1, None, "unstable"), trial(2, 1.1), trial(3, 1.1)) == {}


def test_a_best_trial_that_still_improves_asks_for_a_longer_schedule():
    point = points(trial(0, 1.0, curve=FALLING))["schedule-too-short"]
    assert point.patch == {"num_train_epochs": 2}


def test_a_best_trial_that_was_done_early_is_named():
    early = tuple((step, 1.0 + abs(step - 80) / 1000) for step, _ in SETTLED)
    assert "schedule-too-long" in points(trial(0, 1.0, curve=early))


def test_few_updates_ask_for_a_smaller_batch():
    point = points(trial(0, 1.0, steps=40.0))["few-updates"]
    assert point.patch == {"batch_size": 2, "study": {"space": {"batch_size": [2, 4, 8, 16, 32]}}}


def test_a_gain_within_noise_asks_for_more_seeds():
    gain = Gain((Pair(1, 1.0, 0.99),) * 3, 0.01, 0.02, (message("within-noise"),))
    point = points(trial(0), trial(1, 0.99), best=1, gain=gain)["gain-not-proved"]
    assert point.patch == {"study": {"seeds": 6}}
    point = points(trial(0), trial(1, 0.99), best=1, gain=gain, missing=3)["gain-not-proved"]
    assert point.sentences[-1] == message("still-to-train", repeats=3) and not point.patch


def test_failed_trials_are_counted_with_their_errors():
    errors = {1: Failure(FailureKind.ERROR, "ValueError", "a"), 2: Failure(FailureKind.ERROR, "OSError")}
    failed = [trial(n, None, "unknown", state=TrialState.FAILED, failure=error) for n, error in errors.items()]
    point = points(trial(0), *failed)["failed-trials"]
    assert point.sentences == (message("failed-with", count=2, numbers="1, 2", errors="OSError, ValueError"),)


def test_settings_that_do_not_fit_in_memory_come_with_what_needs_less():
    big = trial(1, None, "unknown", state=TrialState.INFEASIBLE, failure=Failure(FailureKind.OUT_OF_MEMORY))
    point = points(trial(0), big, file={"gradient_checkpointing": False})["infeasible-trials"]
    assert (codes(point), point.patch) == (["did-not-fit", "checkpoint-gradients"], {"gradient_checkpointing": True})
    point = points(trial(0), big, file={"gradient_checkpointing": True, "max_length": 512})["infeasible-trials"]
    assert (codes(point), point.patch) == (["did-not-fit", "shorter-rows"], {"max_length": 256})


def test_a_lowered_device_batch_comes_with_the_lines_that_keep_the_effective_one():
    limit = MemoryLimit("trial-002", {}, DeviceBatch(8, 16), DeviceBatch(4, 8))
    file = {"per_device_train_batch_size": 8, "per_device_eval_batch_size": 16}
    point = points(trial(0), file=file, limits=[limit])["rows-lowered"]
    assert point.sentences[0] == message("memory-ran-out", runs="trial-002", train=4, evaluation=8)
    assert point.patch == {
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 4,
        "per_device_eval_batch_size": 8,
    }


def grid(batch_effect: float) -> list[TrialResult]:
    points = [(rate, batch) for rate in (-5.0, -4.0, -3.5, -3.0) for batch in (4, 8, 16, 32)]
    return [
        trial(n, 1 + 0.03 * (x + 3.6) ** 2 + batch_effect * batch / 32, learning_rate=10**x, batch_size=batch)
        for n, (x, batch) in enumerate(points)
    ]


def test_a_knob_without_effect_is_found():
    trials = grid(0.0)
    best = min(trials, key=lambda t: t.value or 9)
    found = review(trials, best.number, spec(Path()), SPACE, None)
    point = next(one for one in found if one.point == message("no-effect", knob="batch_size"))
    lines = point.patch
    assert lines == {"batch_size": 4, "study": {"space": {"batch_size": [4]}}}


def test_a_knob_with_an_effect_is_not_called_idle():
    effect = parameter_effect(grid(0.05), "batch_size", SPACE)
    assert effect is not None
    assert effect > 0.02


def test_a_study_without_a_value_has_nothing_to_review():
    assert review([trial(0, None, "unknown")], None, spec(Path()), SPACE, None) == ()


def test_a_broken_first_trial_comes_first():
    finding = Finding("start-loss-wrong", Label.BROKEN, 0.0, 10.0, {"loss": 43.0}, "the first loss is {loss}")
    verdict = {"findings": [finding.to_dict()]}
    broken = trial(0, 1.0, "broken", diagnosis=verdict, cause="start-loss-wrong")
    first = review([broken, trial(1, 1.1)], 0, spec(Path()), SPACE, None)[0]
    assert (code(first.point), codes(first)) == ("broken-run", ["broken-finding", "look-first"])
    assert first.sentences[0].values["trial"] == 0
