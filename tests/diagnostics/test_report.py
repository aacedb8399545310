from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from diagnostics import diagnose
from diagnostics.formatting import sentence
from diagnostics.messages import (
    HEADLINES,
    advice_action,
    advice_line,
    confidence_words,
    finding_message,
    skipped_reason,
    summary,
    usual_range,
)
from diagnostics.model.curves import Run
from diagnostics.model.message import message
from diagnostics.model.records import Diagnosis, Finding, Label, Skipped
from diagnostics.model.settings import Settings
from diagnostics.report.markdown import cell, grid
from diagnostics.report.write import (
    UnreadRun,
    as_html,
    as_json,
    as_markdown,
    as_plain,
    as_text,
    dumped,
    write_reports,
    write_text,
)
from diagnostics.synthetic import make
from tests.diagnostics.diagnosed_runs import EMPTY, HOSTILE, healthy, overfitted
from tests.diagnostics.outline import Outline, is_self_contained

FINDING_FIELDS = {"rule", "label", "first_step", "last_step", "measured", "message", "confidence"}
ADVICE_FIELDS = {"knob", "old", "new", "factor", "because", "expect", "confidence", "message"}


def test_json_of_a_diagnosis_is_the_contract():
    _, diagnosis = overfitted()
    (found,) = json.loads(as_json([diagnosis]))
    assert list(found) == [
        "run",
        "label",
        "cause",
        "confidence",
        "best_step",
        "findings",
        "advice",
        "skipped",
        "notes",
    ]
    assert (found["run"], found["label"], found["cause"]) == ("runs/a", "overfit", "eval-loss-rises")
    assert found["findings"][0]["measured"] == {"rise": 0.183}
    assert [one["new"] for one in found["advice"]] == [1, None, None]
    assert found["findings"][0]["message"] == finding_message(diagnosis.findings[0])
    assert [one["message"] for one in found["advice"]] == [advice_line(one) for one in diagnosis.advice]
    assert (found["skipped"][0]["rule"], found["skipped"][0]["why"]) == (
        "clipped-too-often",
        skipped_reason(diagnosis.skipped[0]),
    )
    assert found["notes"] == ["a note"]
    assert found["findings"][0].keys() >= FINDING_FIELDS
    assert all(one.keys() >= ADVICE_FIELDS for one in found["advice"])


def test_json_holds_what_to_do_with_its_numbers_and_the_usual_range():
    run = make("loss-diverges", 0.8)
    (found,) = json.loads(as_json([diagnosis := diagnose(run)]))
    assert [one["fix"] for one in found["advice"]] == [advice_action(one) for one in diagnosis.advice]
    assert not any("{" in one["fix"] for one in found["advice"])
    assert found["advice"][0]["usual"] == [1e-4, 5e-4]


@pytest.mark.parametrize("render", [lambda *pair: str(as_text(*pair)), as_markdown, lambda *pair: as_html([pair])])
def test_every_format_shows_the_usual_rates(render: Callable[[Run, Diagnosis], str]):
    known, unknown = make("loss-diverges", 0.8), make("loss-diverges", 0.8)
    unknown = replace(unknown, settings=replace(unknown.settings, method=None, hidden_size=None))
    shown = usual_range(diagnose(known).advice[0])
    assert shown
    assert shown in render(known, diagnose(known))
    assert shown not in render(unknown, diagnose(unknown))


def test_json_keeps_the_order_of_the_paths_and_names_those_that_failed():
    _, diagnosis = overfitted()
    items = [UnreadRun("gone", "no such file"), diagnosis]
    assert [one["run"] for one in json.loads(as_json(items))] == ["gone", "runs/a"]
    failed = {"run": "gone", "error": "no such file"}
    assert json.loads(as_json([], {"gone": "no such file"})) == [failed]
    assert json.loads(as_json([], [("gone", "no such file")])) == [failed]


def test_json_never_holds_nan():
    _, diagnosis = overfitted()
    finding = Finding("loss-not-finite", Label.UNSTABLE, math.nan, math.inf, {"share": math.nan}, "nan", 0.5)
    text = as_json([replace(diagnosis, findings=(finding,), best_step=math.inf)])
    (found,) = json.loads(text, parse_constant=pytest.fail)
    assert found["findings"][0]["measured"] == {"share": None}
    assert found["best_step"] is None


def test_plain_values_know_numpy():
    import numpy as np

    assert as_plain({"a": np.float64(1.5), "b": (np.int64(2), np.nan)}) == {"a": 1.5, "b": [2, None]}


@pytest.mark.parametrize("pairs", [[overfitted()], [overfitted("a"), EMPTY, overfitted("c")], [EMPTY], []])
def test_a_page_is_whole_and_needs_nothing_from_outside(pairs):
    page = as_html(pairs)
    assert Outline(page).open == []
    assert is_self_contained(page)


def test_every_report_holds_the_verdict_the_evidence_and_the_advice():
    run, diagnosis = overfitted()
    page = Outline(as_html([(run, diagnosis)])).text.replace("\N{NO-BREAK SPACE}", " ")
    reports = (page, as_markdown(run, diagnosis), str(as_text(run, diagnosis, verbose=True)))
    (finding,) = diagnosis.findings
    for report in reports:
        for words in (
            sentence(finding_message(finding)),
            *("400", "1200", "0.183", "num_train_epochs", "×0.33", "×0.5", "90 %", "80 %"),
            sentence(advice_action(diagnosis.advice[2])),
            skipped_reason(diagnosis.skipped[0]),
            *("one row was dropped", "a note"),
        ):
            assert words in report, report
    for report in reports[:2]:
        assert HEADLINES[Label.OVERFIT] in report and confidence_words(diagnosis.confidence) in report
    for words in (
        *(sentence(advice_action(one)) for one in diagnosis.advice),
        *(one.expect for one in diagnosis.advice),
    ):
        assert words in page


@pytest.mark.parametrize("pairs", [[overfitted(HOSTILE)], [overfitted(HOSTILE), overfitted("b")]])
def test_hostile_names_stay_text_in_a_page(pairs):
    page = as_html(pairs, title=HOSTILE, errors={HOSTILE: HOSTILE})
    outline = Outline(page)
    assert outline.tags.count("script") == 1
    assert "\x1b" not in page
    assert "<script>alert('x')</script>" in outline.text
    assert is_self_contained(page)


def test_hostile_settings_and_messages_stay_text_in_a_page():
    run, diagnosis = overfitted()
    run = replace(run, settings=Settings(model_name_or_path=HOSTILE), notes=(HOSTILE,))
    finding = replace(diagnosis.findings[0], template=HOSTILE, rule='x"onload="y', measured={HOSTILE: 1.0})
    advice = replace(diagnosis.advice[0], fix=HOSTILE, expect=HOSTILE, knob=HOSTILE, because=HOSTILE)
    skipped = Skipped(HOSTILE, message("text", text=HOSTILE))
    page = as_html([(run, replace(diagnosis, findings=(finding,), advice=(advice,), skipped=(skipped,)))])
    assert Outline(page).tags.count("script") == 1
    assert "onload" not in dict(Outline(page).attributes)


def test_hostile_names_stay_text_in_markdown_and_in_a_terminal():
    run, diagnosis = overfitted(HOSTILE)
    markdown = as_markdown(run, diagnosis)
    assert "<script" not in markdown
    assert "\x1b" not in markdown
    assert "](javascript" not in markdown.replace("\\]", "")
    assert "\x1b" not in str(as_text(run, diagnosis))
    assert "[b](javascript:c)" in str(as_text(run, diagnosis))


def test_markdown_tables_keep_their_columns():
    table = grid(("a", "b"), [("x|y", "`p|q`"), ("two\nlines", "*")]).splitlines()
    assert [len(re.findall(r"(?<!\\)\|", line)) for line in table] == [3, 3, 3, 3]
    assert cell("eval_loss *and* _this_") == r"eval_loss \*and\* \_this\_"


def test_markdown_holds_verdict_findings_advice_and_the_unchecked():
    run, diagnosis = overfitted()
    text = as_markdown(run, diagnosis)
    assert text.startswith(f"# runs/a\n\n**↗ {HEADLINES[Label.OVERFIT]}**: {summary(diagnosis)}\n\n`eval_loss` ")
    assert "| `num_train_epochs` | 3 | 1 (×0.33) | eval-loss-rises | a lower end | 80 % |" in text
    assert f"- {skipped_reason(diagnosis.skipped[0])}: clipped-too-often" in text


def test_the_summary_of_a_healthy_run_names_what_was_found_beside_it():
    run, found = overfitted()
    (finding,) = found.findings
    aside = replace(found, label=Label.HEALTHY, cause=None)
    close = replace(healthy(run), borderline=finding)
    assert len({summary(healthy(run)), summary(aside), summary(close), summary(found)}) == 4
    assert finding_message(finding) not in summary(healthy(run))
    assert sentence(finding_message(finding)) in summary(aside)
    assert finding_message(finding) in summary(close)


def test_reports_are_written_whole(tmp_path: Path):
    run, diagnosis = overfitted()
    paths = write_reports(run, diagnosis, tmp_path / "new" / "run")
    names = [path.name for path in paths if path.suffix != ".png"]
    assert names == ["diagnosis.json", "report.md", "report.html", "badge.svg", "card.svg"]
    assert json.loads(paths[0].read_text("utf-8")) == json.loads(as_json([diagnosis]))[0]
    assert sorted(os.listdir(tmp_path / "new" / "run")) == sorted(path.name for path in paths)


def test_a_write_that_fails_leaves_the_old_file_and_no_scraps(tmp_path: Path):
    path = tmp_path / "report.md"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "half \ud800")
    assert path.read_text("utf-8") == "old"
    assert os.listdir(tmp_path) == ["report.md"]


def test_json_holds_no_character_that_steers_a_terminal():
    name = "a\x9b2J\x7f\u202e\u2066b \u65e5\xe9"
    text = dumped({name: name})
    assert json.loads(text) == {name: name}
    assert not set(text) & set("\x9b\x7f\u202e\u2066") and "\u65e5\xe9" in text
