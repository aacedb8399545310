from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from diagnostics.model.records import Label
from diagnostics.report.markdown import cell
from tests.diagnostics.diagnosed_runs import HOSTILE
from tests.diagnostics.outline import Outline
from tests.tuner.study.report.study_records import ONE, STUDIES, STUDY, TRIALS
from tuner.messages import filled
from tuner.messages.en import HEADS
from tuner.study.answers import AnswerPair
from tuner.study.report.beside import Beside
from tuner.study.report.sections import sections
from tuner.study.report.words import headline, lead, report_phrase
from tuner.study.report.write import as_html, as_json, as_markdown, write_study_reports
from tuner.study.results import Paragraph, RuleRecord


@pytest.mark.parametrize("case", STUDIES)
def test_every_study_has_all_three_reports(case, tmp_path: Path):
    paths = write_study_reports(STUDIES[case], tmp_path)
    assert [path.name for path in paths[:4]] == ["study.json", "study.md", "study.html", "card.svg"]
    page = paths[2].read_text("utf-8")
    outline = Outline(page)
    assert outline.open == []
    assert outline.tags.count("script") == 1
    assert not {"link", "img", "iframe"} & set(outline.tags)
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", page)
    assert sections(STUDIES[case]).headline in outline.text.replace("\N{NO-BREAK SPACE}", " ")
    json.loads(paths[0].read_text("utf-8"), parse_constant=pytest.fail)


def test_the_page_tells_gain_settings_trials_proof_and_next_steps():
    shown = Outline(as_html(STUDY)).text.replace("\N{NO-BREAK SPACE}", " ")
    for words in (
        "Eval loss 1.4 → 0.7 (-50 %), confirmed on 3 of 3 new seeds",
        lead(STUDY),
        "0 % → 69 %",
        "1e-5 → 3e-5",
        "One rung up.",
        "stopped: loss-diverges",
        "0.7 ± 0.001",
        "batch_size: [8, 16]",
        "tuner train trial-003/config.yaml",
        'AutoPeftModelForCausalLM.from_pretrained("trial-003/adapter")',
    ):
        assert words in shown, words
    assert 'href="trial-003/report.html"' in as_html(STUDY)


def test_markdown_tells_the_same():
    text = as_markdown(STUDY)
    assert f"**{sections(STUDY).headline}.** {cell(lead(STUDY))}" in text
    assert "| `learning_rate` | 1e-5 | 1e-4 |" in text
    assert "| 3 (best) | 0.7 | healthy | learning_rate 3e-5 → 1e-4 | advice: rate too low. One rung up. |" in text
    assert "```yaml\nstudy:\n  space:\n    batch_size: [8, 16]\n```" in text


def test_json_holds_the_whole_record():
    found = json.loads(as_json(STUDY))
    assert (found["best"], found["gain"]["claimed"], len(found["trials"])) == (3, True, 5)
    assert found["trials"][1]["moved"] == {"learning_rate": [1e-5, 3e-5]}
    assert found["space"]["learning_rate"] == {"low": 1e-6, "high": 0.01, "log": True, "step": None, "integer": False}


def test_hostile_names_stay_text():
    bad = replace(TRIALS[0], label=HOSTILE, cause=HOSTILE, because=HOSTILE, folder=HOSTILE, stopped=HOSTILE)
    study = replace(
        STUDY,
        name=HOSTILE,
        metric=HOSTILE,
        trials=(bad, *TRIALS[1:]),
        notes=(HOSTILE,),
        review=(Paragraph(HOSTILE, (HOSTILE,), {f"```\n{HOSTILE}": HOSTILE}),),
    )
    page = as_html(study)
    assert Outline(page).tags.count("script") == 1
    assert "\x1b" not in page
    markdown = as_markdown(study)
    assert "<script" not in re.sub(r"(`{3,})\w+\n.*?\n\1", "", markdown, flags=re.S)
    assert "\x1b" not in markdown
    assert "\n````yaml\n```\n" in markdown


def test_a_trial_on_another_machine_says_where_it_lies_and_is_no_link():
    there = replace(TRIALS[3], host="gpu2", folder="/data/runs/orders/trial-003", memory=("out of memory with 8 rows",))
    study = replace(STUDY, trials=(*TRIALS[:3], there))
    page, text = as_html(study), as_markdown(study)
    for report in (page, text):
        assert "on gpu2: /data/runs/orders/trial-003" in report
        assert "out of memory with 8 rows" in report
        assert "(on gpu2)" in report
    assert 'href="/data' not in page
    assert 'href="trial-001/report.html"' in page


def test_the_record_of_the_rules_counts_advice_that_was_not_followed_too():
    study = replace(STUDY, records=(RuleRecord("rate-too-low", 5, 2, 1, 1),))
    records = sections(study).records
    assert records is not None and records.rows == (("rate too low", "5", "4", "2", "1", "1"),)
    assert json.loads(as_json(study))["records"][0]["followed"] == 4


def test_the_noise_between_seeds_is_a_short_fact_and_the_rest_a_note():
    study = replace(STUDY, noise={"counts_from": 0.0042, "evaluations": 0.0021, "seeds": 0.0104}, steps=1234.0)
    shown = sections(study)
    facts = dict(shown.facts)
    assert facts[HEADS["seed-noise"]] == report_phrase("noise", noise="0.01")
    assert facts["steps"] == report_phrase("steps", steps=1234.0)
    notes = [report_phrase("noise-in-search", noise="0.004"), report_phrase("noise-evaluations", noise="0.002")]
    assert set(notes) < set(shown.notes)
    for report in (as_html(study), as_markdown(study)):
        assert all(words in report for words in (facts["seed noise"], facts["steps"]))
    assert HEADS["seed-noise"] not in dict(sections(STUDY).facts)


def test_the_best_single_run_and_the_mean_of_new_seeds_are_two_facts():
    flattered = replace(STUDY, trials=(*TRIALS[:3], replace(TRIALS[3], value=0.5), TRIALS[4]))
    facts = dict(sections(flattered).facts)
    assert facts[HEADS["single-run"]] == report_phrase("single-run", value="0.5", trial=3)
    assert facts[filled(HEADS["new-seeds"], {"seeds": 3})] == "0.7"
    assert headline(flattered).values["after"] == "0.7"


FIXED = AnswerPair("Why?", "yes", "no <b>", "yes", False, True)
MISSED = AnswerPair("Who?", "me", "you", "them", False, False)
FOUND = Beside((FIXED, MISSED), "learning_rate: 1e-4\n", {(3, 43): Label.UNSTABLE, (3, 44): Label.UNSTABLE})


def test_answers_and_the_winner_s_file_stand_in_the_first_card_and_misses_are_folded():
    page = as_html(STUDY, FOUND)
    top = page[page.index('class="card verdict"') : page.index("<svg")]
    assert top.count('class="answers"') == 2
    assert top.index("Why?") < top.index("<details>") < top.index("Who?")
    assert "no &lt;b&gt;" in top
    assert "learning_rate: 1e-4</code>" in top
    assert 'class="answers"' not in as_html(STUDY)
    assert "| Why? | no &lt;b> | yes |" in as_markdown(STUDY, FOUND)


def test_the_proof_has_the_verdicts_of_the_repeats_and_the_first_card_says_when_they_disagree():
    shown = sections(STUDY, FOUND)
    assert shown.proof is not None and [row[4] for row in shown.proof.rows[:-1]] == ["unstable", "unstable", ""]
    said = {"label": "unstable", "count": 2, "repeats": 2, "trial": 3, "trial_label": "healthy"}
    assert shown.doubt == report_phrase("repeats-disagree", **said)
    assert shown.doubt in as_html(STUDY, FOUND) and cell(shown.doubt) in as_markdown(STUDY, FOUND)
    bare = sections(STUDY)
    assert bare.doubt == "" and bare.proof is not None and len(bare.proof.heads) == 4


def test_the_gain_is_split_by_the_moves_that_led_to_the_best_trial():
    gains = sections(replace(STUDY, noise={"counts_from": 0.35})).gains
    assert gains is not None
    assert [row[1:] for row in gains.rows] == [
        ("learning_rate 1e-5 → 3e-5", "1.4", "1.1", report_phrase("within-noise", gain="0.3")),
        ("learning_rate 3e-5 → 1e-4", "1.1", "0.7", "0.4"),
    ]
    assert sections(ONE).gains is None


def test_a_page_of_a_study_says_what_a_link_to_it_shows():
    assert '<meta property="og:image" content="card.png"/>' in as_html(STUDY, image="card.png")
    assert f'<meta property="og:description" content="{sections(STUDY).headline}' in as_html(STUDY)
