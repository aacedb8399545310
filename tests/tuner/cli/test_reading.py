from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from diagnostics.formatting import SIGNS
from diagnostics.messages import phrase
from diagnostics.model.label import Label
from diagnostics.rules import RULES, Rule
from tests.tuner.cli.command import tuner
from tuner.cli import main


def test_diagnose_prints_the_documented_json(broken_by_nan: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["diagnose", "--json", str(broken_by_nan)]) == 0
    (run,) = json.loads(capsys.readouterr().out)
    expected = {"run", "path", "label", "cause", "confidence", "best_step", "findings", "advice", "skipped", "notes"}
    assert set(run) - {"rate"} == expected  # the rate is there where it could be estimated
    assert run["label"] == "unstable"
    assert {"rule", "label", "first_step", "last_step", "measured", "message"} <= set(run["findings"][0])


def test_an_unreadable_path_is_one_object_and_the_others_still_come(
    healthy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    missing = tmp_path / "no-such-run"
    assert main(["diagnose", "--json", str(missing), str(healthy)]) == 2
    out = capsys.readouterr()
    first, second = sorted(json.loads(out.out), key=lambda entry: "label" in entry)
    assert set(first) == {"run", "path", "error"}
    assert first["run"] == str(missing)
    assert second["label"] == "healthy"
    assert out.err.count("\n") == 1
    assert "no-such-run" in out.err


def test_fail_on_is_one_only_when_its_label_was_found(healthy: Path, broken_by_nan: Path):
    assert main(["diagnose", str(healthy), "--fail-on", "unstable,overfit"]) == 0
    assert main(["diagnose", str(healthy), str(broken_by_nan), "--fail-on", "unstable,overfit"]) == 1


def test_html_is_written_as_one_file(healthy: Path, tmp_path: Path):
    page = tmp_path / "report.html"
    assert main(["diagnose", str(healthy), "--html", str(page)]) == 0
    assert page.read_text().lstrip().lower().startswith("<!doctype html>")


def test_a_wrong_rule_name_offers_the_nearest():
    assert "eval-loss-rises?" in tuner("rules", "eval-loss-rise").stderr
    assert "overfit?" in tuner("rules", "overfitt").stderr


def test_rules_are_listed_by_label_with_those_that_are_only_noted_marked(capsys: pytest.CaptureFixture[str]):
    assert main(["rules"]) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split()[1] for line in lines if line[:1] in SIGNS.values()]
    assert heads == list(dict.fromkeys(str(rule.label) for rule in RULES))
    noted = {line.split()[0] for line in lines if f"({phrase('noted')})" in line}
    assert noted == {rule.name for rule in RULES if not rule.sets_label}


@pytest.mark.parametrize("label", list(dict.fromkeys(rule.label for rule in RULES)))
def test_the_rules_of_a_label_are_listed_by_its_name(label: Label, capsys: pytest.CaptureFixture[str]):
    assert main(["rules", str(label)]) == 0
    words = capsys.readouterr().out.split()
    assert {name for name in words if name in {rule.name for rule in RULES}} == {
        rule.name for rule in RULES if rule.label is label
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_is_explained_in_lines_that_break_at_words(rule: Rule, capsys: pytest.CaptureFixture[str]):
    assert main(["rules", rule.name]) == 0
    text = capsys.readouterr().out
    assert text.split() == rule.explain().split()
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert sum(bool(re.fullmatch(r"(Limits)? +\w+ = \S+", line)) for line in lines) == len(rule.limits)


def test_a_rule_is_found_by_its_old_name(capsys: pytest.CaptureFixture[str]):
    assert main(["rules", "loss-thrown-up"]) == 0
    assert capsys.readouterr().out.startswith("loss-overshoots")
