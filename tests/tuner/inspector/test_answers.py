from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.tuner.inspector.material import a_study
from tuner.inspector.study.answers import SAMPLES, answer_pairs
from tuner.study.results import StudyResult


@pytest.fixture
def study() -> StudyResult:
    made = a_study()
    return a_study(trials=(replace(made.trials[0], folder="trial-000"), *made.trials[1:]))


def write(folder: Path, answers: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({"prompt": prompt, "reference": "yes", "answer": text}) for prompt, text in answers.items()]
    (folder / SAMPLES).write_text("\n".join([*lines, "{ cut", "7"]) + "\n")


def test_answers_that_became_right_come_first_and_damaged_lines_are_left_out(
    study: StudyResult, tmp_path: Path
) -> None:
    write(tmp_path / "trial-000", {"a": "yes", "b": "no", "c": "no"})
    write(tmp_path / "trial-002", {"a": "yes", "b": "no", "c": " yes ", "d": "yes"})
    pairs = answer_pairs(study, tmp_path / "study.json")
    assert [(pair.prompt, pair.matched_before, pair.matches) for pair in pairs] == [
        ("c", False, True),
        ("b", False, False),
        ("a", True, True),
    ]
    assert (pairs[0].before, pairs[0].after, pairs[0].reference) == ("no", " yes ", "yes")


def test_there_are_none_where_a_trial_left_none_or_the_file_itself_is_best(study: StudyResult, tmp_path: Path) -> None:
    write(tmp_path / "trial-002", {"a": "yes"})
    assert answer_pairs(study, tmp_path / "study.json") == []
    write(tmp_path / "trial-000", {"a": "yes"})
    assert answer_pairs(study, tmp_path / "study.json")
    assert answer_pairs(replace(study, best=0), tmp_path / "study.json") == []
    assert answer_pairs(replace(study, best=None), tmp_path / "study.json") == []


def test_no_folder_of_a_study_leads_out_of_it(study: StudyResult, tmp_path: Path) -> None:
    write(tmp_path / "outside", {"a": "secret"})
    write(tmp_path / "open" / "trial-002", {"a": "yes"})
    out = replace(study, trials=(replace(study.trials[0], folder="../outside"), *study.trials[1:]))
    assert answer_pairs(out, tmp_path / "open" / "study.json") == []
