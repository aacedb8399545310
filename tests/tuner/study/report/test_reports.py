from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest

from diagnostics.formatting import sentence
from diagnostics.model.message import message
from diagnostics.model.records import Label
from diagnostics.report.card_frame import INSTALL
from diagnostics.report.markdown import cell
from tests.diagnostics.diagnosed_runs import HOSTILE
from tests.diagnostics.test_report import Outline
from tuner.config.direction import Direction
from tuner.config.search_space import Choice, Range
from tuner.messages import filled, text
from tuner.messages.en import HEADS
from tuner.search.proposer import ANOTHER_SEED, Proposer, ProposerKind
from tuner.study.answers import AnswerPair
from tuner.study.failure import Failure, FailureKind
from tuner.study.report.axes import has_place, mover
from tuner.study.report.beside import Beside
from tuner.study.report.card import as_card
from tuner.study.report.curve_charts import curves_chart, progress_chart
from tuner.study.report.path_chart import path_chart, path_knob
from tuner.study.report.sections import sections
from tuner.study.report.words import better_by, changed, headline, lead, measure, report_phrase
from tuner.study.report.write import as_html, as_json, as_markdown, write_study_reports
from tuner.study.results import Gain, Pair, Paragraph, RuleRecord, StudyResult, TrialResult, TrialState
from tuner.study.words import moves_line, proposer_words


def trial(
    number: int, rate: float, value: float | None, by: str | Proposer = "sampler:gp", **more: object
) -> TrialResult:
    curve = tuple((float(step), (value or 3.0) + 10 / step) for step in range(10, 60, 10))
    fields = {"state": TrialState.COMPLETE, "label": "healthy", "folder": f"trial-{number:03d}", "curve": curve, **more}
    return TrialResult(
        number, {"learning_rate": rate, "batch_size": 8}, value, proposer=Proposer.from_text(str(by)), **fields
    )


TRIALS = (
    trial(0, 1e-5, 1.4, "file", label="underfit", cause="rate-too-low", metrics={"eval_exact_match": 0.02}),
    trial(1, 3e-5, 1.1, "advice:rate-too-low", moved={"learning_rate": (1e-5, 3e-5)}, because="one rung up"),
    trial(2, 5e-3, None, state=TrialState.PRUNED, label="unstable", cause="loss-diverges", stopped="loss-diverges"),
    trial(3, 1e-4, 0.7, "advice:rate-too-low", moved={"learning_rate": (3e-5, 1e-4)}, because="one rung up"),
    trial(4, 9e-3, 8.0, label="unstable"),
)
GAIN = Gain((Pair(43, 1.41, 0.71), Pair(44, 1.39, 0.69), Pair(45, 1.4, 0.7)), 0.7, 0.001)
TOO_FEW = Gain(GAIN.pairs[:1], 0.7, 0.0, (message("too-few-seeds", needed=3),))
STUDY = StudyResult(
    name="orders",
    path="studies/orders.yaml",
    method="sft",
    metric="eval_loss",
    direction=Direction.MINIMIZE,
    space={"learning_rate": Range(1e-6, 1e-2, log=True), "batch_size": Choice((4, 8))},
    trials=TRIALS,
    best=3,
    gain=GAIN,
    records=(RuleRecord("rate-too-low", 2, 2, 0, 0),),
    review=(Paragraph("Batch at its edge", ("Allow more.",), {"study": {"space": {"batch_size": [8, 16]}}}),),
    seconds=600.0,
    before={"eval_exact_match": 0.0},
    after={"eval_exact_match": 0.69},
    versions={"trl": "1.16"},
    notes=("one note",),
)
BARE = replace(
    STUDY, trials=(), best=None, gain=None, records=(), review=(), before={}, after={}, versions={}, notes=()
)
ONE = replace(BARE, trials=TRIALS[:1], best=0)
LOST = replace(
    BARE,
    trials=(
        trial(0, 1e-5, None, "file", state=TrialState.FAILED, failure=Failure(FailureKind.OUT_OF_MEMORY), curve=()),
    ),
)
ODD = replace(
    STUDY,
    trials=(
        trial(0, 1e-5, math.inf, "file", curve=((1.0, math.nan), (2.0, math.inf))),
        trial(1, 1e-5, 1e308, curve=()),
        trial(2, 1e-5, 0.0, curve=((1.0, 1e300), (2.0, -1e300))),
    ),
    best=2,
)
STUDIES = {"full": STUDY, "no trial": BARE, "one trial": ONE, "nothing but failure": LOST, "odd values": ODD}


def words_of(drawing: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]


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


def test_the_path_numbers_every_trial_and_names_the_best():
    words = words_of(str(path_chart(STUDY, width=860)))
    assert {"0", "1", "2", "3", "4", "best", "1e-3", "learning rate (log scale)"} <= set(words)


def test_trials_without_a_place_on_the_axis_are_crosses():
    assert [has_place(STUDY, one) for one in TRIALS] == [True, True, False, True, False]
    assert str(path_chart(STUDY, width=860)).count('class="nan"') == 2


def test_an_arrow_starts_at_the_trial_whose_settings_moved_else_at_the_one_before():
    root = ET.fromstring(str(path_chart(STUDY, width=860)))
    shafts = [
        path for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("stroke-opacity") in ("0.75", "0.4")
    ]
    ends = [tuple(map(float, re.findall(r"[\d.]+", str(path.get("d"))))) for path in shafts[::2]]
    dashed = [path.get("stroke-dasharray") is not None for path in shafts[::2]]
    assert dashed == [False, True, False, True]
    assert ends[2][0] == pytest.approx(ends[0][2], abs=30)  # trial 3 starts where trial 1 stands, not at the cross


def texts(drawing: str) -> dict[str, float]:
    """The x of each text of a drawing."""
    found = ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")
    return {"".join(one.itertext()): float(str(one.get("x"))) for one in found}


def test_points_in_the_same_place_are_one_that_counts_them_and_none_moves_aside():
    study = replace(STUDY, trials=(*TRIALS, trial(5, 1e-4, 0.7), trial(6, 1e-4, 0.701)))
    alone, drawn = texts(str(path_chart(STUDY, width=860))), texts(str(path_chart(study, width=860)))
    assert drawn["3"] == alone["3"]
    assert "+2" in drawn and "+2" not in alone
    assert not {"5", "6"} & drawn.keys()


def test_the_best_of_those_in_one_place_is_the_one_that_is_drawn():
    drawn = texts(str(path_chart(replace(STUDY, trials=(*TRIALS, trial(5, 1e-4, 0.699)), best=5), width=860)))
    assert {"5", "+1", "best"} <= drawn.keys()
    assert "3" not in drawn


def test_crosses_in_the_same_place_are_one_that_counts_them():
    study = replace(STUDY, trials=(*TRIALS, trial(5, 5e-3, None, state=TrialState.FAILED)))
    assert "2 +1" in texts(str(path_chart(study, width=860)))


def test_the_path_is_drawn_over_the_knob_that_moved():
    assert path_knob(STUDY) == "learning_rate"
    fixed = tuple(replace(t, settings={"learning_rate": 1e-5, "batch_size": 4 + t.number}) for t in TRIALS)
    assert path_knob(replace(STUDY, trials=fixed)) == "batch_size"
    assert path_chart(ONE, width=400) is None


def test_the_curves_name_the_first_and_the_best():
    assert {"your file", "best"} <= set(words_of(str(curves_chart(STUDY, width=430))))
    assert str(progress_chart(STUDY, width=430)).count('class="nan"') == 2


def test_who_moved_a_trial_is_known_from_its_record():
    assert [mover(one) for one in TRIALS] == ["file", "advice", "sampler", "advice", "sampler"]


def test_a_repeat_on_another_seed_is_called_that_and_no_sampler():
    again = trial(5, 1e-4, 0.72, ANOTHER_SEED, because="trial 3 on another seed")
    study = replace(STUDY, trials=(*TRIALS[:4], again))
    assert (mover(again), proposer_words(again.proposer), moves_line(again)) == (
        ProposerKind.ANOTHER_SEED,
        "another seed",
        "only the seed",
    )
    page, text = as_html(study), as_markdown(study)
    assert "only the seed | another seed. Trial 3 on another seed." in text
    assert "another-seed" not in page and "moved by the sampler" in page  # of trial 2
    assert all(
        part in page for part in ("</svg>another seed</span>", "<div>another seed</div>", "<div>only the seed</div>")
    )


def test_an_arrow_leads_to_a_repeat_from_the_settings_that_it_repeats():
    far = trial(5, 1e-5, 1.0, ANOTHER_SEED)  # the settings of trial 0, after trial 4
    root = ET.fromstring(str(path_chart(replace(STUDY, trials=(*TRIALS[:4], far)), width=860)))
    paths = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("stroke") == "var(--soft)"]
    start, end = re.findall(r"([\d.]+),", str(paths[0].get("d")))
    assert float(start) == pytest.approx(float(end), abs=1)


@pytest.mark.parametrize(
    ("study", "code"),
    [
        (STUDY, "better-proved"),
        (replace(STUDY, gain=replace(GAIN, doubts=(message("within-noise"),))), "gain-within-noise"),
        (replace(STUDY, gain=TOO_FEW), "gain-lacks-seeds"),
        (ONE, "nothing-better"),
        (BARE, "nothing-finished"),
        (replace(STUDY, direction=Direction.MAXIMIZE, best=0), "nothing-better"),
    ],
)
def test_the_headline_claims_no_more_than_is_known(study, code):
    assert headline(study).code == code


def test_a_gain_without_repeats_is_called_unproved():
    for gain in (None, Gain((), 0.0, 0.0, (message("no-repeats"),))):
        study = replace(STUDY, gain=gain)
        values = {"metric": "eval_loss", "before": "1.4", "after": "0.7", "change": " (-50 %)"}
        assert headline(study) == message("better-on-one-seed", **values)
        assert sections(study).proof is None
    assert lead(replace(STUDY, gain=None)).endswith(report_phrase("not-repeated"))
    assert lead(study).endswith(sentence(text(message("no-repeats"))))


def test_higher_is_better_where_the_study_maximizes():
    share = replace(STUDY, metric="eval_exact_match", direction=Direction.MAXIMIZE, best=0, gain=None)
    rising = replace(share, trials=(trial(0, 1e-5, 0.2, "file"), trial(1, 1e-4, 0.5)), best=1)
    assert better_by(rising) == pytest.approx(1.5)
    assert measure("eval_exact_match", 0.5) == "50 %"


def test_a_claimed_gain_is_the_one_on_fresh_seeds():
    flattered = replace(STUDY, trials=(*TRIALS[:3], replace(TRIALS[3], value=0.1), TRIALS[4]))
    assert better_by(flattered) == pytest.approx(0.5)
    assert better_by(replace(flattered, gain=None)) == pytest.approx(1.3 / 1.4)


def test_only_the_settings_that_differ_are_shown():
    assert changed(STUDY) == [("learning_rate", 1e-5, 1e-4)]


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


@pytest.mark.parametrize("case", STUDIES)
def test_every_study_has_a_card(case):
    root = ET.fromstring(as_card(STUDIES[case]))
    words = " ".join(words_of(as_card(STUDIES[case])))
    assert (root.get("width"), root.get("height")) == ("1200", "630")
    assert INSTALL in words
    assert sections(STUDIES[case]).headline.split()[0] in words


def test_the_card_shows_the_gain_what_changed_and_the_curves_of_all_trials():
    words = words_of(as_card(STUDY))
    assert set(sections(STUDY).headline.split(", ")) <= set(words)
    assert "learning_rate 1e-5 → 1e-4" in words
    assert as_card(STUDY).count('<path d="M') >= len(TRIALS)
    assert "<script" not in as_card(replace(STUDY, name=HOSTILE, metric=HOSTILE))
