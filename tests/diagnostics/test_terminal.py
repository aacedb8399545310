"""What a diagnosis looks like in a terminal: the curve, the marks, the few lines below, and the table of many runs."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console, RenderableType

from diagnostics import diagnose, read
from diagnostics.chart.build import chart
from diagnostics.formatting import sentence
from diagnostics.messages import finding_message, phrase, text
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Diagnosis, Label
from diagnostics.report.order import worst_first
from diagnostics.report.sparkline import ASCII_BLOCKS, BLOCKS, block_means, sparkline
from diagnostics.report.terminal_curve import ROWS, curve_lines, pointers
from diagnostics.report.terminal_table import cut_apart, runs_table, short_names
from diagnostics.report.write import as_text
from diagnostics.synthetic import CAUSES, make
from tests.diagnostics.diagnosed_runs import healthy, of_points, overfitted

EMPTY = (Run("runs/empty", {}), Diagnosis("runs/empty", Label.UNKNOWN, None, 0.0, None))


def on_screen(content: RenderableType, width: int = 100, **options: object) -> str:
    file = io.StringIO()
    Console(file=file, force_terminal=True, width=width, color_system=None, highlight=False, **options).print(content)  # type: ignore[arg-type]
    return file.getvalue()


def drawing(run: Run, found: Diagnosis, width: int = 80, *, ascii_only: bool = False) -> list[str]:
    return [line.plain for line in curve_lines(chart(run, found), found.cause, width, ascii_only=ascii_only)]


@pytest.mark.parametrize("width", [30, 60, 80, 100, 200])
@pytest.mark.parametrize(
    "cause", ["eval-loss-rises", "loss-diverges", "loss-not-finite", "rate-too-low", "healthy-dpo"]
)
def test_a_drawing_fits_its_width_and_is_a_few_lines_high(cause: str, width: int):
    run = make(cause, 0.7)
    lines = drawing(run, diagnose(run), width)
    assert ROWS + 2 <= len(lines) <= ROWS + 4
    assert max(map(len, lines[: ROWS + 1])) <= min(width, 100)


@pytest.mark.parametrize("cause", CAUSES)
def test_every_synthetic_run_can_be_shown(cause: str):
    run = make(cause, 0.7)
    assert run.name in on_screen(as_text(run, diagnose(run)), 80)


def test_there_is_no_drawing_without_points_or_room():
    assert drawing(*EMPTY) == []
    assert drawing(*overfitted(), width=10) == []
    assert EMPTY[0].name in on_screen(as_text(*EMPTY))


@pytest.mark.parametrize("points", [[(1, 2.0)], [(1, 2.0), (2, 2.0)], [(5, 0.0), (5.5, 0.0)]])
def test_a_run_of_one_point_or_one_value_is_drawn(points: list[tuple[float, float]]):
    assert len(drawing(*of_points(train_loss=points))) >= ROWS + 2


def test_both_losses_are_named_where_they_end_the_higher_one_above():
    lines = drawing(*overfitted())
    ends = {
        name: next(k for k, line in enumerate(lines) if line.endswith(f" {phrase(name)}"))
        for name in ("curve-train", "curve-eval")
    }
    assert 0 <= ends["curve-eval"] < ends["curve-train"] < ROWS


def test_the_first_and_the_last_step_stand_below_the_axis():
    run, found = overfitted()
    below = drawing(run, found)[ROWS + 1].split()
    assert (below[0], below[-1]) == ("2", "1200")


def test_the_best_step_and_the_onset_are_marked():
    run, found = overfitted()
    (finding,) = found.findings
    assert [mark.x for mark in pointers(chart(run, found), found.cause)] == [400]
    later = replace(found, findings=(replace(finding, first_step=800),))
    best, onset = pointers(chart(run, later), later.cause)
    assert (best.x, onset.x) == (400, 800)
    assert best.words == phrase("mark-best", step="400")
    lines = drawing(run, later)
    marked = [line for line in lines[ROWS + 1 :] if "▲" in line]
    at = [line.index("▲") for line in marked for _ in range(line.count("▲"))]
    assert len(at) == 2
    for column in at:
        assert any(line[column] == "┊" for line in lines[:ROWS])


def test_what_covers_the_whole_run_has_no_onset():
    run, found = overfitted()
    (finding,) = found.findings
    whole = replace(found, findings=(replace(finding, first_step=2),))
    assert [mark.x for mark in pointers(chart(run, whole), whole.cause)] == [400]
    assert pointers(chart(run, healthy(run)), None) == []


def test_values_that_span_much_are_drawn_on_a_logarithmic_axis():
    run, found = of_points(train_loss=[(step, 1000.0 * 0.9**step) for step in range(1, 80)])
    values = [float(line.split()[0].replace(",", "")) for line in drawing(run, found)[:ROWS:3]]
    assert values[1] == pytest.approx((values[0] * values[2]) ** 0.5, rel=0.02)


def test_a_console_without_unicode_gets_ascii():
    assert all(line.isascii() for line in drawing(*overfitted(), ascii_only=True))


def test_text_has_color_on_a_terminal_and_none_elsewhere(capsys: pytest.CaptureFixture[str]):
    Console(force_terminal=True, color_system="standard", width=100).print(as_text(*overfitted()))
    assert "\x1b[1;35m↗ overfit" in capsys.readouterr().out
    plain = str(as_text(*overfitted()))
    assert plain.splitlines()[0].startswith("↗ overfit  runs/a")
    assert "\x1b" not in plain and not any("\u2800" <= sign <= "\u28ff" for sign in plain)


@pytest.mark.parametrize("verbose", [True, False])
def test_plain_text_has_no_spaces_at_the_ends_of_lines(verbose: bool):
    text = str(as_text(*overfitted(), verbose=verbose))
    assert [line for line in text.splitlines() if line != line.rstrip()] == []


def test_the_short_form_says_what_to_do_now_and_what_to_change():
    run, found = overfitted()
    checkpoint = replace(found.advice[2], knob="checkpoint")
    found = replace(found, advice=(checkpoint, *found.advice))
    lines = str(as_text(run, found, more="--more")).splitlines()
    assert len([line for line in lines if line]) == 5
    assert sentence(finding_message(found.findings[0])) in lines[1]
    assert "400" in lines[2]
    assert "num_train_epochs 3 → 1" in lines[3] and "learning_rate ×0.5" in lines[3]
    assert "2 of " in lines[4] and "rewards_margins" in lines[4] and lines[4].endswith("--more")
    assert "grad_norm" not in lines[4], "it was logged"
    assert "0.183" not in "".join(lines)


def test_measures_skipped_checks_and_notes_are_details():
    short, full = (str(as_text(*overfitted(), verbose=verbose)) for verbose in (False, True))
    for word in ("0.183", "a note", "one row was dropped"):
        assert word not in short and word in full


def test_a_healthy_run_without_evaluations_says_so_in_its_first_line():
    run = make("healthy-sft", evals=0)
    found = diagnose(run)
    assert found.label is Label.HEALTHY
    missing = phrase("held-out-missing", curve="eval loss")
    assert missing in str(as_text(run, found)).splitlines()[0]
    assert phrase("held-out-few") in str(as_text(make("healthy-sft", evals=1), found)).splitlines()[0]
    checked = make("healthy-sft")
    assert missing not in str(as_text(checked, diagnose(checked)))


def pairs(count: int) -> list[tuple[Run, Diagnosis]]:
    made = [make(CAUSES[k % len(CAUSES)], 0.6, seed=k) for k in range(count)]
    return [(replace(run, name=f"runs/deep/{run.name}"), diagnose(run)) for run in made]


@pytest.mark.parametrize("width", [80, 120])
def test_many_runs_are_one_line_each_worst_first_and_fit(width: int):
    some = pairs(40)
    lines = [line.plain for line in runs_table(some, width)]
    assert len(lines) == 41
    assert max(map(len, lines)) <= width
    assert [line for line in lines if line != line.rstrip()] == []
    order = [Label(line.split()[1]) for line in lines[1:]]
    assert order == sorted(order, key=list(Label).index)
    assert order == [found.label for _, found in worst_first(some)]


def test_a_line_of_the_table_says_what_was_found_and_what_to_change():
    (_, line) = (line.plain for line in runs_table([overfitted("runs/a")], 120))
    for word in ("↗ overfit", "a", "eval loss rises", "90 %", "400", "3 → 1"):
        assert word in line
    assert set(line.split()[-1]) <= set(BLOCKS) and len(line.split()[-1]) == 12


def test_names_are_shown_without_the_folders_they_share():
    assert short_names(["runs/a/x", "runs/a/y", "runs/a/z/x"]) == ["x", "y", "z/x"]
    assert short_names(["runs/a/x", "runs/b/x"]) == ["a/x", "b/x"]
    assert short_names(["a", "b"]) == ["a", "b"]
    assert short_names(["a/b", "a/b"]) == ["b", "b"]


def test_names_are_cut_where_that_tells_them_apart():
    names = [f"a-model-of-some-name-lr{k}e-5-batch-16-epochs-3-warm-up" for k in range(1, 9)]
    shown = cut_apart(names, 24, "…")
    assert len(set(shown)) == len(names)
    assert all(len(name) <= 24 for name in shown)
    assert cut_apart(["short", "also short"], 24, "…") == ["short", "also short"]
    assert cut_apart(["one-run", "one-run"], 5, "…") == ["on…un"] * 2


@pytest.mark.parametrize("size", [5e-324, 1e-300, 1.0, 1.7e308])
def test_a_sparkline_of_any_numbers_reaches_both_ends(size):
    assert sparkline((-size, size), 2) == sparkline((size / 100, size) if size > 1e-300 else (0, size), 2) == "▁█"


def test_a_sparkline_goes_as_the_values_do():
    assert sparkline((1, 2, 3, 4, 5, 6, 7, 8), 8) == BLOCKS
    assert sparkline((3, 2, 1), 4, ascii_only=True)[0] == ASCII_BLOCKS[-1]
    assert sparkline((), 12) == "" and sparkline((float("nan"),)) == ""
    assert sparkline((2.0, 2.0), 5) == BLOCKS[0] * 5
    assert len(set(sparkline((1e-6, 1e-3, 1.0, 1e3), 4))) == 4


def test_block_means_are_few_and_keep_where_a_curve_starts_and_how_it_ends():
    means = block_means(Curve.from_points(range(1000), [5.0] + [1.0] * 999), 60)
    assert (len(means), means[0], means[-1]) == (60, 5.0, 1.0)


def test_a_log_that_is_cut_off_after_one_point_says_both(tmp_path: Path):
    log = tmp_path / "log.jsonl"
    log.write_text('{"step": 1, "loss": 2.3}\n{"step": 2, "lo')
    run = read(log)
    found = diagnose(run)
    assert found.label is Label.UNKNOWN
    assert {kind.reason.code for kind in found.unchecked if kind.label is not Label.OVERFIT} == {"too-few-points"}
    said = str(as_text(run, found))
    assert all(sentence(text(note)) in said for note in run.notes)
    assert [note.code for note in run.notes] == ["lines-skipped"]
