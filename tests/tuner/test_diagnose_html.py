"""The page of ``tuner diagnose --html``: the file of the next run comes from the run's own config where it left one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from diagnostics.synthetic import make
from tuner.commands.diagnose import diagnose


def log(folder: Path) -> None:
    run = make("rate-too-low", 0.9)
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
