from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from diagnostics.chart.build import Chart, as_svg, chart, outline
from diagnostics.chart.label_layout import LETTER_WIDTH, bars
from diagnostics.chart.mark_names import RESUMED, mark_names
from diagnostics.chart.model import Band, MarkKind
from diagnostics.chart.scales import Scale, scale_over
from diagnostics.diagnosis.diagnose import diagnose
from diagnostics.formatting import SIGNS
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Finding, Label
from diagnostics.model.settings import Settings
from diagnostics.synthetic import make
from tests.diagnostics.diagnosed_runs import HOSTILE, healthy, of_points, overfitted

SVG = "{http://www.w3.org/2000/svg}"
HARD = {
    "no curves": of_points(),
    "one point": of_points(train_loss=[(1, 2.0)]),
    "one eval point": of_points(train_loss=[(1, 2.0), (9, 1.0)], eval_loss=[(9, 1.5)]),
    "only nan": of_points(train_loss=[(1, math.nan), (2, math.inf)]),
    "nan in between": of_points(train_loss=[(k, math.nan if k in (3, 7) else 1.0 / k) for k in range(1, 10)]),
    "huge": of_points(train_loss=[(1, 1e308), (2, -1e308), (3, 0.0)]),
    "huge and tiny": of_points(train_loss=[(1, 1e300), (2, 1e-300)], grad_norm=[(1, 1e-320), (2, 5.0)]),
    "flat": of_points(train_loss=[(k, 0.0) for k in range(50)], learning_rate=[(k, 1e-5) for k in range(50)]),
    "huge steps": of_points(train_loss=[(1e15, 1.0), (1e15 + 1, 2.0)]),
}


def steps(drawn: Chart, kind: MarkKind) -> list[float]:
    return [mark.step for mark in drawn.marks_of(kind)]


def svg(drawn: Chart, width: int = 860) -> ET.Element:
    return ET.fromstring(as_svg(drawn, width=width))


def test_the_panels_come_in_order_with_what_the_log_holds():
    drawn = chart(*overfitted())
    assert [panel.name for panel in drawn.panels] == ["loss", "learning_rate", "grad_norm"]
    loss = drawn.panels[0]
    assert [(series.name, series.is_smoothed, series.is_eval) for series in loss.series] == [
        ("train_loss", True, False),
        ("eval_loss", False, True),
    ]


def test_a_dpo_run_gets_rewards_and_accuracies_and_the_loss_of_knowing_nothing():
    points = [(k, 0.1 * k) for k in range(1, 9)]
    drawn = chart(*of_points(train_loss=points, rewards_margins=points, rewards_accuracies=points))
    assert [panel.name for panel in drawn.panels] == ["loss", "rewards", "accuracies"]
    assert drawn.panels[0].levels[0].value == pytest.approx(math.log(2))


def test_findings_become_bands_and_the_marks_stand_where_they_belong():
    drawn = chart(*overfitted())
    band = drawn.bands[0]
    assert (band.rule, band.first, band.last) == ("eval-loss-rises", 400, 1200)
    assert drawn.best is not None
    assert (drawn.best.step, drawn.best.value) == (400, pytest.approx(1.5, abs=0.01))
    assert steps(drawn, MarkKind.WARMUP) == pytest.approx([120], abs=4)
    assert steps(drawn, MarkKind.EPOCH) == pytest.approx([400, 800])
    assert (drawn.first, drawn.last) == (2, 1200)


def test_bands_stay_within_the_run():
    run, diagnosis = overfitted()
    wild = Finding("loss-spikes", Label.UNSTABLE, -50, 1e9, {}, "spikes", 0.5)
    band = chart(run, replace(diagnosis, findings=(wild,))).bands[0]
    assert (band.first, band.last) == (2, 1200)


def test_a_rate_that_never_rises_has_no_warm_up():
    rate = [(k, 1e-3 / k) for k in range(1, 9)]
    assert steps(chart(*of_points(train_loss=rate, learning_rate=rate)), MarkKind.WARMUP) == []


def test_the_warm_up_of_the_settings_counts_where_the_rate_was_not_logged():
    run = Run.from_points("a", {"train_loss": [(1, 1.0), (200, 0.5)]}, Settings(warmup_ratio=0.1))
    assert steps(chart(run, healthy(run)), MarkKind.WARMUP) == pytest.approx([20])


def test_broken_steps_are_marks_and_not_values():
    drawn = chart(*HARD["nan in between"])
    assert steps(drawn, MarkKind.BROKEN) == [3, 7]
    assert np.isfinite(drawn.panels[0].series[0].y).all()
    assert len([path for path in svg(drawn).iter(f"{SVG}path") if path.get("class") == "nan"]) == 2


def test_where_a_run_was_resumed_is_marked_and_named():
    run, diagnosis = overfitted()
    drawn = chart(replace(run, discontinuities=(2, 600)), diagnosis)
    assert steps(drawn, MarkKind.DISCONTINUITY) == [600]
    texts = ["".join(text.itertext()) for text in svg(drawn).iter(f"{SVG}text")]
    titles = ["".join(title.itertext()) for title in svg(drawn).iter(f"{SVG}title")]
    assert texts.count(RESUMED) == 1
    assert titles.count(f"{RESUMED} at step 600") == len(drawn.panels)


def test_an_outline_is_the_chart_without_its_curves():
    run, diagnosis = overfitted()
    whole, empty = chart(run, diagnosis), outline(run, diagnosis)
    assert empty.panels == ()
    assert (empty.bands, empty.marks, empty.first, empty.last) == (whole.bands, whole.marks, whole.first, whole.last)


def test_the_number_of_points_shown_is_known():
    k = np.arange(5000)
    run = Run("a", {"train_loss": Curve.from_points(k, np.sin(k))})
    drawn = chart(run, healthy(run), pixels=100)
    assert drawn.in_view == 5000
    assert 100 < drawn.drawn <= 202


@pytest.mark.parametrize(("highest", "log"), [(2.0, False), (500.0, True)])
def test_values_that_span_much_get_a_logarithmic_axis(highest, log):
    drawn = chart(*of_points(train_loss=[(1, highest), (2, 1.5), (3, 1.0)]))
    assert drawn.panels[0].log is log


def test_values_below_zero_never_get_a_logarithmic_axis():
    assert chart(*of_points(train_loss=[(1, 500.0), (2, -1.0)])).panels[0].log is False


@pytest.mark.parametrize("case", HARD)
@pytest.mark.parametrize("width", [860, 320])
def test_every_drawing_is_well_formed_and_holds_only_finite_numbers(case, width):
    text = as_svg(chart(*HARD[case]), width=width)
    root = ET.fromstring(text)
    assert root.get("width") == str(width)
    drawn = " ".join(path.get("d", "") for path in root.iter(f"{SVG}path"))
    assert "nan" not in drawn
    assert "inf" not in drawn


def test_the_drawing_names_each_finding_and_explains_it():
    drawn = chart(*overfitted())
    root = svg(drawn)
    words = [text.text for text in root.iter(f"{SVG}text")]
    titles = [title.text or "" for title in root.iter(f"{SVG}title")]
    (band,) = drawn.bands
    assert f"{SIGNS[band.label]} {band.title}" in words
    assert any(band.message in title for title in titles)
    assert mark_names(drawn.marks_of(MarkKind.BEST))[0] in words


def shades(root: ET.Element) -> list[ET.Element]:
    return [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "shade"]


def test_a_finding_shades_its_steps_in_every_panel():
    drawn = chart(*overfitted())
    root = svg(drawn)
    left, right, first, last = (float(part) for part in str(root.get("data-steps")).split())
    expected = left + (400 - first) / (last - first) * (right - left)
    assert [float(str(rect.get("x"))) for rect in shades(root)] == pytest.approx([expected] * 3, abs=0.1)


def test_a_finding_over_the_whole_run_has_a_bar_and_no_shade():
    drawn = chart(*overfitted())
    whole = replace(drawn, bands=(replace(drawn.bands[0], first=drawn.first, last=drawn.last),))
    root = svg(whole)
    assert not shades(root)
    assert f"{SIGNS[Label.OVERFIT]} {drawn.bands[0].title}" in [text.text for text in root.iter(f"{SVG}text")]


def test_the_steps_that_a_finding_counted_are_ticks_and_not_a_shade():
    drawn = chart(*overfitted())
    root = svg(replace(drawn, bands=(replace(drawn.bands[0], steps=(500.0, 700.0)),)))
    ticks = [path for path in root.iter(f"{SVG}path") if path.get("class") == "tick"]
    assert not shades(root)
    assert [str(path.get("d")).count("M") for path in ticks] == [2, 2, 2]


@pytest.mark.parametrize("width", [860, 380, 200])
@pytest.mark.parametrize("epochs", [2, 9, 40, 90])
def test_the_names_of_epochs_never_cover_each_other_or_the_axis_of_values(epochs, width):
    run, diagnosis = overfitted()
    ends = np.linspace(10, 1200, 120)
    run = replace(run, curves={**run.curves, "epoch": Curve(ends, np.linspace(0.1, epochs + 0.5, 120))})
    drawn = chart(run, diagnosis)
    assert len(steps(drawn, MarkKind.EPOCH)) == epochs
    names = [text for text in svg(drawn, width).iter(f"{SVG}text") if (text.text or "").startswith("epoch ")]
    spans = [(float(str(one.get("x"))) - len(str(one.text)) * 6.1, float(str(one.get("x")))) for one in names]
    assert all(start >= 56 for start, _ in spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert names or width == 200


def test_a_hostile_name_stays_text():
    text = as_svg(chart(*overfitted(HOSTILE)))
    ET.fromstring(text)
    assert "<script" not in text
    assert "\x1b" not in text


def test_drawings_on_one_page_refer_to_nothing_by_name():
    text = as_svg(chart(*overfitted()))
    assert not [element for element in ET.fromstring(text).iter() if element.get("id")]
    assert "url(" not in text


def test_names_of_findings_never_cover_each_other():
    bands = [Band("a-rather-long-name", Label.OVERFIT, k, k + 1, "") for k in range(6)]
    rows: dict[int, list[tuple[float, float]]] = {}
    for bar in bars(bands, Scale(0, 100, 50, 500)):
        rows.setdefault(bar.row, []).append((min(bar.left, bar.text_at), max(bar.right, bar.text_at + 19 * 6)))
    for spans in rows.values():
        assert all(a[1] <= b[0] for a, b in zip(sorted(spans), sorted(spans)[1:], strict=False))


@given(st.lists(st.floats(allow_nan=False), max_size=20), st.booleans())
@example([1.62, math.inf], True)
def test_a_scale_holds_every_value_between_its_ends(values, log):
    scale = scale_over(values, 0.0, 100.0, log=log)
    assert scale.low < scale.high
    assert all(0.0 <= scale.at(value) <= 100.0 for value in values if value > 0 or not log)
    ticks = scale.ticks(5)
    assert list(ticks) == sorted(set(ticks))
    assert len(ticks) <= 12


def test_a_share_that_is_always_0_is_drawn_between_0_and_1():
    scale = scale_over([0.0, 0.0], 0.0, 100.0)
    assert scale.low == pytest.approx(-0.06)
    assert scale.high == pytest.approx(1.06)


@pytest.mark.parametrize(
    ("scale", "ticks"),
    [
        (Scale(0.2, 3.3, 0, 1), (1.0, 2.0, 3.0)),
        (Scale(0.0, 1.0, 0, 1), (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        (Scale(1e-5, 1e-2, 0, 1, True), (1e-5, 1e-4, 1e-3, 1e-2)),
        (Scale(1.5, 60.0, 0, 1, True), (2.0, 5.0, 10.0, 20.0, 50.0)),
    ],
)
def test_ticks_are_round(scale, ticks):
    assert scale.ticks(5) == pytest.approx(ticks)


def test_a_run_that_learns_from_rewards_is_drawn_by_its_rewards_and_their_parts():
    run = make("reward-hacked-by-parts", 0.8, seed=1)
    drawn = chart(run, diagnose(run))
    names = [panel.name for panel in drawn.panels]
    assert names[:2] == ["reward", "parts"]
    assert {"groups", "entropy", "length", "clipped", "kl"} < set(names)
    assert "loss" not in names
    parts = drawn.panels[1].series
    assert [series.title for series in parts] == ["correct", "style"]
    assert len({series.place for series in parts}) == 2
    assert "reward-hacked-by-parts" in {band.rule for band in drawn.bands}
    assert "var(--line-1)" in as_svg(drawn)


def test_the_held_out_part_of_a_reward_has_the_color_of_the_part():
    points = Curve.from_points([1.0, 2.0, 3.0], [0.1, 0.2, 0.3])
    names = ("reward", "rewards/a/mean", "rewards/b/mean", "eval_rewards/a/mean", "eval/rewards/b/mean")
    run = Run("parts", dict.fromkeys(names, points), Settings(method="grpo"))
    parts = next(panel for panel in chart(run, diagnose(run)).panels if panel.name == "parts").series
    places = {series.title: series.place for series in parts}
    assert places == {"a": 0, "a, held out": 0, "b": 1, "b, held out": 1}


def test_a_long_name_of_a_reward_function_keeps_within_a_narrow_chart():
    run = make("reward-hacked-by-parts", 0.8, seed=1)
    long = Curve(run.curves["reward"].steps, run.curves["reward"].values)
    name = "train/rewards/" + "_".join(["the_share_of_all_facts"] * 6) + "/mean"
    drawn = chart(replace(run, curves={**run.curves, name: long}), diagnose(run))
    text = as_svg(drawn, width=400)
    words = [element.text for element in ET.fromstring(text).iter() if element.get("class") == "name"]
    assert any("…" in word for word in words)
    assert max(map(len, words)) * 6.1 < 400 - 26


@pytest.mark.parametrize("first", [10.0, 200.0, 300.0, 1e6])
def test_the_name_of_the_steps_ends_before_their_first_number(first: float):
    texts = list(svg(chart(*of_points(train_loss=[(first + k, 1.0) for k in range(0, 500, 10)]))).iter(f"{SVG}text"))
    name = next(text for text in texts if text.text == "step")
    beside = [text for text in texts if text.get("y") == name.get("y") and text is not name]
    left = min(float(text.attrib["x"]) - LETTER_WIDTH * len(text.text or "") / 2 for text in beside)
    assert float(name.attrib["x"]) < left
