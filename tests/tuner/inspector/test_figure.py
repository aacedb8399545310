from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.chart.build import chart
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Diagnosis, Finding, Label
from diagnostics.model.settings import Settings
from tuner.inspector.chart.series import View, along, axes, evenly, extent, figure, usual_smoothing

STEPS = np.arange(1.0, 201.0)
RUN = Run(
    "a",
    {
        "train_loss": Curve(STEPS, 3 - STEPS / 100),
        "eval_loss": Curve.from_points([50, 100, 150, 200], [2.0, 1.5, float("nan"), 1.8]),
        "learning_rate": Curve(STEPS, np.minimum(1.0, STEPS / 20) * 1e-4),
        "epoch": Curve(STEPS, STEPS / 80),
        "num_tokens": Curve(STEPS, STEPS * 1000),
        "wall_time": Curve(STEPS, 1.7e9 + STEPS * 60),
    },
)
FINDING = Finding("eval-loss-rises", Label.OVERFIT, 100, 200, {}, "It rises.")
DIAGNOSIS = Diagnosis("a", Label.OVERFIT, "eval-loss-rises", 0.9, 100, (FINDING,))
CHART = chart(RUN, DIAGNOSIS)


def test_a_figure_holds_the_wanted_curves_the_findings_and_the_marks() -> None:
    picture = figure(RUN, CHART, ["train_loss", "eval_loss", "no_such"], View(smoothing=0))
    assert [line.name for line in picture.lines] == ["train_loss", "eval_loss"]
    assert [(band.rule, band.first, band.last) for band in picture.bands] == [("eval-loss-rises", 100, 200)]
    assert {mark.kind: mark.x for mark in picture.marks if mark.kind != "epoch"} == {
        "best": 100,
        "warmup": 20,
        "broken": 150,
    }
    assert [(mark.text, mark.x) for mark in picture.marks if mark.kind == "epoch"] == [
        ("epoch 1 ends", 80),
        ("epoch 2 ends", 160),
    ]
    assert picture.extent == (1, 200)


@pytest.mark.parametrize(
    ("axis", "best", "last"),
    [
        ("step", 100, 200),
        ("epoch", 1.25, 2.5),
        ("num_tokens", 1e5, 2e5),
        ("wall_time", 99, 199),
        ("clock", 1.7e12 + 6e6, 1.7e12 + 12e6),
    ],
)
def test_everything_moves_to_another_axis_together(axis: str, best: float, last: float) -> None:
    picture = figure(RUN, CHART, ["train_loss"], View(axis, 0))
    assert picture.lines[0].x[-1] == pytest.approx(last)
    assert picture.bands[0].first == pytest.approx(best)
    assert next(mark.x for mark in picture.marks if mark.kind == "best") == pytest.approx(best)


def test_an_axis_is_offered_only_when_the_log_measures_it() -> None:
    assert axes(RUN) == ("step", "epoch", "num_tokens", "wall_time", "clock")
    assert axes(replace(RUN, settings=Settings(batch_size=8)))[3] == "samples"
    still = {"train_loss": RUN.curves["train_loss"], "epoch": Curve.from_points([1, 2], [0, 0])}
    assert axes(Run("b", still)) == ("step",)


def test_a_count_that_starts_again_never_runs_backwards() -> None:
    resumed = Run("a", {"num_tokens": Curve.from_points([1, 2, 3, 4], [10, 20, 5, 30])})
    assert along(resumed, np.array([1.0, 2, 3, 4]), "num_tokens").tolist() == [10, 20, 20, 30]


def test_a_log_axis_leaves_out_what_is_not_above_zero_and_says_how_many() -> None:
    run = Run("a", {"m": Curve.from_points([0, 1, 2, 3], [-1, 0, 1, 10])})
    (line,) = figure(run, chart(run, DIAGNOSIS), ["m"], View(smoothing=0, log_x=True, log_y=True)).lines
    assert line.x.tolist() == [2, 3]
    assert (line.logged, line.inside, line.hidden) == (4, 4, 2)


def test_a_spike_survives_thinning_and_the_numbers_say_what_is_shown() -> None:
    values = np.ones(50_000)
    values[33_333] = 9.0
    run = Run("a", {"train_loss": Curve(np.arange(50_000.0), values)})
    picture = figure(run, chart(run, DIAGNOSIS), ["train_loss"], View(smoothing=0, points=400))
    assert picture.shown <= 404
    assert picture.lines[0].y.max() == 9.0
    assert picture.lines[0].inside == 50_000


@pytest.mark.parametrize("log_x", [False, True])
def test_thinning_on_a_log_axis_keeps_the_early_points(log_x: bool) -> None:
    run = Run("a", {"train_loss": Curve(np.arange(1, 100_001.0), np.linspace(3, 1, 100_000))})
    (line,) = figure(run, chart(run, DIAGNOSIS), ["train_loss"], View(smoothing=0, points=400, log_x=log_x)).lines
    early = int((line.x < 100).sum())
    assert early > 50 if log_x else early < 5


def test_zooming_shows_more_points_and_does_not_move_the_smoothed_line() -> None:
    values = np.sin(np.arange(20_000) / 50) + 2
    run = Run("a", {"train_loss": Curve(np.arange(20_000.0), values)})
    drawing = chart(run, DIAGNOSIS)
    whole = figure(run, drawing, ["train_loss"], View(smoothing=0.9, points=40_000)).lines[0]
    part = figure(run, drawing, ["train_loss"], View(smoothing=0.9, between=(5000, 5400), points=500)).lines[0]
    assert (part.inside, part.x.size) == (401, 401)
    same, here, there = np.intersect1d(whole.smooth_x, part.smooth_x, return_indices=True)
    assert same.size > 50
    assert whole.smooth_y[here] == pytest.approx(part.smooth_y[there])


def test_an_evaluation_is_never_smoothed() -> None:
    lines = figure(RUN, CHART, ["train_loss", "eval_loss"], View(smoothing=0.9)).lines
    assert lines[0].smooth_x.size == 200
    assert lines[1].smooth_x.size == 0


def test_what_lies_outside_the_part_in_view_is_left_out() -> None:
    picture = figure(RUN, CHART, ["train_loss"], View(smoothing=0, between=(1, 60)))
    assert (picture.bands, [mark.kind for mark in picture.marks]) == ((), ["warmup"])
    assert picture.lines[0].x.max() == 60


def test_a_run_without_a_point_is_an_empty_figure() -> None:
    run = Run("a", {"train_loss": Curve.from_points([1, 2], [float("nan")] * 2)})
    picture = figure(run, chart(run, DIAGNOSIS), ["train_loss"], View())
    assert picture.shown == 0
    assert [mark.text for mark in picture.marks if mark.kind == "broken"] == [
        "nan or inf at step 1",
        "nan or inf at step 2",
    ]
    assert extent(run, "step") == (1.0, 2.0)
    assert extent(Run("a", {}), "step") == (0.0, 1.0)


@pytest.mark.parametrize(("points", "smoothing"), [(10, 0.0), (59, 0.0), (100, 0.75), (100_000, 0.97)])
def test_a_long_curve_starts_smoothed_and_a_short_one_does_not(points: int, smoothing: float) -> None:
    assert usual_smoothing(Run("a", {"train_loss": Curve.from_points(range(points), np.ones(points))})) == smoothing


@given(st.lists(st.integers(), max_size=300), st.integers(2, 50))
def test_evenly_keeps_the_ends_and_the_order(items: list[int], most: int) -> None:
    kept = evenly(items, most)
    assert len(kept) == min(len(items), most)
    assert kept[:1] == items[:1]
    assert kept[-1:] == items[-1:]


@given(
    st.lists(st.floats(-1e12, 1e12), min_size=0, max_size=60),
    st.sampled_from([0.0, 0.5, 0.99]),
    st.booleans(),
    st.booleans(),
)
def test_any_curve_can_be_drawn(values: list[float], smoothing: float, log_x: bool, log_y: bool) -> None:
    run = Run("a", {"train_loss": Curve.from_points(range(len(values)), values)})
    picture = figure(run, chart(run, DIAGNOSIS), ["train_loss"], View("step", smoothing, log_x, log_y, points=16))
    assert all(np.isfinite(line.x).all() and np.isfinite(line.y).all() for line in picture.lines)
    assert picture.shown <= len(values)


@pytest.mark.parametrize(
    ("joins", "texts"),
    [
        ((50.0,), ["resumed or changed"]),
        ((1.0, 50.0, 200.0), ["resumed or changed", "resumed or changed"]),  # the first step joins nothing
        ((20.0, 40.0, 60.0, 80.0), ["resumed or changed, 4 times", "", "", ""]),
    ],
)
def test_where_a_run_was_resumed_is_marked_with_a_word(joins: tuple[float, ...], texts: list[str]) -> None:
    run = replace(RUN, joins=joins)
    marks = figure(run, chart(run, DIAGNOSIS), ["train_loss"], View("epoch", 0)).marks
    assert [mark.text for mark in marks if mark.kind == "join"] == texts
    assert [mark.x for mark in marks if mark.kind == "join"] == [step / 80 for step in joins if step > 1]
