"""The page of ``tuner diagnose --html``: the file of the next run comes from the run's own config where it left one."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from diagnostics.errors import BadInput
from diagnostics.synthetic import make
from tests.tuner.inspector.serving import NEEDS_CHROMIUM, chromium
from tuner.commands import diagnose as command
from tuner.commands.diagnose import diagnose


def log(folder: Path, cause: str = "rate-too-low") -> None:
    run = make(cause, 0.9)
    loss = run.curves["train_loss"]
    rates = run.curves["learning_rate"].at(loss.steps).tolist()
    rows = zip(loss.steps.tolist(), loss.values.tolist(), rates, strict=True)
    entries = [{"step": step, "loss": value, "learning_rate": rate} for step, value, rate in rows]
    state = {"global_step": entries[-1]["step"], "log_history": entries}
    (folder / "trainer_state.json").write_text(json.dumps(state), "utf-8")


@pytest.mark.parametrize("owns_file", [True, False])
def test_the_page_offers_the_next_run(tmp_path: Path, owns_file: bool, capsys: pytest.CaptureFixture[str]):
    folder, page = tmp_path / "run", tmp_path / "page.html"
    folder.mkdir()
    log(folder)
    if owns_file:
        (folder / "config.yaml").write_text("method: sft\ndataset_name: mine.jsonl\nlearning_rate: 1.0e-6\n", "utf-8")
    assert diagnose([folder], html=page) == 0
    text = page.read_text("utf-8")
    assert text.count('class="copyable"') == 1
    assert ("dataset_name: mine.jsonl" in text, "dataset_name: FILL-IN" in text) == (owns_file, not owns_file)
    assert str(page) in capsys.readouterr().out


@pytest.fixture
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of four runs, two of one name, and one that cannot be read; so many are too many for one page here."""
    monkeypatch.setattr(command, "MAX_RUNS_IN_A_PAGE", 3)
    for folder, cause in {"a/one": "healthy-sft", "b/one": "rate-too-low", "c <b>": "loss-spikes", "d": ""}.items():
        (tmp_path / "runs" / folder).mkdir(parents=True)
        log(tmp_path / "runs" / folder, cause) if cause else None
    (tmp_path / "runs" / "d" / "trainer_state.json").write_text('{"log_history": [{"st')
    return tmp_path / "runs"


def test_very_many_runs_are_an_index_and_a_page_for_each(many: Path, tmp_path: Path) -> None:
    page = tmp_path / "all runs.html"
    assert diagnose([many], html=page, fail_on=()) == 2  # one run cannot be read
    text = page.read_text("utf-8")
    assert "<svg" not in text and "<b>" not in text.partition("<table")[2].partition("c &lt;")[0]
    links = text.split('href="')[1:]
    pages = [tmp_path / unquote(link.partition('"')[0]) for link in links]
    assert [path.parent.name for path in pages] == ["all runs_files"] * 3
    assert [path.exists() for path in pages] == [True] * 3
    assert [name for name in ("c &lt;b&gt;", "b/", "a/") if name in text.replace("<wbr/>", "")] == [
        "c &lt;b&gt;",
        "b/",
        "a/",
    ]
    assert 'href="../all%20runs.html"' in pages[0].read_text("utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all runs.html", "all runs_files", "runs"]


def test_the_pages_of_before_are_replaced_and_no_other_file_is(many: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    diagnose([many], html=page)
    old = tmp_path / "page_files" / "run-00099.html"
    old.write_text("of before")
    diagnose([many], html=page)
    assert not old.exists() and len(list(old.parent.iterdir())) == 3
    (old.parent / "mine.txt").write_text("x")
    with pytest.raises(BadInput, match=r"page_files: contains mine.txt"):
        diagnose([many], html=page)
    assert len(list(old.parent.iterdir())) == 4 and not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("mark", [pytest.param(None, marks=NEEDS_CHROMIUM)])
def test_the_index_is_searched_and_sorted_in_a_browser(many: Path, tmp_path: Path, mark: None) -> None:
    page = tmp_path / "page.html"
    diagnose([many], html=page)
    with chromium() as browser:
        shown = browser.new_page()
        shown.goto(page.as_uri())

        def names() -> list[str]:
            return [row.split("\t")[0].strip() for row in shown.locator(".overview tbody tr:visible").all_inner_texts()]

        worst_first = names()
        assert len(worst_first) == 4
        shown.fill("#find", "one underfit")
        assert names() == ["b/one"]
        shown.fill("#find", "")
        head = shown.locator(".overview th button").first
        head.click()
        assert names() == sorted(worst_first)
        head.click()
        assert names() == sorted(worst_first, reverse=True)
        head.click()
        assert names() == worst_first
        shown.set_viewport_size({"width": 420, "height": 800})
        shown.fill("#find", "nothing like this")
        assert names() == [] and shown.inner_text("#found")
        shown.fill("#find", "")
        shown.get_by_text("b/one").click()
        assert "page_files" in shown.url and shown.locator("svg:visible").count()
