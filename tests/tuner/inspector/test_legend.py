import re

import pytest

from tuner.inspector.chart.legend import columns, dashes, legend_of


def shown(expression: str, width: float) -> int:
    """What the expression says at a width, worked out as Vega does."""
    found = re.fullmatch(r"clamp\(floor\(width / (\d+)\), (\d+), (\d+)\)", expression)
    assert found
    column, low, high = map(int, found.groups())
    return int(min(max(width // column, low), high))


@pytest.mark.parametrize(
    ("longest", "width", "count"), [(4, 350, 4), (23, 350, 1), (23, 450, 2), (23, 1050, 4), (28, 350, 1), (90, 350, 1)]
)
def test_a_legend_has_as_many_columns_as_its_longest_name_leaves_room_for(
    longest: int, width: float, count: int
) -> None:
    assert shown(columns(["a", "b" * longest]), width) == count


def test_no_name_is_ever_part_of_the_expression() -> None:
    assert legend_of(["alert(1)", "b"])["columns"] == legend_of(["........", "b"])["columns"]
    assert shown(columns([]), 100) == 2


def test_the_first_line_is_whole_and_its_neighbors_are_not() -> None:
    first, *others = dashes(5)
    assert first == [1, 0] == others[-1]
    assert len({tuple(one) for one in others[:3]}) == 3
