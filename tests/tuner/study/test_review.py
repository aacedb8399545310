from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tuner.madeup import BATCH, RATE, WARMUP, spec
from tuner.search.distributions import distributions
from tuner.search.importance import parameter_effect
from tuner.study.fit_memory import MemoryLimit
from tuner.study.noise import Noise
from tuner.study.report.review import review
from tuner.study.results import Gain, Pair, Paragraph, TrialResult
from tuner.training.device_batch import DeviceBatch

SPACE = distributions({"learning_rate": RATE, "batch_size": BATCH, "warmup_ratio": WARMUP})
FALLING = tuple((float(step), 1.0 + 0.5 * (1 - step / 400)) for step in range(0, 401, 40))
SETTLED = tuple((float(step), 1.0 + 0.5 * 0.97**step) for step in range(0, 401, 40))


def trial(number: int, value: float | None = 1.0, label: str = "healthy", **fields: Any) -> TrialResult:
    names = ("learning_rate", "batch_size", "warmup_ratio")
    settings = {"learning_rate": 3e-4, "batch_size": 8, "warmup_ratio": 0.1}
    settings |= {name: fields.pop(name) for name in names if name in fields}
    made = {"state": "complete", "steps": 400.0, "curve": SETTLED, **fields}
    return TrialResult(number=number, settings=settings, value=value, label=label, **made)


def titles(*trials: TrialResult, best: int = 0, gain: Gain | None = None) -> dict[str, Paragraph]:
    points = review(trials, best, spec(Path()), SPACE, gain)
    return {point.title: point for point in points}


def test_an_ordinary_study_raises_no_points():
    assert titles(trial(0), trial(1, 1.1, learning_rate=1e-4)) == {}


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
    found = titles(trial(0, 1.0, **{knob: best}), trial(1, 1.1, **{knob: other}))
    (point,) = found.values()
    assert "edge of its range" in point.title
    assert yaml.safe_load(point.yaml or "")["study"]["space"][knob] == pytest.approx(wider)


@pytest.mark.parametrize(
    ("noise", "named"),
    [(Noise(0.003, 0.0), True), (Noise(0.003, 0.0, 0.04), True), (Noise(0.003, 0.0, 0.06), False), (None, True)],
)
def test_an_edge_that_is_best_by_less_than_seeds_differ_says_nothing(noise: Noise | None, named: bool):
    trials = [trial(0, 1.0, batch_size=4), trial(1, 1.1, batch_size=8)]
    points = review(trials, 0, spec(Path()), SPACE, None, noise=noise)
    assert bool(points) == named


def test_the_edge_counts_where_only_its_close_neighbors_are_as_good():
    close, inside = trial(1, 1.0001, learning_rate=9e-3), trial(2, 1.1, learning_rate=1e-3)
    assert titles(trial(0, learning_rate=1e-2), close, inside)
    assert titles(trial(0, learning_rate=1e-2), close, trial(2, 1.0001, learning_rate=1e-3)) == {}


def test_the_edge_of_a_knob_that_never_moved_says_nothing():
    assert titles(trial(0, warmup_ratio=0.2), trial(1, 1.1, warmup_ratio=0.2)) == {}


def test_no_warmup_is_a_natural_end():
    assert titles(trial(0, warmup_ratio=0.0), trial(1, 1.1, warmup_ratio=0.1)) == {}


def test_many_unstable_trials_end_the_range_at_the_calm_ones():
    hot = [trial(number, None, "unstable", learning_rate=5e-3) for number in (1, 2)]
    point = titles(trial(0), *hot, trial(3, 1.1, learning_rate=1e-3))["Many trials are unstable"]
    assert "2 of 4 trials" in point.text
    assert yaml.safe_load(point.yaml or "")["study"]["space"]["learning_rate"]["high"] == pytest.approx(2e-3)


def test_one_unstable_trial_of_four_says_nothing():
    assert titles(trial(0), trial(1, None, "unstable"), trial(2, 1.1), trial(3, 1.1)) == {}


def test_a_best_trial_that_still_improves_asks_for_a_longer_schedule():
    point = titles(trial(0, 1.0, curve=FALLING))["The schedule is too short"]
    assert yaml.safe_load(point.yaml or "") == {"num_train_epochs": 2}


def test_a_best_trial_that_was_done_early_is_named():
    early = tuple((step, 1.0 + abs(step - 80) / 1000) for step, _ in SETTLED)
    assert "The schedule is longer than needed" in titles(trial(0, 1.0, curve=early))


def test_few_updates_ask_for_a_smaller_batch():
    point = titles(trial(0, 1.0, steps=40.0))["Few updates"]
    assert yaml.safe_load(point.yaml or "") == {"batch_size": 2, "study": {"space": {"batch_size": [2, 4, 8, 16, 32]}}}


def test_a_gain_within_noise_asks_for_more_seeds():
    gain = Gain((Pair(1, 1.0, 0.99),) * 3, 0.01, 0.02, False, "no gain is claimed (noise)")
    point = titles(trial(0), trial(1, 0.99), best=1, gain=gain)["The gain is not proved"]
    assert yaml.safe_load(point.yaml or "") == {"study": {"seeds": 6}}


def test_failed_trials_are_counted_with_their_errors():
    errors = {1: "ValueError: a", 2: "OSError"}
    failed = [trial(n, None, "unknown", state="failed", error=error) for n, error in errors.items()]
    point = titles(trial(0), *failed)["Some trials failed"]
    assert "Trials 1, 2 ended with OSError, ValueError" in point.text


def test_settings_that_do_not_fit_in_memory_come_with_what_needs_less():
    big = trial(1, None, "unknown", state="infeasible", error="does not fit in memory")
    title = "Some settings do not fit in memory"
    paragraphs = review([trial(0), big], 0, spec(Path(), gradient_checkpointing=False), SPACE, None)
    assert {p.title: p.yaml for p in paragraphs} == {title: "gradient_checkpointing: true\n"}
    paragraphs = review([trial(0), big], 0, spec(Path(), gradient_checkpointing=True, max_length=512), SPACE, None)
    assert {p.title: p.yaml for p in paragraphs} == {title: "max_length: 256\n"}


def test_a_lowered_device_batch_comes_with_the_lines_that_keep_the_effective_one():
    limit = MemoryLimit("trial-002", {}, DeviceBatch(8, 16), DeviceBatch(4, 8))
    file = spec(Path(), per_device_train_batch_size=8, per_device_eval_batch_size=16)
    point = next(p for p in review([trial(0)], 0, file, SPACE, None, [limit]) if "device batch" in p.title)
    assert "4 rows on the device (evaluation: 8)" in point.text
    assert yaml.safe_load(point.yaml or "") == {
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
    points = {p.title: p for p in review(trials, best.number, spec(Path()), SPACE, None)}
    lines = yaml.safe_load(points["Batch size has no effect here"].yaml or "")
    assert lines == {"batch_size": 4, "study": {"space": {"batch_size": [4]}}}


def test_a_knob_with_an_effect_is_not_called_idle():
    effect = parameter_effect(grid(0.05), "batch_size", SPACE)
    assert effect is not None
    assert effect > 0.02


def test_a_study_without_a_value_has_nothing_to_review():
    assert review([trial(0, None, "unknown")], None, spec(Path()), SPACE, None) == ()


def test_a_broken_first_trial_comes_first():
    verdict = {"findings": [{"rule": "start-loss-wrong", "label": "broken", "message": "the first loss is 43"}]}
    broken = trial(0, 1.0, "broken", diagnosis=verdict, cause="start-loss-wrong")
    points = review([broken, trial(1, 1.1)], 0, spec(Path()), SPACE, None)
    assert points[0].title == "Something is broken that no setting cures"
    assert "the first loss is 43" in points[0].text
