"""The pages themselves, run by Streamlit's own test harness on real folders."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from tests.tuner.inspector.material import (
    HOSTILE,
    write_csv,
    write_fine_run,
    write_overfit_run,
    write_study,
)
from tuner.inspector import server

ENTRY = Path(server.__file__).with_name("entry.py")
APP = Path(__file__).parents[3] / "app.py"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The inspector opened on a folder: ``opened(folder)``, by default the test's own."""

    def start(folder: Path = tmp_path, script: Path = ENTRY, **query: str) -> AppTest:
        monkeypatch.setenv(server.FOLDER, str(folder))
        page = AppTest.from_file(script, default_timeout=60)
        for key, value in query.items():
            page.query_params[key] = value
        return run(page)

    return start


def run(page: AppTest) -> AppTest:
    page.run()
    assert not page.exception, [error.value for error in page.exception]
    return page


def tick(page: AppTest, *names: str) -> AppTest:
    """Tick the runs of those names in the table."""
    table = page.dataframe[0]
    places = [list(table.value["run"]).index(name) for name in names]
    page.session_state[table.key] = {"selection": {"rows": places, "columns": [], "cells": []}}
    return run(page)


def click(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return run(page)


def text(page: AppTest) -> str:
    """All Markdown and captions of the page, without the escapes."""
    parts = [e.value for e in (*page.markdown, *page.caption, *page.info, *page.warning, *page.error, *page.success)]
    return re.sub(r"\\(.)", r"\1", "\n".join(parts))


def table(page: AppTest, column: str) -> Any:
    return next(list(frame.value[column]) for frame in page.dataframe if column in frame.value)


@pytest.mark.parametrize("script", [ENTRY, APP])
def test_the_table_shows_every_run_with_its_verdict(opened: Any, tmp_path: Path, script: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    write_fine_run(tmp_path / "b")
    page = opened(script=script)
    verdicts = dict(zip(table(page, "run"), table(page, "verdict"), strict=True))
    assert verdicts["a.csv"] == "↗ overfit"
    assert set(verdicts) == {"a.csv", "b"}
    assert "2 of 2 runs" in text(page)


def test_the_table_is_filtered_by_words_a_pattern_and_a_verdict(opened: Any, tmp_path: Path) -> None:
    for name in ("sft-1", "sft-22", "dpo-1"):
        write_overfit_run(tmp_path / f"{name}.csv")
    write_csv(tmp_path / "empty.csv", {"train_loss": [(1, 1.0)]})
    page = opened()
    page.text_input(key="filter").input("sft")
    assert sorted(table(run(page), "run")) == ["sft-1.csv", "sft-22.csv"]
    page.text_input(key="filter").input(r"-\d\.")
    page.toggle(key="regex").set_value(True)
    assert sorted(table(run(page), "run")) == ["dpo-1.csv", "sft-1.csv"]
    page.text_input(key="filter").input("(")
    assert "no regular expression" in text(run(page))
    page.text_input(key="filter").input("")
    page.multiselect(key="verdicts").select("unknown")
    assert table(run(page), "run") == ["empty.csv"]
    page.text_input(key="filter").input("nothing fits")
    assert "No run fits this filter" in text(run(page))


def test_ticks_follow_their_runs_when_the_order_changes(opened: Any, tmp_path: Path) -> None:
    for name in "abc":
        write_overfit_run(tmp_path / f"{name}.csv")
    page = tick(opened(), "b.csv")
    page.selectbox(key="order").select("name")
    run(page)
    assert page.session_state["chosen_runs"] == ["b.csv"]
    assert "b.csv" in text(page)


def test_a_ticked_run_opens_with_its_diagnosis(opened: Any, tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    page = click(tick(opened(), "a.csv"), "open")
    assert page.selectbox[0].value == "a.csv"
    assert page.query_params["run"] == "a.csv"
    assert "The model overfits" in text(page)
    assert page.get("vega_lite_chart")
    assert {button.label for button in page.get("download_button")} >= {"CSV", "HTML report"}


def test_the_view_of_a_run_can_be_changed(opened: Any, tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a")
    page = click(tick(opened(), "a"), "open")
    for axis in ("epoch", "num_tokens", "step"):
        page.button_group(key="run-x").set_value(axis)
        run(page)
    page.toggle(key="run-log-x").set_value(True)
    page.toggle(key="run-log-y").set_value(True)
    page.slider(key="run-smoothing").set_value(0.5)
    page.multiselect(key="curves-a").select("learning_rate")
    run(page)
    page.slider(key="part-a-step").set_value((20.0, 60.0))
    assert "points in view" in text(run(page))


def test_the_next_run_is_a_file_that_can_be_saved(opened: Any, tmp_path: Path) -> None:
    folder = write_fine_run(tmp_path / "a")
    (folder / "config.yaml").write_text(
        "method: sft\nlearning_rate: 2.0e-4\nnum_train_epochs: 9\ndataset_name: d.jsonl\n"
    )
    state = json.loads((folder / "trainer_state.json").read_text())
    for log in state["log_history"]:
        if "eval_loss" in log:
            log["eval_loss"] = 1.5 + 0.006 * abs(log["step"] - 30)
    (folder / "trainer_state.json").write_text(json.dumps(state))
    page = click(tick(opened(), "a"), "open")
    (code,) = page.code
    assert code.value.startswith("# the next run after a\n")
    assert "dataset_name: d.jsonl" in code.value
    page.toggle(key="as-study").set_value(True)
    assert "study:" in run(page).code[0].value


def test_the_reader_is_asked_for_the_value_that_the_log_does_not_tell(opened: Any, tmp_path: Path) -> None:
    write_csv(tmp_path / "slow.csv", {"train_loss": [(k, 3 - k / 400) for k in range(1, 400)]})
    page = click(tick(opened(), "slow.csv"), "open")
    asked = page.number_input(key="old-learning_rate-slow.csv")
    assert "learning_rate:" not in page.code[0].value
    asked.set_value(1e-5)
    assert "learning_rate: 3.0e-05" in run(page).code[0].value


def test_several_runs_are_laid_over_each_other(opened: Any, tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a", rate=1e-4)
    write_fine_run(tmp_path / "b", rate=3e-4)
    write_csv(tmp_path / "bad.csv", {"train_loss": []})
    page = click(tick(opened(), "a", "b"), "compare")
    assert sorted(page.multiselect[0].value) == ["a", "b"]
    assert page.get("vega_lite_chart")
    assert "learning_rate" in table(page, "setting")
    page.multiselect[0].set_value(["a"])
    assert "Choose two runs or more" in text(run(page))


def test_no_more_than_twenty_runs_are_compared(opened: Any, tmp_path: Path) -> None:
    for k in range(21):
        write_csv(tmp_path / f"{k:02}.csv", {"train_loss": [(1, 1.0), (2, 0.9)]})
    page = opened()
    tick(page, *table(page, "run"))
    assert page.button(key="compare").disabled
    assert "Up to 20 runs" in text(page)


def go_to(page: AppTest, title: str) -> AppTest:
    """Follow the navigation to a page, as a click on its name does."""
    page._page_hash = next(key for key, info in page._registered_pages.items() if info["page_name"] == title)
    return run(page)


def test_a_study_shows_its_trials_and_who_proposed_each(opened: Any, tmp_path: Path) -> None:
    write_study(tmp_path)
    page = go_to(opened(), "Study")
    assert table(page, "proposed by") == ["your file", "advice: slow", "advice: slow", "sampler: GP"]
    assert table(page, "helped") == [2]
    shown = text(page)
    assert "better by 0.5 in 2 of 2 seeds" in shown
    assert "The best rate is inside its range" in shown
    assert len(page.get("vega_lite_chart")) == 2
    page.session_state["trials"] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    run(page)
    assert "report.html" in "".join(button.label for button in page.get("download_button")).replace("\\", "")
    assert "healthy" in text(click(page, "open-trial")) or page.selectbox[0].value == "trial-002"


def test_a_folder_without_a_study_says_how_to_get_one(opened: Any, tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    assert "No study in this folder" in text(go_to(opened(), "Study"))


def test_a_broken_study_is_told_in_a_line(opened: Any, tmp_path: Path) -> None:
    write_study(tmp_path).write_text("{")
    assert "no JSON" in text(go_to(opened(), "Study"))


@pytest.mark.parametrize("title", ["Runs", "Run", "Compare", "Study"])
def test_an_empty_folder_has_a_helpful_page(opened: Any, title: str) -> None:
    shown = text(go_to(opened(), title))
    assert "No training log at or below this folder yet" in shown or "No study in this folder" in shown


def test_a_folder_that_is_gone_has_a_helpful_page(opened: Any, tmp_path: Path) -> None:
    assert "does not exist any more" in text(opened(tmp_path / "gone"))


def test_a_broken_run_stands_in_the_table_and_says_why_on_its_page(opened: Any, tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "trainer_state.json").write_text('{"log_history": [{"st')
    page = tick(opened(), "cut")
    assert "∅ unreadable" in table(page, "verdict")
    shown = text(click(page, "open"))
    assert "could not be read" in shown
    assert "trainer_state.json" in shown


def test_a_run_with_nan_is_shown(opened: Any, tmp_path: Path) -> None:
    losses = [(k, 3.0 - k / 50) for k in range(1, 40)] + [(k, float("nan")) for k in range(40, 60)]
    write_csv(tmp_path / "a.csv", {"train_loss": losses})
    write_csv(tmp_path / "b.csv", {"train_loss": [(k, float("nan")) for k in range(1, 30)]})
    page = click(tick(opened(), "a.csv"), "open")
    assert page.get("vega_lite_chart")
    page.selectbox[0].select("b.csv")
    assert "no curve with a finite value" in text(run(page))


def test_a_run_that_is_deleted_while_it_is_open_says_so(opened: Any, tmp_path: Path) -> None:
    path = write_overfit_run(tmp_path / "a.csv")
    write_overfit_run(tmp_path / "b.csv")
    page = click(tick(opened(), "a.csv"), "open")
    path.unlink()
    shown = text(run(page))
    assert "There is no run called `a.csv` in this folder" in shown


@pytest.mark.parametrize("asked", ["../secret.csv", "/etc/passwd", "..%2Fsecret.csv", "a\0b", "x" * 5000])
def test_no_address_leads_out_of_the_folder(opened: Any, tmp_path: Path, asked: str) -> None:
    write_csv(tmp_path / "secret.csv", {"train_loss": [(1, 41.75), (2, 41.5)]})
    write_overfit_run(tmp_path / "open" / "a.csv")
    page = opened(tmp_path / "open")
    page.query_params["run"] = asked
    for title in ("Run", "Compare"):
        shown = text(go_to(page, title))
        assert "41.75" not in shown
        assert "secret" not in shown or "no run called" in shown or "Not in this folder" in shown
        assert not page.get("vega_lite_chart")


def test_hostile_names_are_shown_as_the_letters_they_are(opened: Any, tmp_path: Path) -> None:
    for k, name in enumerate(HOSTILE):
        write_fine_run(tmp_path / name.replace("/", "_"), seed=k)
    write_csv(
        tmp_path / "tags.csv",
        {"train_loss": [(k, 3 - k / 40) for k in range(1, 60)]} | {"<b>x</b>": [(1, 1)], ":red[y]": [(1, 1)]},
    )
    page = opened()
    names = table(page, "run")
    assert "<img src=x onerror=alert(1)>" in names
    for name in names:
        shown = click(tick(page, name), "open")
        assert not any(getattr(element.proto, "allow_html", False) for element in shown.markdown)
        unsafe = [e.value for e in (*shown.markdown, *shown.caption) if "<img" in re.sub(r"`[^`]*`", "", e.value)]
        assert not unsafe
        page = go_to(shown, "Runs")


def test_the_page_follows_a_log_that_grows(opened: Any, tmp_path: Path) -> None:
    path = write_overfit_run(tmp_path / "a.csv")
    page = opened()
    assert table(page, "steps") == [120]
    with path.open("a") as file:
        file.write("121,1.0,\n")
    assert table(run(page), "steps") == [121]
