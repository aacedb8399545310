import json

import numpy as np
import pytest

from tests.tuner.inspector.material import a_study
from tuner.config.search_space import Choice, Range
from tuner.inspector.study.charts import against_chart, importance_chart, progress_chart
from tuner.inspector.study.importance import importance
from tuner.inspector.study.landscape import is_log, landscape, placed
from tuner.inspector.study.landscape_chart import landscape_chart
from tuner.inspector.study.parallel import parallel_coordinates
from tuner.inspector.study.parallel_chart import parallel_coordinates_chart
from tuner.inspector.study.read import against, progress
from tuner.search.proposer import Proposer
from tuner.study.results import StudyResult, TrialResult, TrialState

SPACE = {
    "learning_rate": Range(1e-6, 1e-2, log=True),
    "batch_size": Choice((4, 8, 16)),
    "warmup_ratio": Range(0.0, 0.2),
}


def bowl(count: int = 24, seed: int = 0, metric: float = 1.0) -> StudyResult:
    """Trials whose metric is a bowl over the logarithm of the rate, a little slope over the batch, and no warm-up."""
    random = np.random.default_rng(seed)
    trials = []
    for n in range(count):
        rate, batch, warm = 10 ** random.uniform(-6, -2), int(random.choice([4, 8, 16])), random.uniform(0, 0.2)
        value = metric * (1 + (np.log10(rate) + 4) ** 2 + 0.01 * batch)
        settings = {"learning_rate": float(rate), "batch_size": batch, "warmup_ratio": float(warm)}
        trials.append(
            TrialResult(
                n,
                settings,
                float(value),
                TrialState.COMPLETE,
                "healthy",
                proposer=Proposer.from_text("sampler:GP"),
                steps=10,
            )
        )
    best = min(trials, key=lambda trial: trial.value or 0.0).number
    return a_study(space=SPACE, trials=tuple(trials), best=best)


def test_the_setting_that_makes_the_metric_is_the_most_important_one() -> None:
    shares = importance(bowl())
    assert shares is not None
    assert next(iter(shares)) == "learning_rate"
    assert shares["learning_rate"] > 0.5
    assert sum(shares.values()) == pytest.approx(1)


def test_importance_is_none_where_nothing_can_be_known() -> None:
    study = bowl(4)
    assert importance(study) is None
    same = tuple(TrialResult(n, trial.settings, 1.0, TrialState.COMPLETE) for n, trial in enumerate(bowl(9).trials))
    assert importance(a_study(space=SPACE, trials=same)) is None
    still = tuple(TrialResult(n, {"learning_rate": 1e-4}, float(n), TrialState.COMPLETE) for n in range(9))
    assert importance(a_study(space=SPACE, trials=still)) is None


def test_a_trial_that_diverged_or_failed_flattens_nothing() -> None:
    study = bowl(8)
    wild = (
        TrialResult(8, study.trials[0].settings, 1e9, TrialState.PRUNED, "unstable"),
        TrialResult(9, study.trials[0].settings, None, TrialState.FAILED),
        TrialResult(10, study.trials[0].settings, float("nan"), TrialState.COMPLETE),
    )
    study = a_study(space=SPACE, trials=(*study.trials, *wild), best=study.best)
    assert [trial.number for trial in placed(study)] == list(range(8))
    assert importance(study) is not None


def test_the_surface_lies_between_the_trials_and_goes_through_them() -> None:
    study = bowl(60)
    land = landscape(study, "learning_rate", "warmup_ratio")
    assert land is not None
    assert len(land.points) == 60
    x, y, value = land.cells.T
    wanted = 1 + (4 * x - 2) ** 2
    inner = (abs(x - 0.5) < 0.3) & (abs(y - 0.5) < 0.3)
    assert inner.sum() > 50
    assert np.abs(value - wanted)[inner].max() < 0.6
    low, high = land.points.min(axis=0), land.points.max(axis=0)
    assert value.min() >= low[2] and value.max() <= high[2]
    assert x.min() >= low[0] - 0.02 and x.max() <= high[0] + 0.02


def test_trials_on_one_line_or_too_few_have_no_surface() -> None:
    line = tuple(
        TrialResult(n, {"learning_rate": 10.0 ** -(n + 2), "batch_size": 8}, 1.0 + n, TrialState.COMPLETE)
        for n in range(5)
    )
    on_a_line = landscape(a_study(space=SPACE, trials=line), "learning_rate", "batch_size")
    assert on_a_line is not None and on_a_line.cells.shape == (0, 3)
    assert landscape(bowl(3), "learning_rate", "warmup_ratio").cells.shape == (0, 3)  # type: ignore[union-attr]
    assert landscape(bowl(), "learning_rate", "no_such") is None
    assert landscape(bowl(), "learning_rate", "learning_rate") is None
    assert landscape(a_study(space=SPACE, trials=()), "learning_rate", "batch_size") is None


def test_parallel_coordinates_hold_every_trial_on_every_axis() -> None:
    study = bowl(6)
    parallel = parallel_coordinates(study)
    assert parallel is not None
    assert parallel.axes == ("learning_rate", "batch_size", "warmup_ratio", "eval_loss")
    assert len(parallel.polylines) == 6
    assert all(0 <= place <= 1 for line in parallel.polylines for place in line.places)
    best = next(line for line in parallel.polylines if line.trial.number == study.best)
    assert best.places[-1] == 0
    assert parallel_coordinates(bowl(1)) is None


def test_a_metric_over_decades_has_a_log_axis() -> None:
    assert not is_log(bowl())
    wide = a_study(space=SPACE, trials=tuple(TrialResult(n, {}, 10.0**-n, TrialState.COMPLETE) for n in range(4)))
    assert is_log(wide)


def test_progress_counts_the_training_steps_of_all_trials() -> None:
    steps = progress(bowl(4))
    assert [step.spent for step in steps] == [10, 20, 30, 40]
    drawn = progress_chart(steps, "eval_loss", "training steps").to_dict()
    assert [row["x"] for row in next(iter(drawn["datasets"].values()))] == [10, 20, 30, 40]


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ['a"b', "</script>", "' + alert(1) + '"])
def test_names_from_a_file_stay_text_in_the_charts(name: str, dark: bool) -> None:
    trials = tuple(
        TrialResult(
            n,
            {"k": name if n % 2 else "b", "rate": 10.0**-n},
            1.0 + n,
            TrialState.COMPLETE,
            name,
            proposer=Proposer.from_text(name),
        )
        for n in range(6)
    )
    study = a_study(space={"k": Choice(("b", name))}, trials=trials, best=0)
    land, parallel = landscape(study, "rate", "k"), parallel_coordinates(study)
    assert land is not None and parallel is not None
    drawn = landscape_chart(land, name, 0, "minimize", dark=dark).to_dict()
    labels = next(layer["encoding"]["y"]["axis"]["labelExpr"] for layer in drawn["layer"])
    assert f"? {json.dumps(name)} :" in labels
    parallel_coordinates_chart(parallel, 0, "maximize", dark=dark).to_dict()
    progress_chart(progress(study), name, dark=dark).to_dict()
    against_chart(against(study, "rate"), "rate", name, log=True, dark=dark).to_dict()
    importance_chart({name: 0.7, "b": 0.3}, dark=dark).to_dict()
