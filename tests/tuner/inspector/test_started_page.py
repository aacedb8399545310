"""From an advice to a file, and from the file to a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tuner.inspector.material import write_csv, write_fine_run, write_slow_run
from tests.tuner.inspector.pages import click, go_to, notices, run, text, tick
from tests.tuner.inspector.serving import KEY
from tests.waiting import until
from tuner.inspector.jobs.record import Job, State, job


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


def test_the_reader_types_the_value_that_the_log_does_not_hold(opened: Any, tmp_path: Path) -> None:
    write_csv(tmp_path / "slow.csv", {"train_loss": [(k, 3 - k / 400) for k in range(1, 400)]})
    page = click(tick(opened(), "slow.csv"), "open")
    asked = page.number_input(key="old-learning_rate-slow.csv")
    assert "learning_rate:" not in page.code[0].value
    asked.set_value(1e-5)
    assert "learning_rate: 0.0001" in run(page).code[0].value


def test_without_the_flag_nothing_can_be_started(opened: Any, tmp_path: Path) -> None:
    write_slow_run(tmp_path / "slow")
    page = go_to(opened(run="slow"), "Run")
    assert not [button for button in page.button if button.label == "Run it"]
    assert "`tuner inspect PATH --allow-run`" in text(page)
    page = go_to(page, "Started")
    assert len(notices(page, "info")) == 1


def test_without_the_token_nothing_can_be_started_and_the_page_says_how(opened: Any, tmp_path: Path) -> None:
    write_slow_run(tmp_path / "slow")
    for given in ("", "wrong", KEY.upper()):
        page = go_to(opened(allow_run=True, run="slow", token=given), "Run")
        assert not [button for button in page.button if button.label == "Run it"]
        assert "`?token=`" in text(page)
        assert "`?token=`" in notices(go_to(page, "Started"), "info")[0]


def test_the_token_is_kept_for_the_session_and_no_training_gets_it(opened: Any, tmp_path: Path) -> None:
    write_slow_run(tmp_path / "slow")
    page = go_to(opened(allow_run=True, run="slow"), "Run")
    page.query_params.pop("token")
    page = run(page)
    assert [button for button in page.button if button.label == "Run it"]
    assert page.query_params["token"] in (KEY, [KEY])


@pytest.mark.parametrize("way", [{"model_init_kwargs": {"trust_remote_code": True}}, {"trust_remote_code": True}])
def test_a_hostile_run_s_next_run_starts_none_of_its_code(opened: Any, tmp_path: Path, way: dict[str, Any]) -> None:
    write_slow_run(tmp_path / "slow")
    path = tmp_path / "slow" / "config.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | way))
    page = go_to(opened(allow_run=True, run="slow"), "Run")
    assert "trust_remote_code" not in page.code[0].value
    page.toggle(key="next-edit").set_value(True)
    run(page)
    page.text_area[0].input(page.text_area[0].value + yaml.safe_dump(way))
    (error,) = notices(click(page, "next-run"), "error")
    assert next(iter(way)) in error.replace("\\", "")
    assert not (tmp_path / "slow-next").exists() and not (tmp_path / "slow-next.yaml").exists()


def test_a_name_or_a_file_that_leads_out_is_refused_in_a_line(opened: Any, tmp_path: Path) -> None:
    write_slow_run(tmp_path / "open" / "slow")
    page = go_to(opened(tmp_path / "open", allow_run=True, run="slow"), "Run")
    page.text_input(key="next-name-slow-next").input("../outside")
    (error,) = notices(click(page, "next-run"), "error")
    assert "../outside" in error
    page.text_input(key="next-name-slow-next").input("fine")
    page.toggle(key="next-edit").set_value(True)
    run(page)
    page.text_area[0].input(page.text_area[0].value + "output_dir: /elsewhere\n")
    (error,) = notices(click(page, "next-run"), "error")
    assert "output_dir" in error
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["config.yaml", "open", "slow", "trainer_state.json"]


def standing(root: Path) -> Job:
    known = job(root, root / "slow-next")
    assert known is not None
    return known


@pytest.mark.long
def test_a_short_run_is_trained_to_its_end_and_can_be_opened(opened: Any, tmp_path: Path) -> None:
    write_slow_run(tmp_path / "slow")
    page = go_to(opened(allow_run=True, run="slow"), "Run")
    page.toggle(key="next-edit").set_value(True)
    run(page)
    text_area = page.text_area[0]
    text_area.input(text_area.value.replace("max_steps: 80", "max_steps: 3"))
    click(page, "next-run")
    begun = job(tmp_path, tmp_path / "slow-next")
    assert begun is not None
    assert yaml.safe_load(begun.file.read_text())["max_steps"] == 3
    until(lambda: not standing(tmp_path).is_on, "the end of the run", seconds=240)
    assert standing(tmp_path).state is State.FINISHED
    shown = text(go_to(page, "Started"))
    assert "✓ finished" in shown
    assert page.get("vega_lite_chart")
    assert "report:" in page.code[0].value
    assert (tmp_path / "slow-next" / "diagnosis.json").exists()
    click(page, "open-started")
    assert page.selectbox[0].value == "slow-next"
