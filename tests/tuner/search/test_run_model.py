"""The model of the run: its form, and what trials teach it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from diagnostics.model.rate_estimate import OFFSETS, RateEstimate
from diagnostics.model.records import Finding, Label
from tests.tuner.search.form_runs import LOW, SPACE, START, loss_at, posterior, trial
from tuner.search.run_model import form
from tuner.search.run_model.acquire import best_choice
from tuner.search.run_model.features import COORDINATES, Frame, takes_fixed_steps
from tuner.search.run_model.outcome import chances_by_model
from tuner.search.run_model.posterior import RunModel, drawn_from
from tuner.search.run_model.priors import RATE_DEVIATION, Normal, prior
from tuner.search.run_model.reasons import rates
from tuner.search.run_model.verdicts import DOWN_ABOVE, Verdicts
from tuner.search.scale import Scale
from tuner.search.trial_view import TrialView


@pytest.mark.parametrize("excess", [1e-4, 0.03, 0.15])
def test_the_best_rate_in_closed_form_is_where_the_form_is_lowest(excess: float):
    means, _ = prior("sft", Normal(0.7, 0.01), Normal(-4.0, 1.0), is_loss=True)
    means[form.EXCESS], means[form.DEPTH] = math.log(excess), math.log(0.6)
    frame = Frame({"learning_rate": 1e-4, "batch_size": 16}, SPACE)
    ladder = [{"learning_rate": 10**x, "batch_size": 16} for x in np.arange(-6, -2, 0.02)]
    points = frame.points(ladder)
    lowest = points.x[int(np.argmin(form.mean(means[None], points)[0]))]
    assert form.lines(means[None], points.z).best[0, 0] == pytest.approx(lowest, abs=0.12)


@pytest.mark.parametrize(("sharpness", "excess"), [(0.05, 0.06), (0.15, 0.06), (0.4, 0.06), (0.15, 0.6)])
def test_the_best_rate_of_a_ladder_is_that_of_a_parabola_through_its_three_lowest_ends(sharpness: float, excess: float):
    """Wherever the rungs lie: that is the best rate that an estimate of the rate is fitted to."""
    means, _ = prior("dpo", Normal(math.log(START), 0.01), Normal(-4.0, 1.0), is_loss=True)
    means[form.SHARPNESS], means[form.EXCESS], means[form.DEPTH] = math.log(sharpness), math.log(excess), math.log(0.6)
    frame, found = Frame({"learning_rate": 1e-4, "batch_size": 16}, SPACE), []
    for first in np.arange(-6, -5.5, 0.05):
        x = first + 0.5 * np.arange(10)
        points = frame.points([{"learning_rate": 10**one, "batch_size": 16} for one in x])
        ends = form.mean(means[None], points)[0]
        least = int(np.argmin(ends))
        left, middle, right = ends[least - 1 : least + 2]
        found.append(x[least] + 0.25 * (left - right) / (left - 2 * middle + right))
    at = form.lines(means[None], points.z)
    assert at.best_of_ladder[0, 0] == pytest.approx(np.mean(found), abs=0.08)
    assert abs(at.best_of_ladder[0, 0] - np.mean(found)) < abs(at.best[0, 0] - np.mean(found))


def test_an_estimate_of_the_rate_means_the_best_rate_of_a_ladder():
    means, _ = prior("dpo", Normal(math.log(START), 0.01), Normal(-4.0, 1.0), is_loss=True)
    at = form.lines(means[None], Frame({"learning_rate": 1e-4}, SPACE).points([{"learning_rate": 1e-4}]).z)
    said = Verdicts.of([replace(trial(0, 1e-4, label=None), rate=stands(-0.6))])
    by_rate = {
        float(x): float(said.log_likelihood(np.array([x]), at)[0]) for x in at.best[0, 0] + np.arange(-1.2, 0, 0.1)
    }
    likeliest = max(by_rate, key=lambda x: by_rate[x])
    assert likeliest == pytest.approx(float(at.best_of_ladder[0, 0]) - 0.6, abs=0.06)


def test_a_verdict_on_the_rate_means_the_best_rate_of_a_ladder():
    """At a rate half a decade above that every second run is called too high."""
    means, _ = prior("dpo", Normal(math.log(START), 0.01), Normal(-4.0, 1.0), is_loss=True)
    at = form.lines(means[None], Frame({"learning_rate": 1e-4}, SPACE).points([{"learning_rate": 1e-4}]).z)
    called = Verdicts.of([trial(0, 1e-4, diverged=True)])
    half = at.best_of_ladder[0] + DOWN_ABOVE
    assert float(np.exp(called.log_likelihood(half, at)[0])) == pytest.approx(0.5, abs=0.01)
    assert at.best[0, 0] > at.best_of_ladder[0, 0] + 0.05


def test_a_smaller_batch_takes_more_updates_only_where_the_samples_are_the_same():
    small = {"learning_rate": 1e-4, "batch_size": 4}
    same_samples, same_steps = (
        Frame({"learning_rate": 1e-4, "batch_size": 16}, SPACE, fixed).points([small]).z[0] for fixed in (False, True)
    )
    updates, samples = COORDINATES.index("updates"), COORDINATES.index("samples")
    assert same_samples[updates] == pytest.approx(math.log10(4)) and same_samples[samples] == 0
    assert same_steps[updates] == 0 and same_steps[samples] == pytest.approx(-math.log10(4))


def test_whether_steps_are_fixed_is_read_from_the_runs():
    assert not takes_fixed_steps([trial(0, 1e-4, 4, steps=100), trial(1, 1e-4, 16, steps=25)])
    assert takes_fixed_steps([trial(0, 1e-4, 4, steps=100), trial(1, 1e-4, 16, steps=100)])
    assert not takes_fixed_steps([trial(0, 1e-4, 16, steps=100)])
    stopped = trial(0, 1e-1, 16, steps=100, diverged=True, stopped_at=0.25)
    assert takes_fixed_steps([stopped, trial(1, 1e-4, 4, steps=100)])
    assert not takes_fixed_steps([replace(stopped, stopped_at=None), trial(1, 1e-4, 4, steps=100)])


def test_a_few_runs_show_the_best_rate_of_every_batch():
    found = posterior(*(trial(n, rate) for n, rate in enumerate((1e-5, 1e-4, 1e-3, 1e-2))))
    for batch in (4, 32):
        ladder = 10 ** np.arange(-5, -2, 0.05)
        truth = float(ladder[int(np.argmin([loss_at(float(rate), batch) for rate in ladder]))])
        (low, middle, high), edge = rates(found, {"learning_rate": 1e-3, "batch_size": batch})
        assert low / 2 < truth < high * 2 and truth / 3 < middle < truth * 3
        assert edge[1] > middle


def test_a_verdict_and_a_run_that_diverged_move_the_best_rate():
    settings = {"learning_rate": 1e-4, "batch_size": 16}
    flat = {"loss": 0.995 * START}
    plain = rates(posterior(trial(0, 1e-4, **flat)), settings)[0][1]
    told = rates(posterior(trial(0, 1e-4, advice=LOW, **flat)), settings)[0][1]
    broken = rates(posterior(trial(0, 1e-4, loss=9.0, diverged=True)), settings)[0][1]
    assert broken < 1e-4 < plain <= told


def stands(offset: float) -> RateEstimate:
    """An estimate that a rate lies so many decades above the best one, to within 0.4."""
    return RateEstimate.of(np.zeros(len(OFFSETS)), -0.5 * ((np.array(OFFSETS) - offset) / 0.4) ** 2)


def test_where_the_curves_say_that_a_rate_stands_moves_the_best_one():
    settings = {"learning_rate": 1e-4, "batch_size": 16}
    low, plain, high = (
        rates(posterior(replace(trial(0, 1e-4, loss=1.2, label=None), rate=said)), settings)[0][1]
        for said in (stands(-1.0), None, stands(1.0))
    )
    assert low > 3 * high and high < plain < low


def test_a_verdict_on_something_else_is_no_word_on_the_rate():
    settings = {"learning_rate": 1e-3, "batch_size": 16}
    edges = [rates(posterior(trial(0, 1e-3, loss=1.9, label=label)), settings)[1][0] for label in ("healthy", "broken")]
    assert edges[1] < edges[0]  # a healthy run lies below the edge; of a broken one that is not known


def test_a_start_worse_than_a_guess_is_not_taken_for_learning():
    """Past the edge these runs still end far below their start; the best rate lies a hundredfold lower."""
    wrong = (Finding("start-loss-wrong", Label.BROKEN, 0.0, 0.0, {}),)
    high = [
        trial(n, rate, start=12.0, loss=loss, label="broken", findings=wrong)
        for n, (rate, loss) in enumerate([(1e-1, 6.4), (3e-2, 5.6), (1e-2, 5.5)])
    ]
    low = trial(3, 3e-4, start=12.0, loss=4.4)
    found = posterior(*high, low)
    (_, middle, _), edge = rates(found, low.settings)
    assert 5e-5 < middle < 3e-3 and edge[1] < 1e-2


def test_more_rate_is_worth_a_look_where_answers_are_compared_and_the_batch_is_larger():
    """The edge of DPO lies higher for a larger batch, that of SFT hardly."""
    frame = Frame({"learning_rate": 1e-4, "batch_size": 4}, SPACE)
    points = frame.points([{"learning_rate": 1e-4, "batch_size": batch} for batch in (4, 32)])
    edges = {}
    for method in ("sft", "dpo"):
        means, _ = prior(method, Normal(0.7, 0.01), Normal(-4.0, 1.0), is_loss=True)
        edges[method] = np.diff(form.lines(means[None], points.z).edge[0])[0]
    assert edges["dpo"] > 0.4 > 0.2 > edges["sft"] > 0


def test_a_stopped_run_ends_where_the_best_runs_went_on_to():
    """Runs of this study gain 40 % in their last half: so does one that was stopped there."""
    course = ((0.25, 1.9), (0.5, 1.6), (1.0, 1.0))
    whole = [trial(0, 1e-4, loss=1.0, course=course), trial(1, 3e-4, loss=1.0, course=course)]
    half = trial(2, 1e-3, loss=1.8, stopped_at=0.5, course=course[:2])
    seen = posterior(*whole, half).seen
    assert seen.heights[2] == pytest.approx(math.log(1.8 * 1.0 / 1.6), abs=0.15)
    assert not seen.tried[2] and seen.other[2] > 20 * seen.other[0]


def test_runs_that_the_form_does_not_fit_leave_more_open_than_those_it_fits():
    fitting = [trial(n, rate) for n, rate in enumerate((1e-5, 1e-4, 1e-3, 3e-3))]
    odd = [replace(one, loss=(one.loss or 0) * factor) for one, factor in zip(fitting, (1, 0.9, 1.1, 0.8), strict=True)]
    at = [{"learning_rate": 3e-4, "batch_size": 4}]
    left = [float(posterior(*trials).heights(at)[1].mean()) for trials in (fitting, odd)]
    assert left[1] > 1.5 * left[0]


@pytest.mark.parametrize("method", ["sft", "dpo"])
def test_a_run_that_failed_by_bad_luck_hides_the_best_rate_less_than_one_that_is_as_much_too_good(method: str):
    """What one run far off its place does to the best rate at the other batch, in decades."""
    good = [trial(n, rate, method=method) for n, rate in enumerate((1e-5, 1e-4, 1e-3, 3e-3))]
    at = [{"learning_rate": 1e-3, "batch_size": 16}]
    moved = []
    for factor in (2.0, 0.5):
        odd = [*good[:2], replace(good[2], loss=(good[2].loss or 0.0) * factor), good[3]]
        known, found = (float(posterior(*trials).heights(at)[0].mean()) for trials in (good, odd))
        moved.append(abs(found - known))
    assert moved[0] < 0.5 * moved[1]


def test_a_run_under_way_is_judged_by_its_settings_as_well_as_by_its_curve():
    trials = [trial(n, rate) for n, rate in enumerate((1e-5, 3e-5, 1e-4, 1e-2))]
    found = posterior(*trials)
    lowest = math.log(min(one.loss or 9.0 for one in trials))
    behind, ahead = (lowest + gap + 0.03 * np.linspace(-2, 2, 9) for gap in (0.05, -0.15))
    better, worse = ({"learning_rate": rate, "batch_size": 16} for rate in (3e-4, 6e-5))
    chances = {id(at): [chances_by_model(found, at, ends) for ends in (behind, ahead)] for at in (better, worse)}
    (promising, _), (hopeless, surprising) = chances[id(better)], chances[id(worse)]
    assert promising.best > 0.05 > hopeless.best and promising.loss > hopeless.loss
    assert surprising.best >= hopeless.best


def test_the_posterior_depends_on_the_trials_alone():
    trials = [trial(n, rate) for n, rate in enumerate((1e-5, 1e-3, 1e-4, 3e-4))]
    warm = RunModel(SPACE)
    for count in range(1, 5):
        warm.posterior(trials[:count])
    late = RunModel(SPACE)
    late.posterior([trials[0], *trials[2:]])  # trial 1 ended after the others
    found = [model.posterior(trials) for model in (warm, late, RunModel(SPACE))]
    assert all(one is not None and np.array_equal(one.parameters, found[0].parameters) for one in found if found[0])


def test_what_is_known_beforehand_centers_the_search():
    first = trial(0, 1e-6, loss=0.999 * START)
    known = RunModel(SPACE, Normal(math.log10(3e-4), 0.3)).posterior([first])
    assert known is not None
    (low, middle, high), _ = rates(known, first.settings)
    assert 1e-4 < middle < 1e-3
    wide = rates(posterior(first), first.settings)[0]
    assert high / low < wide[2] / wide[0]


def test_seeds_that_differ_by_much_are_found_to():
    calm = [trial(n, rate) for n, rate in enumerate((1e-4, 2e-4, 4e-4, 8e-4))]
    repeats = [replace(one, number=4 + n, seed=1) for n, one in enumerate(calm)]
    rough = [replace(one, loss=(one.loss or 0) * (1.1 if n % 2 else 0.9)) for n, one in enumerate(repeats)]
    assert posterior(*calm, *rough).noise > 2 * posterior(*calm, *repeats).noise


def test_a_metric_that_is_no_loss_is_searched_too():
    trials = [
        TrialView(n, {"learning_rate": rate, "batch_size": 16}, -value, method="dpo")
        for n, (rate, value) in enumerate([(1e-6, 0.52), (1e-5, 0.7), (1e-4, 0.9), (1e-2, 0.5)])
    ]
    found = posterior(*trials)
    assert not found.scale.is_log
    choice = best_choice(found, trials, SPACE, may_repeat=False)
    assert choice is not None and 3e-5 < choice.settings["learning_rate"] < 3e-3


def test_the_rate_is_known_to_a_factor_of_30_before_the_first_run():
    assert pytest.approx(math.log10(30), abs=0.05) == RATE_DEVIATION
    assert Scale(True).height(math.e) == 1.0


def test_another_draw_of_the_particles_lasts_as_long_as_it_is_asked_for():
    first = posterior(trial(0, 1e-4))
    with drawn_from(1000):
        other = posterior(trial(0, 1e-4))
    assert (posterior(trial(0, 1e-4)).parameters == first.parameters).all()
    assert (other.parameters != first.parameters).any()
