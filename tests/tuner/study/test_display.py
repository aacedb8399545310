from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from optuna.samplers import RandomSampler
from rich.console import Console

from diagnostics.model.message import message
from tests.tuner.madeup import Bowl, spec
from tuner.config.direction import Direction
from tuner.messages import text
from tuner.search.proposer import ANOTHER_SEED, FILE, Proposer, ProposerKind, advice_of
from tuner.study.display.lines import line, moves
from tuner.study.display.state import ProgressState, apply, seconds_left
from tuner.study.display.terminal import progress, render
from tuner.study.events import Advanced, Closed, Event, Finished, Notice, Opened, Repeated, Started
from tuner.study.failure import Failure, FailureKind
from tuner.study.loop import run_study
from tuner.study.results import Gain, Pair, StudyResult, TrialResult, TrialState

OPENED = Opened("sft", "eval_loss", Direction.MINIMIZE, 12, 3, (), "runs/sft")
FIRST = TrialResult(0, {"learning_rate": 1e-5}, 2.415, TrialState.COMPLETE, label="underfit", seconds=60)
SECOND = TrialResult(
    1,
    {"learning_rate": 1e-4},
    1.9012,
    TrialState.COMPLETE,
    label="healthy",
    proposer=advice_of("rate-too-low"),
    moved={"learning_rate": (1e-5, 1e-4)},
    because="rate too low in trial 0: the loss barely fell",
    seconds=60,
)
SAMPLER = Proposer(ProposerKind.SAMPLER, "GPSampler")
LONG = {"learning_rate": (1e-5, 1.23456e-4), "batch_size": (8, 16), "warmup_ratio": (0.03, 0.123456)}
THIRD = Started(2, {"batch_size": 16}, LONG, SAMPLER, "")
RESULT = StudyResult("sft", "sft.yaml", "sft", "eval_loss", Direction.MINIMIZE, {}, ())
PROVED = replace(RESULT, best=1, gain=Gain((Pair(43, 2.4, 1.9),) * 3, 0.5, 0.01))
ERROR = Failure(FailureKind.ERROR, "RuntimeError", "an odd shape")
STORY: list[Event] = [
    OPENED,
    Started(0, {"learning_rate": 1e-5}, {}, FILE, ""),
    Advanced(0, 0.5, 2.6, "unknown"),
    Finished(FIRST, 0),
    Started(1, SECOND.settings, SECOND.moved, SECOND.proposer, SECOND.because),
    Finished(SECOND, 1),
    THIRD,
    Advanced(2, 0.45, 1.95, "healthy"),
]


def shown_after(*events: Event) -> ProgressState:
    made = ProgressState()
    for event in events:
        made = apply(made, event)
    return made


def drawn(shown: ProgressState, width: int = 80, rows: int = 20) -> list[str]:
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    console.print(render(shown, width, rows))
    return console.export_text().splitlines()


def test_a_row_says_what_moved_the_metric_the_verdict_and_who_proposed_it():
    rows = drawn(shown_after(*STORY), width=110)
    assert any("your file" in row and "2.415" in row and "underfit" in row for row in rows)
    row = next(row for row in rows if "1.901" in row)
    assert "★ 1" in row
    assert "learning_rate 1e-5 → 1e-4" in row
    assert "rate-too-low" in row


def test_a_repeat_on_another_seed_is_called_that_in_the_table_and_in_plain_lines():
    settings = {"learning_rate": 1e-4}
    again = Started(2, settings, {}, ANOTHER_SEED, "trial 1 on another seed: one run each does not tell")
    over = TrialResult(2, settings, 1.91, TrialState.COMPLETE, label="healthy", proposer=ANOTHER_SEED)
    assert line(again) == "trial 2: only the seed (trial 1 on another seed: one run each does not tell)"
    for event in (again, Finished(over, 1)):
        row = next(row for row in drawn(shown_after(*STORY[:6], event), width=110) if "only the seed" in row)
        assert row.rstrip().endswith("another seed")


def test_the_running_trial_shows_its_share_and_latest_metric():
    row = next(row for row in drawn(shown_after(*STORY)) if "45 %" in row)
    assert "1.95" in row


def test_why_the_running_trial_is_tried_is_said():
    text = " ".join(" ".join(drawn(shown_after(*STORY[:5]))).split())
    assert "trial 1: learning_rate 1e-5 → 1e-4; rate too low in trial 0: the loss barely fell" in text


def test_the_trials_of_two_workers_run_side_by_side_and_halve_the_time_left():
    opened = replace(OPENED, workers=2, total=6, seeds=0)
    fourth = replace(THIRD, number=3)
    both = [opened, *STORY[1:6], THIRD, fourth, Advanced(3, 0.75, 1.9, "healthy"), Advanced(2, 0.25, 2.1, "unknown")]
    state = shown_after(*both)
    rows = drawn(state, width=110)
    assert [row.split()[0] for row in rows if "▸ 25 %" in row or "▸ 75 %" in row] == ["2", "3"]
    assert seconds_left(state) == pytest.approx(60 * (4 - 1) / 2)
    ended = apply(state, Finished(replace(SECOND, number=2), 1))
    assert [run.key for run in ended.running] == [(3, None)]
    # A worker that is gone left its trial to another one: one row, not two.
    assert [run.key for run in apply(state, replace(THIRD, continued=True)).running] == [(3, None), (2, None)]


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_it_fits_its_width(width: int):
    rows = drawn(shown_after(*STORY), width=width)
    assert max(map(len, rows)) <= width


def test_numbers_and_verdicts_are_whole_at_80_columns():
    text = "\n".join(drawn(shown_after(*STORY)))
    for word in ("2.415", "1.901", "→ underfit", "✓ healthy", "▸ 45 %", "eval_loss"):
        assert word in text


def test_a_long_study_keeps_the_first_the_best_and_the_latest_rows():
    trials = [replace(SECOND, number=n, value=2 - (n == 7) / 2) for n in range(1, 60)]
    rows = drawn(shown_after(OPENED, Finished(FIRST, 0), *(Finished(trial, 7) for trial in trials)), rows=10)
    text = "\n".join(rows)
    assert "your file" in text
    assert "★ 7" in text
    assert "earlier trials" in text
    assert any(row.strip().startswith("59") for row in rows)
    assert len(rows) < 22


def test_the_time_left_counts_trials_and_repeats():
    assert seconds_left(shown_after(OPENED)) is None
    assert seconds_left(shown_after(*STORY)) == pytest.approx(60 * (10 - 0.45 + 6))
    assert seconds_left(shown_after(*STORY, Repeated(0, 43, 2, 6))) == pytest.approx(60 * (10 + 4))


def test_repeats_and_the_proof_are_shown():
    text = " ".join(
        " ".join(drawn(shown_after(*STORY[:6], Repeated(1, 44, 3, 6), Advanced(1, 0.5, 1.9, None, 44)))).split()
    )
    assert "3 of 6 repeats done: trial 1 on seed 44, 50 %" in text
    text = " ".join(" ".join(drawn(shown_after(*STORY[:6], Closed(PROVED)))).split())
    assert "best: trial 1" in text
    assert "left" not in text


def test_a_failed_and_a_diverged_trial_have_no_number():
    failed = replace(SECOND, number=2, value=None, state=TrialState.FAILED, label=None, failure=ERROR)
    hot = replace(SECOND, number=3, value=None, label="unstable")
    rows = drawn(shown_after(OPENED, Finished(FIRST, 0), Finished(failed, 0), Finished(hot, 0)))
    assert any("✕ failed" in row for row in rows)
    assert any("≈ unstable" in row and "–" in row for row in rows)
    assert line(Finished(failed, 0)) == "trial 2: failed with RuntimeError: an odd shape, 60 s"
    assert line(Finished(hot, 0)) == "trial 3: diverged, unstable, 60 s"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (OPENED, "sft: 12 trials by eval_loss (lower is better), then a proof on 3 fresh seeds; in runs/sft"),
        (STORY[1], "trial 0: your file"),
        (STORY[4], "trial 1: learning_rate 1e-5 -> 1e-4 (rate too low in trial 0: the loss barely fell)"),
        (Started(4, {}, {}, FILE, "", continued=True), "trial 4 continues where it was cut: your file"),
        (STORY[5], "trial 1: 1.901, healthy, 60 s (best)"),
        (Repeated(1, 44, 3, 6), None),
        (Repeated(1, 44, 4, 6, True, 1.9, 3.0), "repeat 4 of 6: trial 1, seed 44: 1.9"),
        (Notice(message("space-used-up")), text(message("space-used-up"))),
        (Advanced(0, 0.5, 2.0, None), None),
        (Closed(RESULT), "no trial has a value"),
    ],
)
def test_each_event_is_one_plain_line_at_most(event: Event, expected: str | None):
    assert line(event) == expected


def test_values_stand_beside_their_change_against_the_file_in_color():
    console = Console(width=110, file=io.StringIO(), force_terminal=True, color_system="standard")
    worse = replace(SECOND, number=2, value=4.83, label="unstable")
    console.print(render(shown_after(OPENED, Finished(FIRST, 0), Finished(SECOND, 1), Finished(worse, 1)), 110))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[32m-21 %" in text and "\x1b[31m+100" in text


def test_a_metric_that_is_to_rise_is_better_where_it_is_higher():
    opened = replace(OPENED, metric="eval_exact_match", direction=Direction.MAXIMIZE)
    console = Console(width=110, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(render(shown_after(opened, Finished(replace(FIRST, value=0.5), 0), Finished(SECOND, 1)), 110))
    assert "\x1b[32m+280" in console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [80, 120])
def test_the_running_trial_has_its_curve_its_step_and_its_change(width: int):
    advanced = Advanced(2, 0.45, 1.95, "healthy", step=29, values=(3.0, 2.5, 1.95))
    rows = drawn(shown_after(*STORY[:-1], advanced), width=width)
    line = next(row for row in rows if "█" in row)
    assert "29 of 64" in line and "-19 %" in line


def test_columns_stand_together_on_a_wide_screen():
    rows = drawn(shown_after(*STORY[:6]), width=200)
    row = next(row for row in rows if "★" in row)
    assert max(map(len, re.findall(" +", row.rstrip()))) < 10


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_table_keeps_number_metric_and_verdict_at_any_width(width: int):
    rows = drawn(shown_after(*STORY), width=width)
    assert any("1.901" in row and "healthy" in row for row in rows)


def test_all_moved_knobs_are_named():
    text = moves(LONG, SAMPLER)
    assert text == "learning_rate 1e-5 → 1.2e-4, batch_size 8 → 16, warmup_ratio 0.03 → 0.12"
    assert moves(LONG, SAMPLER, narrow=True) == "rate 1e-5 → 1.2e-4, batch 8 → 16, warm-up 0.03 → 0.12"


@pytest.mark.parametrize("terminal", [True, False])
def test_a_whole_study_is_shown(tmp_path: Path, terminal: bool):
    file = io.StringIO()
    with progress(Console(file=file, force_terminal=terminal, width=80, height=30)) as show:
        study = spec(tmp_path, trials=2, seeds=1)
        run_study(study, Bowl(evaluations=4), tmp_path / "out", show=show, base=RandomSampler(seed=0))
    text = file.getvalue()
    assert ("\x1b" in text) == terminal
    assert "best: trial 1" in text
    if not terminal:
        lines = text.splitlines()
        assert lines[0].startswith("bowl: 2 trials")
        assert len(lines) == 8
