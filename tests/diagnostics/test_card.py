from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diagnostics.formatting import SIGNS
from diagnostics.model.records import Diagnosis, Label
from diagnostics.report import png, write
from diagnostics.report.badge import as_badge
from diagnostics.report.card import as_card
from diagnostics.report.card_frame import INSTALL, wrapped
from diagnostics.report.png import as_png
from diagnostics.report.sections import sections
from diagnostics.report.write import CARD_PNG, CARD_SVG, picture, write_card
from tests.diagnostics.diagnosed_runs import HOSTILE, healthy, overfitted
from tests.diagnostics.test_chart import HARD, SVG


def words_of(drawing: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(drawing).iter(f"{SVG}text")]


def test_a_card_holds_the_name_the_verdict_a_sentence_and_how_to_install():
    run, diagnosis = overfitted()
    words, shown = words_of(as_card(run, diagnosis)), sections(run, diagnosis)
    assert {shown.name, f"{SIGNS[Label.OVERFIT]} {shown.headline}", INSTALL} <= set(words)
    assert shown.summary in " ".join(words)
    assert "from step 400" in words


def test_a_card_needs_no_style_of_a_page_and_no_reference():
    text = as_card(*overfitted())
    root = ET.fromstring(text)
    assert (root.get("width"), root.get("height")) == ("1200", "630")
    assert not any(part in text for part in ("var(", "url(", "<style", "class=", "href"))


def test_a_healthy_run_and_a_fault_of_the_whole_run_have_no_onset():
    run, diagnosis = overfitted()
    whole = replace(diagnosis, findings=(replace(diagnosis.findings[0], first_step=0.0),))
    for found in (healthy(run), whole):
        assert not [words for words in words_of(as_card(run, found)) if words.startswith("from step")]


def test_steps_that_a_finding_counted_are_ticks_in_place_of_a_shade():
    run, diagnosis = overfitted()
    counted = replace(diagnosis, findings=(replace(diagnosis.findings[0], steps=(500.0, 700.0, 900.0)),))
    assert as_card(run, counted).count("v14") == 3
    assert "from step 400" not in words_of(as_card(run, counted))


@pytest.mark.parametrize("case", HARD)
def test_every_log_has_a_card(case):
    paths = [str(path.get("d")) for path in ET.fromstring(as_card(*HARD[case])).iter(f"{SVG}path")]
    assert not [path for path in paths if "nan" in path or "inf" in path]


def test_a_hostile_name_stays_text_in_card_and_badge():
    run, diagnosis = overfitted(HOSTILE)
    text = as_card(run, diagnosis) + as_badge(diagnosis)
    assert "<script" not in text
    assert "\x1b" not in text


@given(st.text(max_size=300), st.integers(4, 60), st.integers(1, 4))
def test_wrapped_text_keeps_to_its_place_and_loses_nothing_unseen(words, letters, count):
    lines = wrapped(words, letters, count)
    whole = " ".join(words.split())
    assert len(lines) <= count and all(len(line) <= letters for line in lines)
    assert "".join(lines).replace(" ", "") == whole.replace(" ", "") or lines[-1].endswith("…")


def test_a_badge_names_the_label_and_how_sure_it_is():
    _, diagnosis = overfitted()
    assert words_of(as_badge(diagnosis)) == ["curve", f"overfit {diagnosis.confidence:.2f}"]
    unknown = Diagnosis("run", Label.UNKNOWN, None, 0.0, None)
    assert not any(part in words_of(as_badge(unknown))[1] for part in ("0.0", "unknown"))


def test_a_picture_is_a_png_of_the_size_that_sites_show():
    pytest.importorskip("resvg_py")
    made = as_png(as_card(*overfitted()))
    assert made is not None and made.startswith(b"\x89PNG")
    assert (int.from_bytes(made[16:20], "big"), int.from_bytes(made[20:24], "big")) == (1200, 630)


def test_without_the_library_only_the_svg_is_written_and_an_old_picture_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(write, "as_png", lambda svg: b"\x89PNG")
    both = write_card("<svg/>", tmp_path)
    assert [path.name for path in both] == [CARD_SVG, CARD_PNG] and picture(both) == CARD_PNG
    monkeypatch.setattr(write, "as_png", lambda svg: None)
    alone = write_card("<svg/>", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [CARD_SVG]
    assert picture(alone) == ""


def test_the_library_is_optional(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "resvg_py", None)
    assert png.as_png("<svg/>") is None
