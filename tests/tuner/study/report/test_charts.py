from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from diagnostics.report.card_frame import INSTALL
from tests.diagnostics.diagnosed_runs import HOSTILE
from tests.tuner.study.report.study_records import ONE, STUDIES, STUDY, TRIALS, trial
from tuner.search.proposer import ANOTHER_SEED
from tuner.study.report.axes import has_place
from tuner.study.report.card import as_card
from tuner.study.report.curve_charts import curves_chart, progress_chart
from tuner.study.report.path_chart import path_chart, path_knob
from tuner.study.report.sections import sections
from tuner.study.results import TrialState


def words_of(drawing: str) -> list[str]:
    return ["".join(text.itertext()) for text in ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")]


def test_the_path_numbers_every_trial_and_names_the_best():
    words = words_of(str(path_chart(STUDY, width=860)))
    assert {"0", "1", "2", "3", "4", "best", "1e-3", "learning rate (log scale)"} <= set(words)


def test_trials_without_a_place_on_the_axis_are_crosses():
    assert [has_place(STUDY, one) for one in TRIALS] == [True, True, False, True, False]
    assert str(path_chart(STUDY, width=860)).count('class="nan"') == 2


def test_an_arrow_starts_at_the_trial_whose_settings_moved_else_at_the_one_before():
    root = ET.fromstring(str(path_chart(STUDY, width=860)))
    shafts = [
        path for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("stroke-opacity") in ("0.75", "0.4")
    ]
    ends = [tuple(map(float, re.findall(r"[\d.]+", str(path.get("d"))))) for path in shafts[::2]]
    dashed = [path.get("stroke-dasharray") is not None for path in shafts[::2]]
    assert dashed == [False, True, False, True]
    assert ends[2][0] == pytest.approx(ends[0][2], abs=30)  # trial 3 starts where trial 1 stands, not at the cross


def texts(drawing: str) -> dict[str, float]:
    """The x of each text of a drawing."""
    found = ET.fromstring(drawing).iter("{http://www.w3.org/2000/svg}text")
    return {"".join(one.itertext()): float(str(one.get("x"))) for one in found}


def test_points_in_the_same_place_are_one_that_counts_them_and_none_moves_aside():
    study = replace(STUDY, trials=(*TRIALS, trial(5, 1e-4, 0.7), trial(6, 1e-4, 0.701)))
    alone, drawn = texts(str(path_chart(STUDY, width=860))), texts(str(path_chart(study, width=860)))
    assert drawn["3"] == alone["3"]
    assert "+2" in drawn and "+2" not in alone
    assert not {"5", "6"} & drawn.keys()


def test_the_best_of_those_in_one_place_is_the_one_that_is_drawn():
    drawn = texts(str(path_chart(replace(STUDY, trials=(*TRIALS, trial(5, 1e-4, 0.699)), best=5), width=860)))
    assert {"5", "+1", "best"} <= drawn.keys()
    assert "3" not in drawn


def test_crosses_in_the_same_place_are_one_that_counts_them():
    study = replace(STUDY, trials=(*TRIALS, trial(5, 5e-3, None, state=TrialState.FAILED)))
    assert "2 +1" in texts(str(path_chart(study, width=860)))


def test_the_path_is_drawn_over_the_knob_that_moved():
    assert path_knob(STUDY) == "learning_rate"
    fixed = tuple(replace(t, settings={"learning_rate": 1e-5, "batch_size": 4 + t.number}) for t in TRIALS)
    assert path_knob(replace(STUDY, trials=fixed)) == "batch_size"
    assert path_chart(ONE, width=400) is None


def test_the_curves_name_the_first_and_the_best():
    assert {"your file", "best"} <= set(words_of(str(curves_chart(STUDY, width=430))))
    assert str(progress_chart(STUDY, width=430)).count('class="nan"') == 2


def test_an_arrow_leads_to_a_repeat_from_the_settings_that_it_repeats():
    far = trial(5, 1e-5, 1.0, ANOTHER_SEED)  # the settings of trial 0, after trial 4
    root = ET.fromstring(str(path_chart(replace(STUDY, trials=(*TRIALS[:4], far)), width=860)))
    paths = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if path.get("stroke") == "var(--soft)"]
    start, end = re.findall(r"([\d.]+),", str(paths[0].get("d")))
    assert float(start) == pytest.approx(float(end), abs=1)


@pytest.mark.parametrize("case", STUDIES)
def test_every_study_has_a_card(case):
    root = ET.fromstring(as_card(STUDIES[case]))
    words = " ".join(words_of(as_card(STUDIES[case])))
    assert (root.get("width"), root.get("height")) == ("1200", "630")
    assert INSTALL in words
    assert sections(STUDIES[case]).headline.split()[0] in words


def test_the_card_shows_the_gain_what_changed_and_the_curves_of_all_trials():
    words = words_of(as_card(STUDY))
    assert set(sections(STUDY).headline.split(", ")) <= set(words)
    assert "learning_rate 1e-5 → 1e-4" in words
    assert as_card(STUDY).count('<path d="M') >= len(TRIALS)
    assert "<script" not in as_card(replace(STUDY, name=HOSTILE, metric=HOSTILE))
