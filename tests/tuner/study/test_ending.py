"""The end of a study on the screen: the gain, what changed, answers before and after, and the next commands."""

from __future__ import annotations

import io
import json
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.tuner.study.report.study_records import GAIN, STUDY, TOO_FEW, TRIALS
from tuner.study.display.ending import ending
from tuner.study.results import StudyResult
from tuner.study.words import gain_words

AFTER = replace(TRIALS[3], metrics={"eval_exact_match": 0.88})
PROVED = replace(STUDY, trials=(*TRIALS[:3], AFTER, *TRIALS[4:]))


def lines(result: StudyResult, folder: Path, width: int = 80) -> list[str]:
    file = io.StringIO()
    Console(file=file, width=width, force_terminal=True, color_system="standard").print(ending(result, folder))
    return file.getvalue().splitlines()


def test_a_proved_gain_is_highlighted_with_its_seeds_and_the_exact_match(tmp_path: Path):
    text = " ".join(lines(PROVED, tmp_path)[:2])
    assert text.startswith("\x1b[1;32m")
    for words in ("1.4 → 0.7", "-50 %", "3 of 3", "2 % → 88 %"):
        assert words in text


def test_a_gain_that_is_not_proved_says_why_and_is_not_green(tmp_path: Path):
    result = replace(STUDY, gain=TOO_FEW)
    text = "\n".join(lines(result, tmp_path, 300))
    assert "\x1b[1;32m" not in text
    assert gain_words(TOO_FEW, STUDY.metric, STUDY.direction) in text
    assert GAIN.claimed


@pytest.mark.parametrize("result", [replace(STUDY, gain=None), replace(STUDY, gain=None, best=None, trials=())])
def test_a_study_without_repeats_or_trials_ends_too(result: StudyResult, tmp_path: Path):
    assert "".join(lines(result, tmp_path)).endswith("study.html")  # a long path wraps


def test_what_changed_is_said_from_old_to_new(tmp_path: Path):
    (line,) = (line for line in lines(PROVED, tmp_path) if "learning_rate" in line)
    assert "1e-5 → 1e-4" in line and "batch_size" not in line


def test_three_answers_that_became_right_are_shown_in_one_line_each(tmp_path: Path):
    for trial, answers in ((TRIALS[0], "no " * 60), (AFTER, "yes " * 60)):
        (tmp_path / trial.folder).mkdir()
        rows = [{"prompt": f"question {k}", "reference": "yes " * 60, "answer": answers} for k in range(5)]
        (tmp_path / trial.folder / "samples.jsonl").write_text("\n".join(map(json.dumps, rows)))
    text = lines(PROVED, tmp_path)
    asked = [k for k, line in enumerate(text) if "question " in line and "questions" not in line]
    assert len(asked) == 3
    for k in asked:
        assert "no no" in text[k + 1] and "yes yes" in text[k + 2]
    assert any("5 right" in line and "0 right" in line for line in text)


@pytest.mark.parametrize(("kind", "words"), [("adapter", "tuner merge "), ("model", "from_pretrained(")])
def test_the_next_commands_name_what_the_best_trial_left(kind: str, words: str, tmp_path: Path):
    (tmp_path / AFTER.folder / kind).mkdir(parents=True)
    text = "\n".join(lines(PROVED, tmp_path, 300))
    assert f"tuner inspect {tmp_path}" in text
    assert words in text and str(tmp_path / AFTER.folder) in text
    away = replace(PROVED, trials=(*TRIALS[:3], replace(AFTER, host="gpu2"), *TRIALS[4:]))
    assert words not in "\n".join(lines(away, tmp_path, 300))


def test_the_next_commands_can_be_typed_as_they_stand(tmp_path: Path):
    folder = tmp_path / "my study"
    (folder / AFTER.folder / "adapter").mkdir(parents=True)
    text = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines(PROVED, folder, 400)]
    typed = [shlex.split(line[line.index("tuner ") :]) for line in text if "tuner " in line]
    run = str(folder / PROVED.winner.folder)  # type: ignore[union-attr]
    assert ["tuner", "inspect", str(folder)] in typed and ["tuner", "merge", run, str(folder / "merged")] in typed
