from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from diagnostics.model.records import Label
from tests.tuner.study.report.study_records import GAIN, STUDY, TRIALS
from tuner.study.answers import AnswerPair, answer_pairs, paired, shown_and_missed
from tuner.study.report.beside import Beside, beside, disagreement


def sample(prompt: str, answer: str, reference: str = "yes") -> str:
    return json.dumps({"prompt": prompt, "reference": reference, "answer": answer, "matches": False})


BEFORE = [sample("a", "no"), sample("b", "yes"), sample("c", "no"), sample("d", "no"), "{half", sample("gone", "no")]
AFTER = [sample("b", "no"), sample("c", "no"), sample("a", " yes "), sample("d", "yes"), sample("new", "yes"), "[]"]


def test_answers_that_became_right_come_first():
    pairs = paired(BEFORE, AFTER)
    assert [(one.prompt, one.matched_before, one.matches) for one in pairs] == [
        ("a", False, True),
        ("d", False, True),
        ("c", False, False),
        ("b", True, False),
    ]


def test_a_few_that_became_right_are_shown_and_all_that_are_wrong_are_missed():
    pairs = paired(
        [sample(f"{k}", "no") for k in range(9)], [sample(f"{k}", "yes" if k < 5 else "no") for k in range(9)]
    )
    shown, missed = shown_and_missed(pairs)
    assert [one.prompt for one in shown] == ["0", "1", "2"]
    assert [one.prompt for one in missed] == ["5", "6", "7", "8"]


@pytest.mark.parametrize(
    "prompt",
    [
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
        "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n",
        "<s><|start_header_id|>user<|end_header_id|>\n\nWhy?<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n",
        "<bos><start_of_turn>user\nWhy?<end_of_turn>\n<start_of_turn>model\n",
        "<s>[INST] Why? [/INST]",
        "Why?",
        "<|question|>Why?<|answer|>",
    ],
)
def test_the_question_is_what_the_user_says_last(prompt):
    assert AnswerPair(prompt, "", "", "", False, False).question == "Why?"


def written(folder: Path) -> Path:
    for name, lines in (("trial-000", BEFORE), ("trial-003", AFTER)):
        (folder / name).mkdir()
        (folder / name / "samples.jsonl").write_text("\n".join(lines), "utf-8")
    (folder / "trial-003" / "config.yaml").write_text("learning_rate: 1e-4\n", "utf-8")
    return folder


def test_a_study_s_folder_holds_answers_the_winner_s_file_and_verdicts_of_repeats(tmp_path: Path):
    written(tmp_path)
    for run, label in (("repeat-3-seed-43", "unstable"), ("repeat-3-seed-44", "odd"), ("repeat-0-seed-43", "underfit")):
        (tmp_path / run).mkdir()
        (tmp_path / run / "diagnosis.json").write_text(json.dumps({"label": label}), "utf-8")
    found = beside(STUDY, tmp_path)
    assert [one.prompt for one in found.answers] == ["a", "d", "c", "b"]
    assert found.winner_file == "learning_rate: 1e-4\n"
    assert found.labels == {(3, 43): Label.UNSTABLE, (0, 43): Label.UNDERFIT}


def test_nothing_is_read_of_a_folder_that_holds_nothing_or_of_another_machine(tmp_path: Path):
    assert beside(STUDY, tmp_path) == Beside()
    away = replace(STUDY, trials=(*TRIALS[:3], replace(TRIALS[3], host="gpu2")))
    assert beside(away, written(tmp_path)) == Beside()
    assert answer_pairs(STUDY, tmp_path)
    assert answer_pairs(replace(STUDY, best=0), tmp_path) == []
    assert answer_pairs(replace(STUDY, best=None), tmp_path) == []


@pytest.mark.parametrize("outside", ["../outside", "/", "x\0y"])
def test_no_folder_of_a_study_leads_out_of_it(outside: str, tmp_path: Path):
    for name in ("outside", "study"):
        (tmp_path / name).mkdir()
    (tmp_path / "outside" / "samples.jsonl").write_text("\n".join(BEFORE), "utf-8")
    written(tmp_path / "study")
    away = replace(STUDY, trials=(replace(TRIALS[0], folder=outside), *TRIALS[1:]))
    assert answer_pairs(away, tmp_path / "study") == []


def labels(*found: Label) -> dict[tuple[int, int], Label]:
    return {(3, 43 + k): label for k, label in enumerate(found)} | {(0, 43): Label.BROKEN}


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ((Label.UNSTABLE, Label.UNSTABLE, Label.HEALTHY), (Label.UNSTABLE, 2, 3)),
        ((Label.UNSTABLE, Label.HEALTHY, Label.HEALTHY), None),
        ((Label.UNSTABLE, Label.HEALTHY), None),
        ((Label.UNSTABLE, Label.OVERFIT, Label.HEALTHY), None),
        ((), None),
    ],
)
def test_repeats_disagree_when_most_of_them_have_another_label_than_the_trial(found, said):
    assert GAIN.claimed
    assert disagreement(STUDY, labels(*found)) == said
