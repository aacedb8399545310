import pytest

from tests.tuner.inspector.material import a_study
from tuner.config.search_space import Choice, Range, Span
from tuner.inspector.study.axes import Axis, axes_of
from tuner.study.results import StudyResult, TrialResult, TrialState


def study_of(space: dict[str, Span], *settings: dict[str, object]) -> StudyResult:
    trials = tuple(TrialResult(n, one, 1.0, TrialState.COMPLETE) for n, one in enumerate(settings))  # type: ignore[arg-type]
    return a_study(space=space, trials=trials)


def test_the_axes_are_those_of_the_space() -> None:
    space: dict[str, Span] = {"rate": Range(1e-6, 0.1, log=True), "length": Range(256, 1024, step=128, integer=True)}
    assert axes_of(study_of(space)) == [Axis(name, span) for name, span in space.items()]
    assert axes_of(study_of({"batch": Choice((16, 4, 8))})) == [Axis("batch", Choice((4, 8, 16)))]


def test_what_is_not_in_the_space_falls_back_on_what_was_tried() -> None:
    near, far, text = axes_of(study_of({}, {"a": 2.0, "b": 1e-5, "c": "x"}, {"a": 6.0, "b": 1e-2, "c": "y"}))
    assert (near.span, far.span) == (Range(2.0, 6.0), Range(1e-5, 1e-2, log=True))
    assert text.span == Choice(("x", "y"))


def test_an_axis_is_wide_enough_for_every_trial() -> None:
    space: dict[str, Span] = {"rate": Range(1e-4, 1e-2, log=True), "batch": Choice((8, 16))}
    rate, batch = axes_of(study_of(space, {"rate": 1e-5, "batch": 4}, {"rate": 1e-3}))
    assert (rate.span, batch.span) == (Range(1e-5, 1e-2, log=True), Choice((4, 8, 16)))


def test_places_go_from_0_to_1_along_the_axis() -> None:
    rate, batch = Axis("learning_rate", Range(1e-6, 1e-2, True)), Axis("batch", Choice((4, 8, 16)))
    assert [rate.place(value) for value in (1e-6, 1e-4, 1e-2)] == pytest.approx([0, 0.5, 1])
    assert [batch.place(value) for value in (4, 8.0, 16, 5)] == [0, 0.5, 1, None]
    assert [rate.place(value) for value in (0, -1, float("nan"), "x", None, True)] == [None] * 6
    assert rate.ticks() == [
        (pytest.approx(place), text)
        for place, text in zip((0, 0.25, 0.5, 0.75, 1), ("1e-6", "1e-5", "1e-4", "1e-3", "1e-2"), strict=True)
    ]
    assert [text for _, text in Axis("learning_rate", Range(1e-2, 1.0, True)).ticks()] == ["0.01", "0.1", "1"]
    assert [text for _, text in batch.ticks()] == ["4", "8", "16"]
    assert [text for _, text in Axis("w", Range(0, 0.2)).ticks()] == ["0", "0.05", "0.1", "0.15", "0.2"]
