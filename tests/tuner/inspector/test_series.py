from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.chart.build import outline
from diagnostics.chart.mark_names import RESUMED, mark_names
from diagnostics.chart.model import Chart, MarkKind
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Diagnosis, Finding, Label
from diagnostics.model.settings import Settings
from tuner.inspector.chart.panels import chart_data
from tuner.inspector.chart.series import View, along, axes, evenly, extent

STEPS = np.arange(1.0, 201.0)
RUN = Run(
    "a",
    {
        "train_loss": Curve(STEPS, 3 - STEPS / 100 + STEPS % 2 / 10),
        "eval_loss": Curve.from_points([50, 100, 150, 200], [2.0, 1.5, float("nan"), 1.8]),
        "learning_rate": Curve(STEPS, np.minimum(1.0, STEPS / 20) * 1e-4),
        "epoch": Curve(STEPS, STEPS / 80),
        "num_tokens": Curve(STEPS, STEPS * 1000),
        "wall_time": Curve(STEPS, 1.7e9 + STEPS * 60),
    },
)
FINDING = Finding("eval-loss-rises", Label.OVERFIT, 100, 200, {}, "It rises.")
DIAGNOSIS = Diagnosis("a", Label.OVERFIT, "eval-loss-rises", 0.9, 100, (FINDING,))


def drawn(run: Run, names: list[str], view: View) -> Chart:
    return chart_data(run, outline(run, DIAGNOSIS), names, view).chart


def places(chart: Chart, kind: MarkKind) -> list[float]:
    return [mark.x for mark in chart.marks_of(kind)]


def test_a_chart_holds_the_wanted_curves_the_findings_and_the_marks() -> None:
    picture = drawn(RUN, ["train_loss", "eval_loss", "no_such"], View(smoothing=0))
    assert [line.name for line in picture.series] == ["train_loss", "eval_loss"]
    assert [(band.rule, band.first, band.last) for band in picture.bands] == [("eval-loss-rises", 100, 200)]
    found = {kind: places(picture, kind) for kind in (MarkKind.BEST, MarkKind.WARMUP, MarkKind.BROKEN)}
    assert found == {MarkKind.BEST: [100], MarkKind.WARMUP: [20], MarkKind.BROKEN: [150]}
    assert [(mark.value, mark.x) for mark in picture.marks_of(MarkKind.EPOCH)] == [(1, 80), (2, 160)]
    assert (picture.first, picture.last) == (1, 200)


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
    picture = drawn(RUN, ["train_loss"], View(x=axis, smoothing=0))
    assert picture.series[0].x[-1] == pytest.approx(last)
    assert picture.bands[0].first == pytest.approx(best)
    assert places(picture, MarkKind.BEST) == pytest.approx([best])


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
    (line,) = drawn(run, ["m"], View(smoothing=0, log_x=True, log_y=True)).series
    assert line.x.tolist() == [2, 3]
    assert (line.logged, line.in_view, line.hidden) == (4, 4, 2)


def test_a_spike_survives_downsampling_and_the_numbers_say_what_is_shown() -> None:
    values = np.ones(50_000)
    values[33_333] = 9.0
    run = Run("a", {"train_loss": Curve(np.arange(50_000.0), values)})
    picture = drawn(run, ["train_loss"], View(smoothing=0, points=400))
    assert picture.drawn <= 404
    assert picture.series[0].y.max() == 9.0
    assert picture.series[0].in_view == 50_000


@pytest.mark.parametrize("log_x", [False, True])
def test_downsampling_on_a_log_axis_keeps_the_early_points(log_x: bool) -> None:
    run = Run("a", {"train_loss": Curve(np.arange(1, 100_001.0), np.linspace(3, 1, 100_000))})
    (line,) = drawn(run, ["train_loss"], View(smoothing=0, points=400, log_x=log_x)).series
    early = int((line.x < 100).sum())
    assert early > 50 if log_x else early < 5


def test_zooming_shows_more_points_and_does_not_move_the_smoothed_line() -> None:
    values = np.sin(np.arange(20_000) / 50) + 2 + np.arange(20_000) % 2 / 5
    run = Run("a", {"train_loss": Curve(np.arange(20_000.0), values)})
    whole = drawn(run, ["train_loss"], View(smoothing=0.9, points=40_000)).series[0]
    part = drawn(run, ["train_loss"], View(smoothing=0.9, between=(5000, 5400), points=500)).series[0]
    assert (part.in_view, part.x.size) == (401, 401)
    same, here, there = np.intersect1d(whole.smooth_x, part.smooth_x, return_indices=True)
    assert same.size > 50
    assert whole.smooth_y[here] == pytest.approx(part.smooth_y[there])


def test_an_evaluation_is_never_smoothed() -> None:
    lines = drawn(RUN, ["train_loss", "eval_loss"], View(smoothing=0.9)).series
    assert lines[0].smooth_x.size == 200
    assert lines[1].smooth_x.size == 0


def test_what_lies_outside_the_part_in_view_is_left_out() -> None:
    picture = drawn(RUN, ["train_loss"], View(smoothing=0, between=(1, 60)))
    assert (picture.bands, [mark.kind for mark in picture.marks]) == ((), [MarkKind.WARMUP])
    assert picture.series[0].x.max() == 60


def test_a_run_without_a_point_is_an_empty_chart() -> None:
    run = Run("a", {"train_loss": Curve.from_points([1, 2], [float("nan")] * 2)})
    picture = drawn(run, ["train_loss"], View())
    assert picture.drawn == 0
    assert places(picture, MarkKind.BROKEN) == [1, 2]
    assert extent(run, "step") == (1.0, 2.0)
    assert extent(Run("a", {}), "step") == (0.0, 1.0)


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
    picture = drawn(run, ["train_loss"], View(x="step", smoothing=smoothing, log_x=log_x, log_y=log_y, points=16))
    assert all(np.isfinite(line.x).all() and np.isfinite(line.y).all() for line in picture.series)
    assert picture.drawn <= len(values)


@pytest.mark.parametrize(
    ("steps", "names"),
    [
        ((50.0,), [RESUMED]),
        ((1.0, 50.0, 200.0), [RESUMED, RESUMED]),  # at the first step nothing was resumed
        ((20.0, 40.0, 60.0, 80.0), [f"{RESUMED}, 4 times", "", "", ""]),
    ],
)
def test_where_a_run_was_resumed_is_marked_and_named(steps: tuple[float, ...], names: list[str]) -> None:
    picture = drawn(replace(RUN, discontinuities=steps), ["train_loss"], View(x="epoch", smoothing=0))
    assert mark_names(picture.marks_of(MarkKind.DISCONTINUITY)) == names
    assert places(picture, MarkKind.DISCONTINUITY) == [step / 80 for step in steps if step > 1]
