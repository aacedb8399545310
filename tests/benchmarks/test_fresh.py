from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.dialects.measured import Eval
from benchmarks.fresh.judge import Judged, Outcome, outcome
from benchmarks.fresh.labels import Answer, Ladder, answer
from benchmarks.fresh.project import Trained, chosen
from benchmarks.fresh.recipe import Recipe
from benchmarks.fresh.summary import as_json, figures, lines

torch = pytest.importorskip("torch")

from benchmarks.fresh import same  # noqa: E402
from benchmarks.fresh.loop import Truth, train  # noqa: E402
from benchmarks.fresh.styles import STYLES  # noqa: E402
from benchmarks.fresh.tasks import TASKS  # noqa: E402
from benchmarks.outlook.projects import OTHERS  # noqa: E402
from tests.benchmarks.test_dialects import EACH_EPOCH, STEPS, measured  # noqa: E402

LADDER = Ladder(best_rate=1e-3, best_end=1.0, start=3.0, longer_end=0.9)
RECIPE = Recipe(rate=1e-3, steps=60, batch=8, rows=64, seed=1, evals=6)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Threads of so small a network wait for each other longer than they work."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def truth(end: float, lowest: float | None = None, lowest_at: float = 1.0) -> Truth:
    """What was true of a run that starts at 3."""
    return Truth(3.0, end if lowest is None else lowest, lowest_at, end)


def label(times: float, at: Truth, ladder: Ladder = LADDER) -> Answer | None:
    """The label of a run at so many times the best rate."""
    return answer(replace(RECIPE, rate=times * ladder.best_rate), at, ladder)


@pytest.mark.parametrize(
    ("times", "at", "name"),
    [
        (1.0, truth(1.0), "healthy"),
        (3.0, truth(1.09), "healthy"),
        (3.0, truth(1.11), None),
        (0.1, truth(1.51), "rate too low"),
        (0.1, truth(1.49), "rate a little too low"),
        (0.1, truth(1.15), None),
        (0.13, truth(2.9), None),
        (10.0, truth(1.51), "rate too high"),
        (10.0, truth(1.4), None),
        (100.0, truth(math.inf), "rate too high"),
        (3.0, truth(math.inf, lowest=2.0, lowest_at=0.1), "rate too high"),
        (1.0, truth(1.21, lowest=1.0, lowest_at=0.5), "overfit"),
        (1.0, truth(1.21, lowest=1.0, lowest_at=0.9), None),
    ],
)
def test_a_label_follows_from_the_ladder_and_the_true_loss(times: float, at: Truth, name: str | None):
    found = label(times, at)
    assert (found and found.name) == name


def test_acceptable_labels_are_written_down_with_the_label():
    slow, mild, hot = label(0.1, truth(2.0)), label(0.1, truth(1.4)), label(10.0, truth(2.0, 1.5, 0.3))
    assert slow and slow.sick and slow.rate == 1 and not slow.acceptable
    assert mild and not mild.sick and mild.acceptable == {"healthy"}
    assert hot and hot.rate == -1 and hot.acceptable == {"broken", "overfit"}
    short = label(1.0, truth(1.0), replace(LADDER, longer_end=0.7))
    assert short and short.right == {"healthy"} and short.acceptable == {"underfit"}
    enough = label(1.0, truth(1.0))
    assert enough and not enough.acceptable
    assert Answer.from_dict(json.loads(json.dumps(hot.to_dict()))) == replace(hot, facts=hot.to_dict()["facts"])


def test_what_a_verdict_is_worth():
    slow, mild = label(0.1, truth(2.0)), label(0.1, truth(1.4))
    assert slow and mild
    assert outcome(slow, "underfit", 10.0) is Outcome.RIGHT
    assert outcome(slow, "underfit", 0.3) is Outcome.WRONG, "sent the wrong way"
    assert outcome(slow, "healthy") is Outcome.WRONG
    assert outcome(mild, "healthy") is Outcome.ACCEPTABLE
    assert outcome(mild, "unknown") is Outcome.REFUSED


def judged(name: str, right: str, said: str, confidence: float) -> Judged:
    """A run of a style with one label, and what was said of it."""
    of = Answer(name, frozenset({right}))
    return Judged("keras-log", "k", of, said, None, confidence, None, outcome(of, said))


def test_the_figures_count_what_they_say():
    runs = [
        judged("healthy", "healthy", "healthy", 0.97),
        judged("healthy", "healthy", "overfit", 0.6),
        judged("overfit", "overfit", "healthy", 0.96),
        judged("overfit", "overfit", "overfit", 0.99),
        judged("overfit", "overfit", "unknown", 0.0),
    ]
    of = figures(runs)
    assert [of[key] for key in ("runs", "right", "acceptable", "wrong", "refused")] == [5, 2, 0, 2, 1]
    assert (of["sick"], of["sick_called_healthy"], of["healthy"], of["healthy_called_sick"]) == (3, 1, 2, 1)
    assert of["sure"] == 3 and of["sure_right"] == pytest.approx(2 / 3)
    assert (of["said_healthy"], of["said_healthy_right"]) == (2, 0.5)
    kept = as_json(runs, 7)
    assert kept["seed"] == 7 and len(kept["runs"]) == 5 and set(kept["styles"]) == {"keras-log"}
    assert any("96% healthy" in line for line in lines(runs))


def test_runs_of_every_label_are_chosen_in_turn():
    names = ["healthy"] * 3 + ["overfit"] * 5 + ["rate too low"]
    runs = [Trained("t", RECIPE, None, truth(1.0), Answer(name, frozenset())) for name in names]
    assert sorted(r.answer.name for r in chosen(runs, 4, np.random.default_rng(0)))[:2] == ["healthy", "healthy"]
    assert len(chosen(runs, 99, np.random.default_rng(0))) == len(runs)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", ["classes", "regression"])
def test_a_small_network_learns_and_its_faults_show(kind: str):
    task = TASKS[kind](np.random.default_rng(0))
    recipe = replace(RECIPE, rate=task.usual, rows=512, batch=32)
    run, well = train(task, recipe)
    assert well.end < 0.9 * well.start and well.end == pytest.approx(run.evals[-1].loss, rel=0.25)
    frozen, still = train(task, replace(recipe, fault="frozen"))
    assert len({e.loss for e in frozen.evals}) == 1 and still.end == pytest.approx(still.start)
    broken, nothing = train(task, replace(recipe, fault="nan"))
    assert np.isfinite(broken.losses[:27]).all() and np.isnan(broken.losses[27:]).all() and nothing.end == math.inf
    _, mixed = train(task, replace(recipe, fault="shuffled"))
    assert mixed.end > 0.5 * (well.start + well.end)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("kind", OTHERS)
def test_every_other_kind_can_be_learned_and_its_evaluations_repeat(kind: str):
    task = TASKS[kind](np.random.default_rng(1))
    recipe = replace(RECIPE, rate=2 * task.usual, steps=60, rows=512, batch=32, evals=3)
    run, well = train(task, recipe)
    assert well.start - well.end > 0.02 * abs(well.start)
    assert abs(well.end - run.evals[-1].loss) < 0.25 * max(abs(well.end), well.start - well.end)
    _, still = train(task, replace(recipe, fault="frozen", steps=4))
    assert still.end == pytest.approx(still.start)


@pytest.mark.usefixtures("one_thread")
def test_a_dead_network_has_no_gradient_but_in_its_last_layer():
    task = TASKS["classes"](np.random.default_rng(0))
    run, dead = train(task, replace(RECIPE, rate=task.usual, rows=512, fault="dead"))
    assert dead.end == pytest.approx(math.log(task.facts["classes"]), rel=0.05)
    assert np.ptp([e.loss for e in run.evals]) < 0.05


def test_there_are_sixteen_styles():
    assert len(STYLES) == 16


def test_one_run_in_every_dialect_is_judged_beside_the_log_that_names_the_most(tmp_path: Path):
    healthy = Answer("healthy", frozenset({"healthy"}), frozenset(), 0)
    overfit = Answer("overfit", frozenset({"overfit"}))
    rising = tuple(Eval(i, 1.1 + 2 * abs(i / STEPS - 0.3)) for i in range(0, STEPS + 1, EACH_EPOCH))
    runs = [
        Trained("classes", RECIPE, measured(), truth(1.1), healthy),
        Trained("classes", RECIPE, measured(evals=rising), truth(2.5, 1.1, 0.3), overfit),
    ]
    names = ("transformers", "semicolons", "torchtune")
    said = {name: same.verdicts(runs, name, (40, True, True), tmp_path / name) for name in names}
    assert [one.said for one in said["transformers"]] == ["healthy", "overfit"]
    assert [one.said for one in said["semicolons"]] == ["healthy", "overfit"]
    assert said["torchtune"][1].outcome is not Outcome.WRONG  # its log holds nothing that rises
    table = dict(zip(("", *names), same.lines(said), strict=True))
    assert table["semicolons"].endswith("100% of 2")
    assert table["torchtune"].endswith("50% of 2")
