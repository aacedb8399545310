"""The documentation: commands that parse and run, links that lead somewhere, a site that builds without a warning."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from diagnostics.rules import RULES
from tests.readme import output_of

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
PAGES = tuple(page for page in PAGES if not {"_build", "_generated"} & set(page.parts))
TRAINS = ("study", "train", "merge", "check", "export")
"""Commands that need a model: that they parse is tested here, that they work in the tests of each."""
STAYS = ("watch", "inspect")
"""Commands that run until somebody stops them: they have tests with a real process, and a browser."""


def shell_lines() -> Iterator[tuple[str, str]]:
    """Every line of a shell block of every page that calls ``tuner``, with the page's name."""
    for page in PAGES:
        for block in re.findall(r"```(?:bash|sh)\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            for line in block.splitlines():
                command = line.split("#")[0].strip()
                if command.startswith("tuner "):
                    yield page.name, command


LINES = sorted(set(shell_lines()))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the commands of the pages find what they name."""
    folder = tmp_path_factory.mktemp("docs")
    demo = [sys.executable, "-m", "tuner", "demo", "--no-browser", "--out", "runs"]
    subprocess.run(demo, cwd=folder, check=True, capture_output=True)
    shutil.copytree(folder / "runs" / "4-epochs", folder / "runs" / "a")
    shutil.copytree(folder / "runs" / "lr-3e-5", folder / "runs" / "b")
    return folder


@pytest.mark.parametrize(("page", "command"), LINES)
def test_every_command_of_the_pages_parses(page: str, command: str):
    from tuner.cli import main

    with pytest.raises(SystemExit) as ended:
        main([*shlex.split(command)[1:], "--help"])
    assert ended.value.code == 0, f"{page}: {command}"


@pytest.mark.parametrize(
    "command", sorted({command for _, command in LINES if command.split()[1] not in (*TRAINS, *STAYS)})
)
def test_every_command_that_needs_no_model_runs(command: str, runs: Path):
    arguments = shlex.split(command)[1:]
    if arguments[0] == "demo":
        arguments.append("--no-browser")
    done = subprocess.run([sys.executable, "-m", "tuner", *arguments], cwd=runs, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_output_in_the_readme_is_what_the_command_prints(tmp_path: Path):
    shown = re.search(r"<!-- output: diagnose -->\s*```text\n(.*?)```", PAGES[0].read_text("utf-8"), re.DOTALL)
    assert shown is not None
    assert shown[1] == output_of(tmp_path), "run `python -m tests.readme output` and put what it prints into the README"


def test_the_readme_is_short():
    assert len(PAGES[0].read_text("utf-8").split()) <= 1200


def test_every_link_and_picture_of_the_pages_exists():
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?://|#)([^)#\s]+)", page.read_text("utf-8")):
            found = page.parent / target
            assert found.exists() or found.with_suffix(".md").exists() or "_generated" in target, f"{page}: {target}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sphinx")
    out = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-d", str(out / "trees"), "docs", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.long
def test_the_site_has_a_page_and_a_picture_of_every_rule(site: Path):
    rules = site / "_generated" / "rules"
    assert [rule.name for rule in RULES if not (rules / f"{rule.name}.html").is_file()] == []
    drawn = [rule.name for rule in RULES if f"{rule.name}.svg" in (rules / f"{rule.name}.html").read_text("utf-8")]
    assert len(drawn) == len(RULES)


@pytest.mark.long
def test_every_link_within_the_site_leads_somewhere(site: Path):
    for page in site.rglob("*.html"):
        for target in re.findall(r'(?:href|src)="([^"#?]+)', page.read_text("utf-8")):
            if "//" in target or target.startswith(("data:", "mailto:")):
                continue
            assert (page.parent / target).exists(), f"{page.relative_to(site)}: {target}"
