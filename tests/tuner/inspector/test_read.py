import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tuner.inspector.material import a_study, write_study
from tuner.config.direction import Direction
from tuner.inspector.study.charts import HEXAGON, progress_chart
from tuner.inspector.study.read import (
    against,
    find_studies,
    numeric_knobs,
    progress,
    report,
    trial_rows,
)
from tuner.search.proposer import ANOTHER_SEED, Proposer
from tuner.study.report.curve_charts import progress_chart as report_progress
from tuner.study.results import TrialResult, TrialState
from tuner.study.stored import NoStudy, load_study
from tuner.study.words import proposer_words


def test_a_study_comes_back_as_it_was_written(tmp_path: Path) -> None:
    study = load_study(write_study(tmp_path))
    assert study.trials == a_study().trials
    assert study.gain == a_study().gain
    assert (study.records, study.review) == (a_study().records, a_study().review)
    assert study.winner is not None
    assert study.winner.number == 2


def test_studies_are_found_here_and_a_little_below(tmp_path: Path) -> None:
    write_study(tmp_path)
    write_study(tmp_path / "runs" / "second")
    write_study(tmp_path / "too" / "deep" / "for" / "us")
    assert list(find_studies(tmp_path)) == [tmp_path.name, "runs/second"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"trials": 3}',
        '{"trials": [{}]}',
        '{"trials": [], "name": "x"}',
        '{"trials": [{"number": "x"}]}',
    ],
)
def test_what_is_no_study_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.json"
    path.write_text(text)
    with pytest.raises(NoStudy, match=r"^study\.json: .+") as found:
        load_study(path)
    assert "\n" not in str(found.value)


def test_keys_of_a_later_version_are_left_out(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    raw = json.loads(path.read_text())
    raw["invented"] = raw["trials"][0]["invented"] = 1
    path.write_text(json.dumps(raw))
    assert load_study(path).trials == a_study().trials


@pytest.mark.parametrize(
    ("direction", "best"), [(Direction.MINIMIZE, [2.0, 1.8, 1.5, 1.5]), (Direction.MAXIMIZE, [2.0, 2.0, 2.0, 2.0])]
)
def test_best_so_far_follows_the_direction_and_no_pruned_trial(direction: Direction, best: list[float]) -> None:
    assert [step.best for step in progress(a_study(direction=direction))] == best


def test_best_so_far_passes_over_a_trial_that_forgets_more_than_the_study_allows() -> None:
    study = a_study(before={"eval_general_loss": 2.4}, forgetting_limit=0.1)
    rises = (0.0, 0.3, 0.05)
    trials = [
        replace(one, metrics={"eval_general_loss": 2.4 + rise}) for one, rise in zip(study.trials, rises, strict=False)
    ]
    study = replace(study, trials=(*trials, *study.trials[3:]))
    assert [step.best for step in progress(study)] == [2.0, 2.0, 1.5, 1.5]
    chart = str(report_progress(study, width=500))
    assert chart.count("V") < str(report_progress(replace(study, forgetting_limit=None), width=500)).count("V")


def test_a_trial_tells_who_proposed_it_what_moved_and_why() -> None:
    rows = trial_rows(a_study())
    assert [row["proposed by"] for row in rows] == ["your file", "advice: slow", "advice: slow", "sampler: GP"]
    assert (rows[1]["moved"], rows[1]["why"]) == ("learning_rate 1e-5 → 3e-5", "the loss was still falling")
    assert rows[2]["state"] == "★ best"
    assert rows[0]["curve"] == [3, 2]
    assert rows[0]["moved"] == "–"
    assert proposer_words(Proposer.from_text("something else")) == "something else"


def test_a_repeat_says_that_only_the_seed_is_another() -> None:
    said = {"because": "trial 2 on another seed", "stopped": "worse"}
    repeat = TrialResult(4, a_study().trials[2].settings, 1.6, TrialState.PRUNED, proposer=ANOTHER_SEED, **said)
    study = a_study(trials=(*a_study().trials, repeat))
    assert (trial_rows(study)[4]["proposed by"], trial_rows(study)[4]["moved"]) == ("another seed", "only the seed")
    assert trial_rows(study)[4]["why"] == "trial 2 on another seed; stopped: worse"
    assert progress(study)[4].by == against(study, "learning_rate")[-1]["by"] == "another seed"
    drawn = progress_chart(progress(study), "eval_loss").to_dict()
    shapes = drawn["layer"][1]["encoding"]["shape"]["scale"]
    assert dict(zip(shapes["domain"], shapes["range"], strict=True))["another seed"] == HEXAGON


def test_a_setting_is_laid_against_the_metric() -> None:
    study = a_study()
    assert numeric_knobs(study) == ["learning_rate", "batch_size"]
    assert [(point["setting"], point["metric"]) for point in against(study, "learning_rate")] == [
        (1e-5, 2.0),
        (3e-5, 1.8),
        (1e-4, 1.5),
    ]


@pytest.mark.parametrize("folder", ["../outside", "/etc", "trial-002/../../outside", "no-such", "trial-002\0"])
def test_no_report_is_read_from_outside_the_study(tmp_path: Path, folder: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "report.html").write_text("secret")
    path = write_study(tmp_path / "study")
    assert report(path, folder, "report.html") is None


def test_a_report_of_a_trial_is_read(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    assert report(path, "trial-002", "report.html") == b"<p>the report of trial 2</p>"
