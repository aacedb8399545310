"""The pages themselves, run by Streamlit's own test harness on real folders."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from diagnostics.formatting import plain_name
from diagnostics.model.records import Label
from diagnostics.rules import RULES
from tests.tuner.inspector.material import (
    HOSTILE,
    write_csv,
    write_fine_run,
    write_overfit_run,
)
from tests.tuner.inspector.pages import (
    click,
    go_to,
    notices,
    run,
    table,
    text,
    tick,
    verdict,
    verdict_pills,
)
from tuner.inspector.views.controls import BAD_PART


def test_the_table_shows_every_run_with_its_verdict(opened: Any, tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    write_fine_run(tmp_path / "b")
    page = opened()
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
    assert len(run(page).warning) == 1
    page.text_input(key="filter").input("")
    verdict_pills(page).set_value(["unknown"])
    assert table(run(page), "run") == ["empty.csv"]
    assert "unknown" in page.query_params["verdicts"]
    page.text_input(key="filter").input("nothing fits")
    assert not run(page).dataframe
    assert len(page.info) == 1


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
    assert verdict(page) is Label.OVERFIT
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
    page.number_input(key="from-a-step").set_value(20.0)
    page.number_input(key="to-a-step").set_value(60.0)
    assert re.search(r"\d of \d+ points", text(run(page)))
    assert BAD_PART not in text(page)
    page.number_input(key="to-a-step").set_value(10.0)
    assert BAD_PART in text(run(page))


@pytest.mark.parametrize("title", ["Runs", "Run", "Compare", "Study", "Started"])
def test_an_empty_folder_has_a_helpful_page(opened: Any, title: str) -> None:
    page = go_to(opened(), title)
    assert "`tuner study" in text(page) or any("tuner " in block.value for block in page.code)


def test_a_folder_that_is_gone_has_a_helpful_page(opened: Any, tmp_path: Path) -> None:
    (warning,) = notices(opened(tmp_path / "gone"), "warning")
    assert "gone" in warning


def test_a_broken_run_stands_in_the_table_and_says_why_on_its_page(opened: Any, tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "trainer_state.json").write_text('{"log_history": [{"st')
    page = tick(opened(), "cut")
    assert "∅ unreadable" in table(page, "verdict")
    (error,) = notices(click(page, "open"), "error")
    assert "`cut`" in error
    assert "trainer_state.json" in text(page)


def test_a_run_with_nan_is_shown(opened: Any, tmp_path: Path) -> None:
    losses = [(k, 3.0 - k / 50) for k in range(1, 40)] + [(k, float("nan")) for k in range(40, 60)]
    write_csv(tmp_path / "a.csv", {"train_loss": losses})
    write_csv(tmp_path / "b.csv", {"train_loss": [(k, float("nan")) for k in range(1, 30)]})
    page = click(tick(opened(), "a.csv"), "open")
    assert page.get("vega_lite_chart")
    page.selectbox[0].select("b.csv")
    assert not run(page).get("vega_lite_chart")
    assert len(page.info) == 1


def test_a_run_that_is_deleted_while_it_is_open_says_so(opened: Any, tmp_path: Path) -> None:
    path = write_overfit_run(tmp_path / "a.csv")
    write_overfit_run(tmp_path / "b.csv")
    page = click(tick(opened(), "a.csv"), "open")
    path.unlink()
    (warning,) = notices(run(page), "warning")
    assert "`a.csv`" in warning


@pytest.mark.parametrize("asked", ["../secret.csv", "/etc/passwd", "..%2Fsecret.csv", "a\0b", "x" * 5000])
def test_no_address_leads_out_of_the_folder(opened: Any, tmp_path: Path, asked: str) -> None:
    write_csv(tmp_path / "secret.csv", {"train_loss": [(1, 41.75), (2, 41.5)]})
    write_overfit_run(tmp_path / "open" / "a.csv")
    page = opened(tmp_path / "open")
    page.query_params["run"] = asked
    for title in ("Run", "Compare"):
        shown = text(go_to(page, title))
        (warning,) = notices(page, "warning")
        assert "41.75" not in shown
        assert "secret" not in shown.replace(warning, "")  # which quotes the address
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


def test_the_table_is_filtered_by_settings_and_studies(opened: Any, tmp_path: Path) -> None:
    write_fine_run(tmp_path / "slow", rate=1e-5)
    write_fine_run(tmp_path / "demo" / "trial-002")
    (tmp_path / "demo" / "study.json").write_text("{}")
    page = opened()
    page.text_input(key="settings").input("lr>1e-4")
    assert table(run(page), "run") == ["demo/trial-002"]
    page.text_input(key="settings").input("learning_rat>1")
    (warning,) = notices(run(page), "warning")
    assert "learning_rate?" in warning
    page.text_input(key="settings").input("")
    page.multiselect(key="studies").select("demo")
    assert table(run(page), "run") == ["demo/trial-002"]


def test_a_moved_limit_changes_the_verdict_says_so_and_stands_in_the_address(opened: Any, tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    page = go_to(opened(run="a.csv"), "Run")
    rise = next(slider for slider in page.slider if slider.label.startswith("rise"))
    measured = re.search(r"this run: \*\*([\d.]+)", rise.label)
    assert measured and 0 < float(measured[1]) < rise.max
    assert "The rise as a share of the minimum" in text(page)
    rise.set_value(rise.max)
    assert "rise 0.02 → " in text(run(page))
    assert verdict(page) is not Label.OVERFIT
    limit = page.query_params["limit"]
    assert verdict(go_to(opened(run="a.csv", limit=limit), "Run")) is not Label.OVERFIT
    click(page, "reset-limits")
    assert "reset-limits" not in [button.key for button in page.button]
    assert verdict(page) is Label.OVERFIT
    assert "limit" not in page.query_params


def test_the_table_keeps_its_filter_and_order_while_a_run_is_open(opened: Any, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_overfit_run(tmp_path / f"{name}-1.csv")
    write_overfit_run(tmp_path / "other.csv")
    page = opened()
    page.text_input(key="filter").input("-1")
    page.selectbox(key="order").select("name")
    verdict_pills(page).set_value(["overfit"])
    run(page)
    page = click(tick(page, "b-1.csv"), "open")
    assert "filter" not in page.query_params
    page = go_to(page, "Runs")
    assert table(page, "run") == ["a-1.csv", "b-1.csv", "c-1.csv"]
    assert (page.text_input(key="filter").value, page.selectbox(key="order").value) == ("-1", "name")
    assert verdict_pills(page).value == ["overfit"]


def test_the_run_page_steps_through_the_runs_as_the_table_shows_them(opened: Any, tmp_path: Path) -> None:
    write_fine_run(tmp_path / "a")
    write_overfit_run(tmp_path / "b.csv")
    write_overfit_run(tmp_path / "c.csv")
    page = opened()
    assert table(page, "run") == ["b.csv", "c.csv", "a"]  # the worst first
    page = click(tick(page, "b.csv"), "open")
    assert page.button(key="previous").disabled
    page = click(click(page, "next"), "next")
    assert page.selectbox[0].value == "a"
    assert page.button(key="next").disabled
    assert click(page, "previous").selectbox[0].value == "c.csv"


def test_every_advice_is_one_entry_and_the_first_stands_above_the_chart(opened: Any, tmp_path: Path) -> None:
    write_overfit_run(tmp_path / "a.csv")
    page = go_to(opened(run="a.csv"), "Run")
    entries = re.findall(r"^(?:##### )?(\d+)\. (.+)$", text(page), re.MULTILINE)
    assert [int(place) for place, _ in entries] == list(range(1, len(entries) + 1))
    assert f"**Do first:** {entries[0][1]}" in text(page)
    assert not any("–" in words for _, words in entries)  # nothing stands for a number that there is not


@pytest.mark.parametrize("name", [rule.name for rule in RULES if rule.limits][::9])
def test_a_rule_has_a_page_with_its_limits(opened: Any, tmp_path: Path, name: str) -> None:
    rule = next(rule for rule in RULES if rule.name == name)
    page = go_to(opened(rule=name), "Rule")
    assert list(page.table[0].value["limit"]) == [plain_name(limit) for limit in rule.limits]
    assert page.selectbox[0].value.name == name


def test_a_rule_that_there_is_not_is_named(opened: Any) -> None:
    (warning,) = notices(go_to(opened(rule="<b>no</b>"), "Rule"), "warning")
    assert "`<b>no</b>`" in warning


def test_a_run_with_a_link_that_leads_out_says_so_and_is_not_read(opened: Any, tmp_path: Path) -> None:
    secret = write_fine_run(tmp_path / "secret", rate=0.04175) / "trainer_state.json"
    (tmp_path / "open" / "a").mkdir(parents=True)
    (tmp_path / "open" / "a" / "trainer_state.json").symlink_to(secret)
    page = opened(tmp_path / "open")
    assert "∅ unreadable" in table(page, "verdict")
    assert "a/trainer_state.json" in table(page, "cause")[0]
    (error,) = notices(click(tick(page, "a"), "open"), "error")
    assert "`a`" in error
    assert "0.04175" not in text(page)
