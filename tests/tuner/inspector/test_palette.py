import pytest

from diagnostics.chart.theme import LABEL_COLORS, LINE_COLORS, SERIES_COLORS
from diagnostics.model.records import Label
from tuner.inspector.chart.palette import label_color, series_colors


@pytest.mark.parametrize("dark", [False, True])
def test_curves_and_verdicts_have_the_colors_of_the_report(dark: bool) -> None:
    names = ["train_loss", "eval_loss", "learning_rate", "grad_norm"]
    assert series_colors(names, dark) == [SERIES_COLORS[name][dark] for name in names]
    assert [label_color(label, dark) for label in Label] == [LABEL_COLORS[label][dark] for label in Label]
    assert label_color("no such verdict", dark) == LABEL_COLORS[Label.UNKNOWN][dark]


def test_lines_of_a_chart_differ_in_color_as_long_as_there_are_some() -> None:
    names = ["train_loss", "rewards_margins", *(f"curve {n}" for n in range(len(LINE_COLORS) - 2))]
    assert len(set(series_colors(names, dark=False))) == len(names)
    assert len(set(series_colors([str(n) for n in range(20)], dark=False))) == 20
