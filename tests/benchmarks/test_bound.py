"""What seeds tell of the tables of DPO, and what the form is fitted to be on one."""

from __future__ import annotations

import math

import numpy as np
import pytest

from benchmarks.search.bound import START, another_best, fitted, ladder_gaps, standard_error
from benchmarks.search.table import Table
from diagnostics.model.curves import Run
from tuner.search.run_model import form
from tuner.search.run_model.features import COORDINATES, Frame
from tuner.search.run_model.priors import Normal, prior

RATES = (3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
AXES = {"learning_rate": RATES, "batch_size": (4.0, 12.0, 36.0)}
BEST = Normal(math.log10(3e-3), 1.5)
UPDATES = form.FIRST_SHIFT + COORDINATES.index("updates")


def made_up(constants: np.ndarray, between: tuple[float, ...]) -> Table:
    """A table that follows the form, with seeds that lie so far from it."""
    empty = Table("made-up", AXES, {})
    settings = [(("learning_rate", rate), ("batch_size", batch)) for rate in RATES for batch in AXES["batch_size"]]
    points = Frame({"learning_rate": 3e-3, "batch_size": 12.0}, empty.space).points([dict(at) for at in settings])
    heights = form.mean(constants[None], points)[0]
    runs = {
        at: {
            seed: Run.from_points("", {"eval_loss": [(0, 0.6931), (9, math.exp(height + off))]})
            for seed, off in enumerate(between)
        }
        for at, height in zip(settings, heights, strict=True)
    }
    return Table("made-up", AXES, runs)


def test_the_constants_of_a_table_are_found():
    means, _ = prior("dpo", START, BEST, is_loss=True)
    truth = means.copy()
    truth[form.DEPTH], truth[UPDATES] = math.log(0.6), 0.7
    found = fitted(made_up(truth, (0.0,)))
    assert found[form.DEPTH] == pytest.approx(truth[form.DEPTH], abs=0.1)
    assert found[UPDATES] == pytest.approx(0.7, abs=0.05) and means[UPDATES] == pytest.approx(0.9)


def test_other_seeds_name_another_best_only_where_they_differ_by_more_than_settings():
    means, _ = prior("dpo", START, BEST, is_loss=True)
    assert another_best(made_up(means, (0.001, -0.001, 0.0))) == 0
    assert 0.1 < another_best(made_up(means, (0.5, -0.5, 0.0))) < 1


def test_what_the_best_setting_is_worth_is_known_to_within_its_seeds():
    means, _ = prior("dpo", START, BEST, is_loss=True)
    assert standard_error(made_up(means, (0.1, -0.1, 0.0))) == pytest.approx(0.1 / math.sqrt(3), rel=0.02)


def test_the_best_rate_of_a_ladder_lies_below_that_of_a_form_with_a_steep_edge():
    truth, _ = prior("dpo", START, BEST, is_loss=True)
    truth[form.SHARPNESS] = math.log(0.1)
    lowest, ladder = ladder_gaps(made_up(truth, (0.0,)))
    assert lowest < -0.1 and abs(ladder) < 0.12
