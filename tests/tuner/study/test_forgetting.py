"""A study that limits what its best trial may forget: which trial wins, and that a continued study keeps to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from diagnostics.errors import BadInput
from diagnostics.model.curves import Curve, Run
from diagnostics.model.message import message
from tests.tuner.madeup import RATE, Bowl, run, spec
from tuner.assets import GENERAL_TEXT
from tuner.study.price import prices
from tuner.study.protocols import Report
from tuner.study.report.price_chart import price_chart
from tuner.study.report.price_review import price_points
from tuner.study.report.sections import sections
from tuner.study.report.write import as_html, as_markdown
from tuner.study.results import StudyResult

RATE_ONLY = {"learning_rate": RATE}
FREE = 0.02
"""What the best rate of the bowl forgets."""


class Forgetful(Bowl):
    """The bowl, whose loss on general text rises with the root of the rate: at ten times it is three times as far.

    A repeat on a fresh seed forgets ``on_seeds`` times as much.
    """

    on_seeds = 1.0

    def __call__(self, moves: Mapping[str, Any], out: Path, report: Report) -> Run:
        """The run of the bowl with that curve beside it."""
        rise = FREE * 5.0 * self.ratio(moves) ** 0.5 * (self.on_seeds if "seed" in moves else 1.0)

        def watched(run: Run) -> Run:
            held = run.curves["eval_loss"]
            share = held.steps / max(float(held.steps[-1]), 1.0)
            general = Curve.from_points(held.steps, 2.4 + rise * np.sqrt(share))
            return replace(run, curves={**run.curves, "eval_general_loss": general})

        return watched(super().__call__(moves, out, lambda run, share: report(watched(run), share)))


def study(out: Path, trainer: Bowl | None = None, **block: Any) -> StudyResult:
    keys = {"space": RATE_ONLY, "general_text": GENERAL_TEXT, "trials": 6, **block}
    return run(out, trainer or Forgetful(evaluations=6), **keys)


def test_the_best_trial_is_the_best_of_those_within_the_limit(tmp_path: Path):
    free, limited = study(tmp_path / "free"), study(tmp_path / "limited", forgetting_limit=0.05)
    assert free.forgotten(free.winner) > 0.05
    best = limited.winner
    assert best is not None
    within = [one for one in prices(limited) if one.forgotten <= 0.05]
    assert 1 < len(within) < len(limited.trials)  # the search tried rates on both sides
    assert best.number == min(within, key=lambda one: one.value).trial.number
    assert limited.forgetting_limit == 0.05
    assert limited.before["eval_general_loss"] == 2.4


def test_a_limit_that_no_trial_keeps_takes_the_one_that_forgets_least_and_says_so(tmp_path: Path):
    result = study(tmp_path / "out", forgetting_limit=1e-6, trials=3)
    least = min(prices(result), key=lambda one: one.forgotten)
    assert result.best == least.trial.number
    assert "every-trial-forgets" in [one.point.code for one in result.review]


@pytest.mark.parametrize(("value", "rise", "named"), [(1.02, 0.05, True), (1.2, 0.05, False), (1.02, 0.2, False)])
def test_a_gain_dearly_paid_names_the_cheaper_trial_and_the_limit_that_takes_it(
    tmp_path: Path, value: float, rise: float, named: bool
):
    result = study(tmp_path / "out", trials=2)
    made = ((1.0, 0.3), (value, rise))
    trials = [
        replace(trial, value=reached, metrics={"eval_general_loss": 2.4 + lost})
        for trial, (reached, lost) in zip(result.trials, made, strict=True)
    ]
    paid = replace(result, trials=tuple(trials), best=0, before={"eval_loss": 2.0, "eval_general_loss": 2.4})
    points = list(price_points(paid, spec(tmp_path)))
    assert [one.point.code for one in points] == ["high-price"] * named
    for point in points:
        assert rise < point.patch["study"]["forgetting_limit"] < 0.3


@pytest.mark.long
def test_a_study_goes_on_with_its_limit_and_text_and_refuses_others(tmp_path: Path):
    whole = study(tmp_path / "whole", forgetting_limit=0.05)
    study(tmp_path / "cut", forgetting_limit=0.05, trials=3)
    again = study(tmp_path / "cut", forgetting_limit=0.05, trials=6)
    assert [t.settings for t in again.trials] == [t.settings for t in whole.trials]
    assert again.best == whole.best
    with pytest.raises(BadInput, match=r"study.forgetting_limit \(0.05 -> 0.5\)"):
        study(tmp_path / "cut", forgetting_limit=0.5)
    with pytest.raises(BadInput, match=r"study.watch_forgetting"):
        study(tmp_path / "cut", general_text=None)
    other = tmp_path / "other.txt"
    other.write_text("other words")
    with pytest.raises(BadInput, match=r"study.watch_forgetting"):
        study(tmp_path / "cut", forgetting_limit=0.05, general_text=other)


@pytest.mark.long
def test_a_gain_that_forgets_too_much_on_fresh_seeds_is_not_claimed(tmp_path: Path):
    kept = study(tmp_path / "kept", forgetting_limit=0.05, seeds=3)
    assert kept.gain is not None
    assert kept.gain.claimed
    trainer = Forgetful(evaluations=6)
    trainer.on_seeds = 10.0
    lost = study(tmp_path / "lost", trainer, forgetting_limit=0.05, seeds=3)
    assert lost.gain is not None
    (doubt,) = lost.gain.doubts
    assert doubt == message("forgets-too-much", rise=doubt.values["rise"], limit=0.05)
    assert doubt.values["rise"] > 0.05


@pytest.mark.long
def test_reports_show_the_price_and_the_limit_and_nothing_without_them(tmp_path: Path):
    result = study(tmp_path / "out", forgetting_limit=0.05)
    drawing = str(price_chart(result, width=900))
    assert drawing.count('class="ring"') == 1
    assert "forgetting_limit" in drawing
    shown = sections(result)
    assert shown.price is not None
    assert len(shown.price.rows) == len(prices(result))
    over = [trial for trial in shown.trials if any("above the limit" in remark for remark in trial.remarks)]
    assert [t.number for t in over] == [p.trial.number for p in prices(result) if p.forgotten > 0.05]
    assert "forgotten" in dict(shown.facts)
    for report in (as_html(result), as_markdown(result)):
        assert "What was gained, and what was forgotten" in report
    plain = run(tmp_path / "plain", Bowl(evaluations=6), space=RATE_ONLY)
    assert (prices(plain), price_chart(plain, width=900), sections(plain).price) == ([], None, None)
    again = StudyResult.from_dict(result.to_dict())
    assert (again.forgetting_limit, prices(again)) == (0.05, prices(result))
