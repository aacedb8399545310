import pytest

from tests.tuner.inspector.material import a_study
from tuner.inspector.study.axes import Knob, knobs, same
from tuner.study.results import StudyResult, TrialResult


def study_of(space: dict[str, object], *settings: dict[str, object]) -> StudyResult:
    trials = tuple(TrialResult(n, one, 1.0, "complete") for n, one in enumerate(settings))  # type: ignore[arg-type]
    return a_study(space=space, trials=trials)


@pytest.mark.parametrize(
    ("words", "knob"),
    [
        ("1e-6 to 0.1, log", Knob("k", 1e-6, 0.1, True)),
        ("0 to 0.2", Knob("k", 0.0, 0.2)),
        ("4, 8, 16", Knob("k", choices=(4, 8, 16))),
        ("cosine, linear", Knob("k", choices=("cosine", "linear"))),
        ("True, False", Knob("k", choices=(True, False))),
        ("all", Knob("k", choices=("all",))),
    ],
)
def test_the_words_of_a_space_are_read_back(words: str, knob: Knob) -> None:
    assert knobs(study_of({"k": words})) == [knob]


@pytest.mark.parametrize("words", ["1 to 0", "a to b", "0 to 1, log", "-1 to 1, log", "inf to nan", None, 3])
def test_other_words_fall_back_on_what_was_tried(words: object) -> None:
    (knob,) = knobs(study_of({"k": words}, {"k": 2.0}, {"k": 6.0}))
    assert (knob.low, knob.high, knob.log) == (2.0, 6.0, False)


def test_an_axis_is_wide_enough_for_every_trial() -> None:
    study = study_of({"rate": "1e-4 to 1e-2, log", "batch": "8, 16"}, {"rate": 1e-5, "batch": 4}, {"rate": 1e-3})
    rate, batch = knobs(study)
    assert (rate.low, rate.high) == (1e-5, 1e-2)
    assert batch.choices == (4, 8, 16)


def test_places_go_from_0_to_1_along_the_axis() -> None:
    rate, batch = Knob("learning_rate", 1e-6, 1e-2, True), Knob("batch", choices=(4, 8, 16))
    assert [rate.place(value) for value in (1e-6, 1e-4, 1e-2)] == pytest.approx([0, 0.5, 1])
    assert [batch.place(value) for value in (4, 8.0, 16, 5)] == [0, 0.5, 1, None]
    assert [rate.place(value) for value in (0, -1, float("nan"), "x", None, True)] == [None] * 6
    assert rate.ticks() == [
        (pytest.approx(place), text)
        for place, text in zip((0, 0.25, 0.5, 0.75, 1), ("1e-6", "1e-5", "1e-4", "1e-3", "1e-2"), strict=True)
    ]
    assert [text for _, text in Knob("learning_rate", 1e-2, 1.0, True).ticks()] == ["0.01", "0.1", "1"]
    assert [text for _, text in batch.ticks()] == ["4", "8", "16"]
    assert [text for _, text in Knob("w", 0, 0.2).ticks()] == ["0", "0.05", "0.1", "0.15", "0.2"]


def test_a_knob_is_written_as_a_study_file_has_it() -> None:
    assert Knob("r", 4, 32).block() == {"low": 4, "high": 32}
    assert Knob("k", 1e-6, 0.1, True).block() == {"low": 1e-6, "high": 0.1, "log": True}
    assert Knob("b", choices=(4, 8)).block() == [4, 8]


def test_equal_numbers_are_the_same_setting_and_truth_is_no_number() -> None:
    assert same(8, 8.0)
    assert not same(1, True)
