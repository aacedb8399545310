"""The README says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.readme import README, command

ROOT = README.parent
NUMBERS = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")


@pytest.mark.parametrize("name", ["study", "test"])
def test_each_of_the_two_commands_builds_its_own_environment(name: str):
    assert command(name).startswith("python3 -m venv .venv && .venv/bin/pip install")


def test_the_commands_name_what_exists():
    assert (ROOT / re.findall(r"tuner study (\S+)", command("study"))[0]).is_file()
    assert (ROOT / "tests" / "check.py").is_file()


def test_every_benchmark_that_is_quoted_exists():
    names = set(re.findall(r"-m\s+(benchmarks[.\w]+)", NUMBERS))
    assert names
    places = [ROOT / name.replace(".", "/") for name in names]
    assert [at for at in places if not (at.with_suffix(".py").is_file() or (at / "__main__.py").is_file())] == []


def test_every_study_begins_with_its_question():
    for study in sorted(Path(ROOT / "studies").glob("*.yaml")):
        first = study.read_text("utf-8").splitlines()[0]
        assert first.startswith("# "), study
        assert first.endswith("?"), study
