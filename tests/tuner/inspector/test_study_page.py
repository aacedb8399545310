"""A study, as a person meets it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tuner.inspector.material import a_study, write_fine_run, write_overfit_run, write_study
from tests.tuner.inspector.pages import click, go_to, notices, run, table, text
from tuner.config.search_space import Range
from tuner.inspector.views.study_charts import MIN_TRIALS_FOR_MORE
from tuner.search.proposer import advice_of
from tuner.study.results import TrialResult, TrialState


def test_a_study_shows_its_trials_and_who_proposed_each(opened: Any, tmp_path: Path) -> None:
    write_study(tmp_path)
    page = go_to(opened(), "Study")
    assert table(page, "proposed by") == ["your file", "advice: slow", "advice: slow", "sampler: GP"]
    assert table(page, "helped") == [2]
    assert len(notices(page, "success")) == 1  # the gain
    assert len(page.get("vega_lite_chart")) == 2  # progress, and what each move gained
    assert len(page.get("image")) == 2  # the path, wide and narrow
    page.session_state["trials"] = {"selection": {"rows": [2], "columns": [], "cells": []}}
    run(page)
    assert [button.label for button in page.get("download_button")].count("HTML report") == 1
    assert "healthy" in text(click(page, "open-trial")) or page.selectbox[0].value == "trial-002"


def test_a_folder_without_a_study_says_how_to_get_one(opened: Any, tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    (info,) = notices(go_to(opened(), "Study"), "info")
    assert "`tuner study FILE`" in info


def test_a_broken_study_is_reported_in_a_line(opened: Any, tmp_path: Path) -> None:
    write_study(tmp_path).write_text("{")
    (error,) = notices(go_to(opened(), "Study"), "error")
    assert error.startswith("study.json:")


def test_the_best_so_far_goes_over_trials_or_training_steps(opened: Any, tmp_path: Path) -> None:
    write_study(tmp_path)
    page = go_to(opened(**{"study-over": "training steps"}), "Study")
    assert page.button_group(key="study-over").value == "training steps"


def test_the_review_becomes_the_file_of_the_next_study(opened: Any, tmp_path: Path) -> None:
    study = a_study()
    first = replace(study.trials[0], folder="trial-000")
    path = write_study(tmp_path / "demo", a_study(trials=(first, *study.trials[1:])))
    (path.parent / "trial-000").mkdir()
    (path.parent / "trial-000" / "config.yaml").write_text(
        "method: sft\nmodel_name_or_path: tuner/tiny\ndataset_name: d.jsonl\nlearning_rate: 1.0e-5\n"
    )
    page = go_to(opened(), "Study")
    loaded = yaml.safe_load(page.code[-1].value)
    assert loaded["dataset_name"] == "d.jsonl"
    assert loaded["study"]["space"]["learning_rate"] == {"low": 1e-6, "high": 0.01, "log": True}
    page.toggle(key="next-study-edit").set_value(True)
    run(page)
    assert page.text_area[0].value == page.text_area[0].value.strip() + "\n"


def test_a_study_whose_first_trial_runs_shows_its_curve(opened: Any, tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "study.db").write_bytes(b"")
    page = go_to(opened(), "Study")
    assert len(notices(page, "info")) == 2  # the study has begun, and there is no log yet
    assert not page.get("vega_lite_chart")
    write_fine_run(tmp_path / "new" / "trial-000")
    run(page)
    assert page.get("vega_lite_chart")
    assert "trial-000, step 120" in text(page)


def test_the_trial_that_is_trained_now_is_shown(opened: Any, tmp_path: Path) -> None:
    write_study(tmp_path)
    page = go_to(opened(), "Study")
    charts = len(page.get("vega_lite_chart"))
    write_fine_run(tmp_path / "trial-004")
    assert len(run(page).get("vega_lite_chart")) == charts + 1
    assert "trial-004, step 120" in text(page)


def test_a_study_follows_its_file(opened: Any, tmp_path: Path) -> None:
    path = write_study(tmp_path)
    page = go_to(opened(), "Study")
    raw = json.loads(path.read_text())
    raw["trials"] = raw["trials"][:2]
    raw["best"] = 1
    path.write_text(json.dumps(raw))
    assert len(table(run(page), "proposed by")) == 2


@pytest.mark.parametrize("folder", ["../outside", "/etc", "trial-000/../../outside", "x\0y"])
def test_no_trial_s_folder_leads_out_of_the_study(opened: Any, tmp_path: Path, folder: str) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "config.yaml").write_text("method: sft\ndataset_name: secret.jsonl\n")
    study = a_study()
    first = replace(study.trials[0], folder=folder)
    write_study(tmp_path / "open", a_study(trials=(first, *study.trials[1:])))
    page = go_to(opened(tmp_path / "open"), "Study")
    assert "secret" not in page.code[-1].value
    assert "FILL-IN" in page.code[-1].value


@pytest.mark.parametrize("trials", [0, 1, 2])
def test_a_study_with_hardly_a_trial_is_shown(opened: Any, tmp_path: Path, trials: int) -> None:
    study = a_study()
    write_study(tmp_path, a_study(trials=study.trials[:trials], best=None, gain=None))
    page = go_to(opened(), "Study")
    assert len(page.dataframe[0].value) == trials
    assert not page.get("expander") or all(one.label != "More charts" for one in page.expander)


def test_hostile_names_in_a_study_are_letters(opened: Any, tmp_path: Path) -> None:
    evil = "<img src=x onerror=alert(1)>"
    trials = tuple(
        TrialResult(
            n, {evil: float(n), "b": n}, 1.0 + n, TrialState.COMPLETE, evil, evil, None, advice_of(evil), because=evil
        )
        for n in range(6)
    )
    write_study(tmp_path, a_study(trials=trials, metric=evil, name=evil, notes=(evil,), space={evil: Range(0.0, 5.0)}))
    page = go_to(opened(), "Study")
    assert not any(getattr(element.proto, "allow_html", False) for element in page.markdown)
    assert "<img" not in "".join(
        e.value.replace("\\<", "") for e in (*page.markdown, *page.caption) if "`" not in e.value
    )


def test_a_study_of_many_trials_offers_more_charts(opened: Any, tmp_path: Path) -> None:
    trials = tuple(
        TrialResult(
            n,
            {"learning_rate": 1e-5 * (n + 1), "batch_size": 4 + n % 3},
            2 - n / 20,
            TrialState.COMPLETE,
            proposer=advice_of("slow"),
        )
        for n in range(MIN_TRIALS_FOR_MORE)
    )
    write_study(tmp_path, a_study(trials=trials, best=len(trials) - 1))
    page = go_to(opened(), "Study")
    assert next(one.label for one in page.expander) == "More charts"
    assert len(page.get("vega_lite_chart")) == 6  # progress, gain, two settings, landscape, parallel coordinates


def test_answers_stand_before_and_after_where_the_trials_left_them(opened: Any, tmp_path: Path) -> None:
    study = a_study()
    path = write_study(tmp_path, a_study(trials=(replace(study.trials[0], folder="trial-000"), *study.trials[1:])))
    assert not go_to(opened(), "Study").table
    for number, answers in ((0, ["no", "no"]), (2, ["yes", "no"])):
        lines = [
            json.dumps({"prompt": f"q{n}", "reference": "yes", "answer": answer}) for n, answer in enumerate(answers)
        ]
        (path.parent / f"trial-{number:03}").mkdir(exist_ok=True)
        (path.parent / f"trial-{number:03}" / "samples.jsonl").write_text("\n".join(lines))
    (shown,) = go_to(opened(), "Study").table
    assert list(shown.value["question"]) == ["q0", "q1"]  # the answer that became right comes first


def test_a_study_that_watches_forgetting_shows_its_price(opened: Any, tmp_path: Path) -> None:
    rises = (0.0, 0.02, 0.3)
    study = a_study(before={"eval_general_loss": 2.4, "eval_loss": 4.0}, forgetting_limit=0.1)
    metrics = ({"eval_general_loss": 2.4 + rise} for rise in rises)
    trials = [replace(one, metrics=more) for one, more in zip(study.trials, metrics, strict=False)]
    write_study(tmp_path, replace(study, trials=(*trials, *study.trials[3:])))
    page = go_to(opened(), "Study")
    assert len(page.get("vega_lite_chart")) == 3
    assert "forgotten" in text(page)
    drawn = json.loads(page.get("vega_lite_chart")[2].proto.spec)
    assert drawn["layer"][0]["encoding"]["y"]["scale"]["reverse"] is True  # a lower loss is better, so it is higher
