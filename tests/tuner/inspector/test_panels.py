import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.chart.build import PIXELS, chart, outline
from diagnostics.chart.model import MarkKind
from diagnostics.chart.panels import panel_name
from diagnostics.chart.smoothing import default_weight
from diagnostics.formatting import SIGNS, number
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Diagnosis, Finding, Label
from diagnostics.model.settings import Settings
from tests.diagnostics.diagnosed_runs import overfitted
from tests.tuner.inspector.material import HOSTILE
from tuner.inspector.chart.panels import ChartData, chart_data, points_caption, usual_limits
from tuner.inspector.chart.series import View
from tuner.inspector.chart.vega_data import tables
from tuner.inspector.chart.vega_spec import spec
from tuner.inspector.views.curves import usual_curves

STEPS = np.arange(1.0, 401.0)
FINDING = Finding("eval-loss-rises", Label.OVERFIT, 200, 400, {}, "It rises.")
DIAGNOSIS = Diagnosis("a", Label.OVERFIT, "eval-loss-rises", 0.9, 200, (FINDING,))
CURVES = {
    "train_loss": Curve(STEPS, 3 - STEPS / 200),
    "eval_loss": Curve.from_points([100, 200, 300, 400], [2.0, 1.5, 1.7, 1.8]),
    "learning_rate": Curve(STEPS, np.minimum(1.0, STEPS / 40) * 1e-4),
    "epoch": Curve(STEPS, STEPS / 100),
    "rewards_chosen": Curve(STEPS, STEPS),
    "rewards_margins": Curve(STEPS, STEPS),
    "train/kl": Curve(STEPS, STEPS),
    "eval/kl": Curve(STEPS, STEPS),
}
RUN = Run("a", CURVES)


def drawn(run: Run = RUN, names: list[str] | None = None, view: View | None = None) -> ChartData:
    return chart_data(run, outline(run, DIAGNOSIS), names or ["train_loss", "eval_loss"], view or View(smoothing=0))


def test_curves_of_one_thing_share_a_panel_and_the_others_get_their_own() -> None:
    panels = drawn(names=[name for name in CURVES if name != "epoch"]).chart.panels
    assert [(panel.name, [series.name for series in panel.series]) for panel in panels] == [
        ("loss", ["train_loss", "eval_loss"]),
        ("learning_rate", ["learning_rate"]),
        ("rewards", ["rewards_chosen", "rewards_margins"]),
        ("kl", ["train/kl", "eval/kl"]),
    ]


def test_the_inspector_draws_the_series_bands_and_marks_of_the_report() -> None:
    run, diagnosis = overfitted()
    report = chart(run, diagnosis)
    view = View(smoothing=default_weight(run), points=2 * PIXELS)
    names = [series.name for series in report.series]
    page = chart_data(run, outline(run, diagnosis), names, view).chart
    assert [panel.name for panel in page.panels] == [panel.name for panel in report.panels]
    assert (page.bands, page.marks) == (report.bands, report.marks)
    assert any(series.is_smoothed for series in report.series)
    for one, other in zip(page.series, report.series, strict=True):
        for part in ("x", "y", "smooth_x", "smooth_y"):
            assert np.array_equal(getattr(one, part), getattr(other, part))


@pytest.mark.parametrize(
    ("name", "of"),
    [("train_loss", "loss"), ("eval_loss", "loss"), ("eval_entropy", "entropy"), ("eval/", "eval/"), ("mine", "mine")],
)
def test_a_curve_belongs_to_the_panel_of_what_it_measures(name: str, of: str) -> None:
    assert panel_name(name) == of


def test_the_crosshair_reads_the_step_every_line_and_the_findings_there() -> None:
    says = dict(drawn().crosshair)
    assert says[250.0].split("\n") == [
        "step 250",
        "train_loss  1.75",
        "eval_loss  1.5 (step 200)",
        f"{SIGNS[Label.OVERFIT]} eval loss rises",
    ]
    assert says[50.0].split("\n") == ["step 50", "train_loss  2.75"]


def test_the_crosshair_reads_the_step_on_another_axis_too() -> None:
    says = dict(drawn(view=View(x="epoch", smoothing=0)).crosshair)
    assert says[2.5].startswith("step 250\ntrain_loss  1.75")


def test_outliers_stand_at_the_edge_and_are_counted() -> None:
    values = 2 - STEPS / 400
    values[100:103] = 500.0
    run = replace(RUN, curves={"train_loss": Curve(STEPS, values)})
    plain, robust = drawn(run), drawn(run, view=View(smoothing=0, ignore_outliers=True))
    assert plain.chart.panels[0].limits is None
    low, high = robust.chart.panels[0].limits or (0, 0)
    assert 0 < low < 1.1 and 2 < high < 4
    assert robust.chart.panels[0].beyond == 3
    assert "3 outliers" in points_caption(robust.chart, View(smoothing=0))
    assert robust.chart.series[0].y.max() == 500.0
    assert drawn(view=View(smoothing=0, ignore_outliers=True)).chart.panels[0].limits is None


def test_usual_limits_of_a_log_axis_are_above_zero() -> None:
    low, _ = usual_limits([np.geomspace(1e-6, 1, 100)], log=True) or (0, 0)
    assert 0 < low < 1e-6
    assert usual_limits([np.ones(5)]) is None
    assert usual_limits([]) is None
    assert usual_limits([np.array([1e-320, 1e300])], log=True) is None  # its ends would not fit a float


def test_what_is_not_drawn_is_counted() -> None:
    run = Run("a", {"train_loss": Curve(np.arange(50_000.0), np.cos(np.arange(50_000.0)))})
    view = View(smoothing=0.9, log_y=True)
    chart = drawn(run, ["train_loss"], view).chart
    (series,) = chart.series
    assert (chart.in_view, series.hidden) == (50_000, int((np.cos(np.arange(50_000.0)) <= 0).sum()))
    caption = points_caption(chart, view)
    for part in (chart.drawn, chart.in_view, series.hidden):
        assert number(part) in caption
    assert "0.9" in caption and "train_loss" in caption


def test_a_growing_run_and_a_zoom_change_the_tables_and_not_the_chart() -> None:
    """The browser keeps its zoom as long as the specification is the same text."""
    grown = Run("a", {**CURVES, "train_loss": Curve(np.arange(1.0, 801.0), np.linspace(3, 1, 800))})
    view = View(smoothing=0.5)
    first, second = drawn(view=view), drawn(grown, view=view)
    assert json.dumps(spec(first.chart, view)) == json.dumps(spec(second.chart, view))
    zoomed = drawn(view=replace(view, between=(100, 120)))
    assert tables(first, view)["line0"]["x"].max() == 400
    assert tables(second, view)["line0"]["x"].max() == 800
    assert tables(zoomed, view)["line0"]["x"].between(100, 120).all()
    assert tables(first, view).keys() == tables(zoomed, view).keys()


def named(node: object) -> set[str]:
    """The names of all tables that a specification asks for."""
    if isinstance(node, dict):
        own = {node["data"]["name"]} if "name" in node.get("data", {}) else set()
        return own.union(*(named(value) for value in node.values()))
    return set().union(*(named(value) for value in node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("axis", ["step", "epoch"])
def test_every_table_that_the_chart_asks_for_is_there(axis: str) -> None:
    view = View(x=axis, smoothing=0.5)
    picture = drawn(names=list(CURVES), view=view)
    assert named(spec(picture.chart, view)) == tables(picture, view).keys()


def test_marks_and_findings_stand_in_their_tables() -> None:
    found = tables(drawn(), View(smoothing=0))
    assert found[MarkKind.BEST]["x"].tolist() == [200]
    assert found["best-name"]["text"].tolist() == ["best step 200"]
    assert found[MarkKind.WARMUP]["x"].tolist() == [40]
    assert found["epoch-late-name"]["text"].tolist() == ["epoch 1", "epoch 2", "epoch 3"]
    name = f"{SIGNS[Label.OVERFIT]} eval loss rises"
    assert found["bands"][["x", "x2", "name"]].to_numpy().tolist() == [[200, 400, name]]


NASTY = (*HOSTILE, '\\"+alert(1)+"', "{{signal: alert(1)}}", "datum.x", "image", "a.b[0]", "")


def words(node: object, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    """Every text in a specification, keys included, with where it stands."""
    if isinstance(node, dict):
        return [found for key, value in node.items() for found in [(path, key), *words(value, (*path, key))]]
    if isinstance(node, list):
        return [found for value in node for found in words(value, path)]
    return [(path, node)] if isinstance(node, str) else []


def test_names_from_logs_stand_only_where_they_are_read_as_text() -> None:
    curves = {name: Curve(STEPS, STEPS) for name in NASTY}
    view = View(smoothing=0.5)
    asked = spec(drawn(Run("a", curves), list(curves), view).chart, view)
    shown = [(path[-2:], word) for path, word in words(asked) if any(name and name in word for name in NASTY)]
    assert {path for path, _ in shown} == {("scale", "domain"), ("text", "value")}
    others = {word for path, word in words(asked) if path[-2:] != ("scale", "domain")}
    assert not others & {"expr", "signal", "calculate", "url", "href", "image", "labelExpr"}
    assert [layer["transform"] for layer in asked["layer"] if "transform" in layer] == [
        [{"filter": {"param": "hover", "empty": False}}]
    ]


@given(
    st.lists(st.floats(-1e12, 1e12), min_size=0, max_size=60),
    st.sampled_from([0.0, 0.5, 0.99]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_any_curve_can_be_drawn(values: list[float], smoothing: float, log_x: bool, log_y: bool, robust: bool) -> None:
    run = Run("a", {"train_loss": Curve.from_points(range(len(values)), values)})
    view = View(x="step", smoothing=smoothing, log_x=log_x, log_y=log_y, points=16, ignore_outliers=robust)
    picture = drawn(run, ["train_loss"], view)
    found = tables(picture, view)
    assert all(np.isfinite(found[name][["x", "y"]].to_numpy()).all() for name in ("raw0", "line0", "dots0"))
    json.dumps(spec(picture.chart, view), allow_nan=False)


def test_an_axis_of_learning_rates_is_written_in_powers_and_no_other() -> None:
    curves = {name: Curve(STEPS, STEPS * 1e-9) for name in ("train_loss", "learning_rate")}
    view = View(smoothing=0)
    losses, rates = (layer["layer"][0]["encoding"]["y"]["axis"] for layer in panels(curves, view))
    assert (losses["format"], rates["format"]) == (".10~g", "~e")
    assert "labelExpr" not in losses


def panels(curves: dict[str, Curve], view: View) -> list[dict[str, Any]]:
    return [
        layer for layer in spec(drawn(Run("a", curves), list(curves), view).chart, view)["layer"] if "layer" in layer
    ]


def test_names_of_reward_functions_stand_in_rows_that_a_narrow_chart_holds() -> None:
    parts = ("facts", "the_share_of_all_facts_that_the_answer_holds")
    names = [f"{rows}/rewards/{part}/mean" for part in parts for rows in ("train", "eval")]
    curves = {"reward": Curve(STEPS, STEPS), **{name: Curve(STEPS, STEPS) for name in names}}
    view = View(smoothing=0)
    layers = spec(drawn(Run("a", curves), list(curves), view).chart, view)["layer"]
    shown = [layer["encoding"] for layer in layers if "value" in layer.get("encoding", {}).get("text", {})]
    rows: dict[float, list[tuple[float, str]]] = {}
    for one in shown:
        rows.setdefault(one["y"]["value"], []).append((one["x"]["value"], one["text"]["value"]))
    assert len(rows) == 4  # one of the reward; facts beside facts, held out; each long name alone
    for row in rows.values():
        ends = [left + 6 * len(words) for left, words in row]
        assert max(ends) <= 300
        assert all(end < left for end, (left, _) in zip(ends, row[1:], strict=False))


def test_a_share_that_is_always_0_is_drawn_between_0_and_1() -> None:
    view = View(smoothing=0)
    curves = {"reward": Curve(STEPS, STEPS), "clipped_ratio": Curve(STEPS, 0 * STEPS)}
    layers = spec(drawn(Run("a", curves), list(curves), view).chart, view)["layer"]
    found = [one["layer"][0]["encoding"]["y"]["scale"].get("domain") for one in layers if "layer" in one]
    assert found[:2] == [None, [0, 1]]


@pytest.mark.parametrize(("functions", "left_out"), [(1, set()), (2, {"eval_entropy", "eval_completion_length"})])
def test_a_run_with_a_reference_opens_with_its_divergence_however_many_rewards_it_has(
    functions: int, left_out: set[str]
) -> None:
    names = ["reward", "frac_reward_zero_std", "entropy", "completion_length", "clipped_ratio", "kl", "learning_rate"]
    names += [f"rewards/{'abc'[place]}/mean" for place in range(functions)] if functions > 1 else []
    held = ["eval_reward", "eval_entropy", "eval_completion_length"]
    held += [f"eval_rewards/{'abc'[place]}/mean" for place in range(functions)] if functions > 1 else []
    points = {name: [(1, 0.1), (2, 0.2)] for name in (*names, *held)}
    run = Run.from_points("a", points, Settings(method="grpo"))
    usual = usual_curves(list(run.curves), run)
    assert "kl_divergence" in usual and set(run.curves) - set(usual) == left_out
