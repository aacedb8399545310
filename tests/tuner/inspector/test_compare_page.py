"""Runs laid over each other, as a person meets them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tuner.inspector.material import write_csv, write_fine_run, write_overfit_run
from tests.tuner.inspector.pages import click, go_to, run, table, text, tick
from tuner.inspector.chart.comparison import MAX_RUNS


def test_several_runs_are_laid_over_each_other(opened: Any, tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a", rate=1e-4)
    write_fine_run(tmp_path / "b", rate=3e-4)
    write_csv(tmp_path / "bad.csv", {"train_loss": []})
    page = click(tick(opened(), "a", "b"), "compare")
    assert sorted(page.multiselect[0].value) == ["a", "b"]
    assert page.get("vega_lite_chart")
    assert "learning_rate" in table(page, "setting")
    page.multiselect[0].set_value(["a"])
    assert not run(page).get("vega_lite_chart")
    assert len(page.info) == 1


def test_no_more_than_twenty_runs_are_compared(opened: Any, tmp_path: Path) -> None:
    for k in range(21):
        write_csv(tmp_path / f"{k:02}.csv", {"train_loss": [(1, 1.0), (2, 0.9)]})
    page = opened()
    tick(page, *table(page, "run"))
    assert page.button(key="compare").disabled
    assert str(MAX_RUNS) in page.caption[-1].value


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """Two seeds of one setting, three of another, and a table without settings."""
    for seed in range(2):
        write_fine_run(tmp_path / f"slow-{seed}", seed=seed)
    for seed in range(3):
        write_fine_run(tmp_path / f"fast-{seed}", seed=seed, rate=1e-3)
    write_overfit_run(tmp_path / "other.csv")
    return tmp_path


ALL = ["slow-0", "slow-1", "fast-0", "fast-1", "fast-2", "other.csv"]


def test_runs_of_equal_settings_become_a_mean_with_a_band(opened: Any, seeds: Path) -> None:
    page = go_to(opened(run=ALL), "Compare")
    page.button_group(key="compare-show").set_value("Mean and band")
    run(page)
    means = text(page)
    assert "6 runs in 3 groups" in means
    page.selectbox(key="compare-band").select("standard deviation")
    assert text(run(page)) != means
    assert page.get("vega_lite_chart")


def test_differences_are_those_to_the_chosen_baseline(opened: Any, seeds: Path) -> None:
    page = opened(run=ALL, baseline="fast-1", **{"compare-show": "Difference"})
    page = go_to(page, "Compare")
    assert "eval_loss minus that of fast-1" in text(page)
    assert table(page, "vs. baseline")[3] == "baseline"
    page.selectbox(key="baseline").select(0)
    run(page)
    assert table(page, "vs. baseline")[0] == "baseline"
    assert page.query_params["baseline"] == ["slow-0"] or page.query_params["baseline"] == "slow-0"


def test_an_address_restores_the_view(opened: Any, seeds: Path) -> None:
    view = {"compare-curve": "train_loss", "compare-x": "Epoch", "compare-smoothing": "0.5", "compare-log-y": "true"}
    page = go_to(opened(run=["slow-0", "fast-0"], **view), "Compare")
    assert page.multiselect[0].value == ["slow-0", "fast-0"]
    assert page.selectbox(key="compare-curve").value == "train_loss"
    assert page.button_group(key="compare-x").value == "epoch"
    assert page.slider(key="compare-smoothing").value == 0.5
    assert page.toggle(key="compare-log-y").value


@pytest.mark.parametrize(
    "query",
    [
        {"compare-curve": "../../etc/passwd"},
        {"compare-show": "<b>x</b>", "compare-x": "nowhere", "compare-smoothing": "7", "compare-log-y": "maybe"},
        {"baseline": "/etc/passwd"},
        {"run": ["slow-0", "slow-0", "slow-0"]},
        {"from-compare-step": "x", "to-compare-step": "-inf"},
    ],
)
def test_an_address_that_makes_no_sense_is_put_right(opened: Any, seeds: Path, query: dict[str, Any]) -> None:
    page = go_to(opened(**{"run": ["slow-0", "fast-0"], **query}), "Compare")
    assert "passwd" not in text(page)
    assert page.multiselect[0].value[0] == "slow-0"


def test_the_points_of_all_runs_can_be_taken_away(opened: Any, seeds: Path) -> None:
    page = go_to(opened(run=["slow-0", "fast-0"]), "Compare")
    assert {button.label for button in page.get("download_button")} == {"CSV", "HTML report"}
