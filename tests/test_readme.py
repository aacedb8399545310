"""The README says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.readme import README, command, rule_table

ROOT = README.parent
TEXT = README.read_text("utf-8")


def test_the_rule_table_is_the_rules_themselves():
    assert rule_table() in TEXT, "run `python tests/readme.py rules` and put its output into the README"


@pytest.mark.parametrize("name", ["study", "test"])
def test_each_of_the_two_commands_builds_its_own_environment(name: str):
    assert command(name).startswith("python3 -m venv .venv && .venv/bin/pip install")


def test_the_commands_name_what_exists():
    assert (ROOT / re.findall(r"tuner study (\S+)", command("study"))[0]).is_file()
    assert (ROOT / "tests" / "check.py").is_file()


def test_every_link_and_picture_of_the_docs_exists():
    for page in (README, ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_benchmark_that_is_quoted_exists():
    names = set(re.findall(r"-m\s+(benchmarks[.\w]+)", TEXT))
    assert names
    assert [name for name in names if not (ROOT / f"{name.replace('.', '/')}.py").is_file()] == []


def test_every_study_begins_with_its_question():
    for study in sorted(Path(ROOT / "studies").glob("*.yaml")):
        first = study.read_text("utf-8").splitlines()[0]
        assert first.startswith("# "), study
        assert first.endswith("?"), study
