import pytest

from tuner.inspector.runs.filters import BadPattern, RowFilter, in_order, matching
from tuner.inspector.runs.row import Row, unreadable_row

FAST = (("learning_rate", 2e-4), ("optim", "adamw_torch"), ("packing", True))
SLOW = (("learning_rate", 3e-5), ("batch_size", 8), ("packing", False))
ROWS = [
    Row("trial-10", "trial-10", "healthy", None, "", 1.2, None, 50, 3000, settings=FAST, study="demo"),
    Row("trial-2", "trial-2", "overfit", "eval-loss-rises", "", 1.5, None, 80, 2000, settings=SLOW, study="demo"),
    Row("lr=1e-4.csv", "lr=1e-4.csv", "unstable", "spikes", last_step=10, written=1000, curves=("train_loss", "my/kl")),
    unreadable_row("bad.csv", "bad.csv", "no rows", 500),
]
ALL = ["trial-10", "trial-2", "lr=1e-4.csv", "bad.csv"]


def ids(rows: list[Row]) -> list[str]:
    return [row.id for row in rows]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ALL),
        ("TRIAL", ["trial-10", "trial-2"]),
        ("rises overfit", ["trial-2"]),
        ("1e-4.", ["lr=1e-4.csv"]),
        ("kl", ["lr=1e-4.csv"]),
        ("nothing", []),
    ],
)
def test_words_filter_by_name_verdict_cause_and_curve(text: str, found: list[str]) -> None:
    assert ids(matching(ROWS, RowFilter(text))) == found


@pytest.mark.parametrize(("text", "found"), [(r"^trial-\d$", ["trial-2"]), (r"^my/", ["lr=1e-4.csv"]), ("^kl", [])])
def test_a_pattern_is_asked_of_each_name_alone(text: str, found: list[str]) -> None:
    assert ids(matching(ROWS, RowFilter(text, regex=True))) == found
    assert ids(matching(ROWS, RowFilter(text))) == []


def test_verdicts_and_studies_filter() -> None:
    assert ids(matching(ROWS, RowFilter(labels=["healthy", "unreadable"]))) == ["trial-10", "bad.csv"]
    assert ids(matching(ROWS, RowFilter(studies=["demo"]))) == ["trial-10", "trial-2"]


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ("learning_rate>1e-4", ["trial-10"]),
        ("lr <= 1e-4", ["trial-2"]),
        ("learning_rate=2e-4", ["trial-10"]),
        ("lr>1e-6, batch_size=8", ["trial-2"]),
        ("optim=ADAMW_torch", ["trial-10"]),
        ("optim!=sgd", ["trial-10"]),
        ("packing=yes", ["trial-10"]),
        ("packing!=true", ["trial-2"]),
        ("eval_loss<1.4", ["trial-10"]),
        ("steps>=50", ["trial-10", "trial-2"]),
        ("optim=7", []),
    ],
)
def test_a_run_without_a_setting_meets_no_condition_on_it(settings: str, found: list[str]) -> None:
    assert ids(matching(ROWS, RowFilter(settings=settings))) == found


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        (RowFilter("(a", regex=True), ["1"]),  # where the pattern is wrong
        (RowFilter(settings="learning_rat>1"), ["learning_rat:", "learning_rate?"]),
        (RowFilter(settings="learning_rate"), ["learning_rate:", "learning_rate>1e-4"]),
        (RowFilter(settings="optim>adam"), ["optim>adam:", "=", "!="]),
    ],
)
def test_a_filter_that_cannot_be_understood_names_the_place_and_what_is_valid(
    wanted: RowFilter, named: list[str]
) -> None:
    with pytest.raises(BadPattern) as error:
        matching(ROWS, wanted)
    assert all(part in str(error.value) for part in named)


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("newest first", ["trial-10", "trial-2", "lr=1e-4.csv", "bad.csv"]),
        ("name", ["bad.csv", "lr=1e-4.csv", "trial-2", "trial-10"]),
        ("worst verdict first", ["lr=1e-4.csv", "trial-2", "trial-10", "bad.csv"]),
        ("lowest eval loss", ["trial-10", "trial-2", "bad.csv", "lr=1e-4.csv"]),
        ("most steps", ["trial-2", "trial-10", "lr=1e-4.csv", "bad.csv"]),
        ("no such order", ["lr=1e-4.csv", "trial-2", "trial-10", "bad.csv"]),
    ],
)
def test_orders(order: str, found: list[str]) -> None:
    assert ids(in_order(ROWS, order)) == found


def test_runs_that_are_being_written_do_not_change_places() -> None:
    def at(a: float, b: float) -> list[str]:
        return ids(in_order([Row("b", "b", "healthy", written=b), Row("a", "a", "healthy", written=a)], "newest first"))

    assert at(1000, 1003) == at(1006, 1003) == ["a", "b"]
    assert at(1000, 1200) == ["b", "a"]
