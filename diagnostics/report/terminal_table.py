"""Many runs in the terminal: one line each, worst first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from diagnostics.chart.markup import printable
from diagnostics.formatting import SIGNS, number, plain_name, setting
from diagnostics.messages import TABLE_HEADS, next_value
from diagnostics.model.curves import Curve, Run
from diagnostics.model.methods import method_record
from diagnostics.model.records import Advice, Diagnosis
from diagnostics.report.order import worst_first
from diagnostics.report.sections import sections
from diagnostics.report.sparkline import block_means, sparkline
from diagnostics.report.terminal_curve import LABEL_COLORS

if TYPE_CHECKING:
    from rich.text import Text

Pair = tuple[Run, Diagnosis]
SPARK_WIDTH = 12
WIDE = 100
"""Columns of a terminal from which a change has its old value, and columns stand two spaces apart."""
RUN, NUMBERS = 1, (3, 4)
"""Columns: the run's name, and those that are aligned at the right."""
FLOORS = ({RUN: 20, 2: 15, 5: 9}, {RUN: 8, 2: 8, 5: 8})
"""How far run, cause and change are cut: at first, and where that is not enough."""
SHORT_NAMES = {
    "learning_rate": "lr",
    "batch_size": "batch",
    "num_train_epochs": "epochs",
    "warmup_ratio": "warmup",
    "max_grad_norm": "clip",
}


def sketch(run: Run) -> dict[str, Curve]:
    """The loss or reward of a run in as many points as its line of the table draws."""
    curves = ((name, run.curve(name)) for name in reversed(method_record(run.settings.method).main_curves))
    name, curve = next(((name, one) for name, one in curves if one is not None and len(one) > 1), ("", None))
    means = block_means(curve, SPARK_WIDTH)
    return {name: Curve.from_points(range(len(means)), means)} if means else {}


def runs_table(pairs: Sequence[Pair], width: int, *, ascii_only: bool = False) -> list[Text]:
    """The head and one line a run, worst first, at most ``width`` characters wide and without spaces at their ends."""
    ranked = worst_first(pairs)
    names = short_names([run.name for run, _ in ranked])
    cells = [
        _cells(run, diagnosis, name, wide=width >= WIDE, ascii_only=ascii_only)
        for (run, diagnosis), name in zip(ranked, names, strict=True)
    ]
    head, gap = TABLE_HEADS["runs-in-terminal"], "  " if width >= WIDE else " "
    widths = _widths([head, *cells], width, gap)
    mark = "~" if ascii_only else "…"
    cells = [
        (*row[:RUN], name, *row[RUN + 1 :])
        for row, name in zip(cells, cut_apart([row[RUN] for row in cells], widths[RUN], mark), strict=True)
    ]
    rows = [_line(head, widths, ["bright_black"] * len(head), gap, mark)]
    for (_, diagnosis), row in zip(ranked, cells, strict=True):
        color = LABEL_COLORS[diagnosis.label]
        rows.append(_line(row, widths, [f"bold {color}", "", "", "", "", "", color], gap, mark))
    return rows


def short_names(names: Sequence[str]) -> list[str]:
    """The names without the folders that all of them begin with."""
    folders = [name.split("/")[:-1] for name in names]
    shared = 0
    while len(names) > 1 and len({tuple(parts[: shared + 1]) for parts in folders}) == 1 and len(folders[0]) > shared:
        shared += 1
    return ["/".join(name.split("/")[shared:]) for name in names]


def _cells(run: Run, diagnosis: Diagnosis, name: str, *, wide: bool, ascii_only: bool) -> tuple[str, ...]:
    shown = sections(run, diagnosis)
    main = reversed(method_record(run.settings.method).main_curves)
    loss = next((curve for key in main if (curve := run.curve(key)) is not None), None)
    best = diagnosis.best_step
    first = next((one for one in diagnosis.advice if not one.optional), None)
    return (
        f"{SIGNS[diagnosis.label]} {diagnosis.label}",
        printable(name),
        shown.cause,
        shown.percent,
        "" if best is None else number(best),
        _first_change(diagnosis.advice, wide=wide) if first is not None else "",
        sparkline(block_means(loss, SPARK_WIDTH), SPARK_WIDTH, ascii_only=ascii_only),
    )


def _first_change(advice: Sequence[Advice], *, wide: bool) -> str:
    """The first change of a setting; without one what the first advice is about."""
    has_value = (one for one in advice if one.new is not None or one.factor)
    first = next(has_value, advice[0])
    value = next_value(first)
    if first.new is None and not first.factor:
        return plain_name(first.knob)
    known = wide and first.old is not None and first.new is not None
    old = f" {setting(first.knob, first.old)} →" if known else ""
    return f"{SHORT_NAMES.get(first.knob, first.knob)}{old} {value}"


def _widths(rows: Sequence[Sequence[str]], width: int, gap: str) -> list[int]:
    """The widths of the columns: as wide as their cells, the widest of run, cause and change cut until they fit."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for floors in FLOORS:
        while sum(widths) + len(gap) * (len(widths) - 1) > width:
            widest = max(floors, key=lambda column: widths[column] - floors[column])
            if widths[widest] <= floors[widest]:
                break
            widths[widest] -= 1
    return widths


def _line(cells: Sequence[str], widths: Sequence[int], styles: Sequence[str], gap: str, mark: str) -> Text:
    from rich.text import Text

    line = Text(no_wrap=True, overflow="crop")
    for place, (cell, width, style) in enumerate(zip(cells, widths, styles, strict=True)):
        fitted = cut(cell, width, mark)
        aligned = fitted.rjust(width) if place in NUMBERS else fitted.ljust(width)
        line.append(aligned if place == len(cells) - 1 else aligned + gap, style=style)
    line.rstrip()
    return line


def cut(text: str, width: int, mark: str, tail: int = 0) -> str:
    """The text in at most ``width`` characters: its head, ``mark``, and its last ``tail`` characters."""
    if len(text) <= width:
        return text
    return text[: width - 1 - tail].rstrip() + mark + (text[-tail:] if tail else "")


def cut_apart(names: Sequence[str], width: int, mark: str) -> list[str]:
    """The names in at most ``width`` characters, all cut at the place that tells most of them apart.

    Where the names differ far from both ends, the beginning that all of them share is left out first.
    """
    whole = _cut_at_best_place(names, width, mark)
    distinct = len(set(names))
    if len(set(whole)) == distinct or len(names) < 2:
        return whole
    shared = next(k for k, signs in enumerate(zip_longest(*names)) if len(set(signs)) > 1)
    later = _cut_at_best_place([mark + name[shared:] for name in names], width, mark)
    return max(whole, later, key=lambda shown: len(set(shown)))


def _cut_at_best_place(names: Sequence[str], width: int, mark: str) -> list[str]:
    middle = (width - 1) // 2
    tails = sorted(range(width), key=lambda tail: abs(tail - middle))
    tried = ([cut(name, width, mark, tail) for name in names] for tail in tails)
    return max(tried, key=lambda shown: len(set(shown)))
