"""Logs that a crash, a full disk or a mistake has left: what they may cost, and what is said of them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from diagnostics import diagnose, read
from diagnostics.chart.build import as_svg, chart
from diagnostics.model.curves import Curve, Run
from diagnostics.model.records import Label
from diagnostics.readers import UnreadableLog, files, sidecars
from diagnostics.readers.assemble import build_run
from diagnostics.readers.tensorboard.tfrecord import frames
from diagnostics.report.write import BADGE, CARD_PNG, write_reports
from tests.diagnostics.readers.records import event, simple, version

LOSSES = [round(3.0 * float(np.exp(-k / 20)) + 1.0 + 0.02 * ((k * 7) % 5), 4) for k in range(60)]
EVENTS = version() + b"".join(event(step, simple("train/loss", loss)) for step, loss in enumerate(LOSSES))
DIGITS = "9" * 5000


def codes(run: Run) -> list[str]:
    return [note.code for note in run.notes]


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("train.log", f"1%| | {DIGITS}/{DIGITS} [\n{{'loss': 2.5}}\n 2%| | 1/9 [\n{{'loss': 2.0}}\n"),
        ("train.csv", f"step,loss,epoch\n1,2.5,{DIGITS}\n{DIGITS},2.0,1\n3,1.5,2\n"),
        ("train.jsonl", f'{{"step": 1, "loss": 2.5}}\n{{"step": {DIGITS}, "loss": 2.0}}\n{{"step": 3, "loss": 2}}\n'),
    ],
)
def test_a_number_of_many_digits_is_damage_and_not_a_crash(tmp_path: Path, name: str, log: str):
    (tmp_path / name).write_text(log)
    run = read(tmp_path / name)
    write_reports(run, diagnose(run), tmp_path / "report")
    assert 2.0 in run.curves["train_loss"].values


def test_a_state_whose_step_has_many_digits_counts_as_one_without_a_step(tmp_path: Path):
    for name, step in (("", DIGITS), ("checkpoint-2", "2")):
        (tmp_path / name).mkdir(exist_ok=True)
        rows = '{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0}'
        (tmp_path / name / "trainer_state.json").write_text(f'{{"global_step": {step}, "log_history": [{rows}]}}')
    assert len(read(tmp_path).curves["train_loss"]) == 2


def test_settings_too_large_for_a_float_are_left_out(tmp_path: Path):
    (tmp_path / "metrics.csv").write_text("step,loss\n1,2\n2,1.5\n")
    (tmp_path / "config.yaml").write_text(f"warmup_steps: 0x{'f' * 9000}\nlearning_rate: 0x{'f' * 9000}\n")
    assert read(tmp_path / "metrics.csv").settings.learning_rate is None


@pytest.mark.parametrize("top", [1.8e19, 1e300])
def test_epochs_that_cannot_be_are_not_marked(top: float):
    steps = range(1, 61)
    epoch = [step / 30 for step in steps]
    epoch[20] = top
    run = Run("run", {"train_loss": Curve.from_points(steps, LOSSES), "epoch": Curve.from_points(steps, epoch)})
    assert "NaN" not in as_svg(chart(run, diagnose(run)))


@pytest.mark.parametrize("rates", [[-1e-4] * 60, [float("nan")] * 60, [0.0] * 60, [-1e-4] * 30 + [0.0] * 30])
def test_a_rate_that_is_never_above_zero_has_no_warm_up_and_draws(rates: list[float]):
    steps = range(1, 61)
    curves = {"train_loss": Curve.from_points(steps, LOSSES), "learning_rate": Curve.from_points(steps, rates)}
    run = Run("run", curves)
    assert not chart(run, diagnose(run)).marks_of("warmup")  # type: ignore[arg-type]


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such names")
def test_names_that_are_not_utf_8_go_into_every_report(tmp_path: Path):
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/r\xff\xfe"))
    folder.mkdir()
    (folder / "events.out.tfevents.1").write_bytes(EVENTS + b"\xff" * 99)
    (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5, "\\ud800": 1}\n{"step": 2, "loss": 2.0}\n')
    for path in (folder, folder / "metrics.jsonl"):
        run = read(path)
        run.name.encode()
        "".join(run.curves).encode()
        reports = write_reports(run, diagnose(run), folder / "report")
        named = [report for report in reports if report.name not in (CARD_PNG, BADGE)]
        assert len(named) == 4
        assert all("r\ufffd\ufffd" in report.read_text(encoding="utf-8") for report in named)
        assert "r\ufffd\ufffd" in as_svg(chart(run, diagnose(run)))


@pytest.mark.parametrize("tail", [bytes(1 << 26), b"\xff" * (1 << 24), b"\0\0\0\0\1" * (1 << 21)], ids=len)
def test_garbage_at_the_end_of_an_event_file_costs_little_more_than_reading_it(tail: bytes):
    began = time.process_time()
    found = frames(EVENTS + tail + EVENTS)
    assert time.process_time() - began < 2.0
    assert len(found.starts) == 2 * (len(LOSSES) + 1)
    assert found.lost == 1


def test_records_with_garbage_between_any_two_are_all_found():
    one = event(7, simple("train/loss", 2.5))
    for garbage in (b"\0", b"\0" * 300, bytes(range(256)) * 3, b"\0\0\0\0\1" * 999):
        found = frames(garbage.join([one] * 50))
        assert (len(found.starts), found.lost) == (50, 49)


def test_a_gibibyte_of_zeros_after_the_records_is_not_held_in_memory(tmp_path: Path):
    log = tmp_path / "events.out.tfevents.1"
    log.write_bytes(EVENTS)
    os.truncate(log, 1 << 30)
    began = time.process_time()
    assert len(files.content_without_zero_tail(log)) < 1 << 22
    run = read(log)
    assert time.process_time() - began < 5.0
    assert len(run.curves["train_loss"]) == len(LOSSES)
    assert codes(run) == ["records-damaged"]


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("metrics.csv", "step,loss\n1,2\n2,1\n"),
        ("metrics.jsonl", '{"step": 1, "loss": 2}\n{"step": 2, "loss": 1}\n'),
        ("train.log", "step 1: loss 2\nstep 2: loss 1\n"),
        ("trainer_state.json", '{"log_history": [{"step": 1, "loss": 2}, {"step": 2, "loss": 1}]}'),
    ],
)
def test_zeros_at_the_end_of_a_text_are_passed_over(name: str, log: str, tmp_path: Path):
    (tmp_path / name).write_bytes(log.encode() + bytes(1 << 20))
    assert read(tmp_path / name).curves["train_loss"].values.tolist() == [2.0, 1.0]
    (tmp_path / name).write_bytes(bytes(9) + log.encode())
    with pytest.raises(UnreadableLog):
        read(tmp_path / name)


@pytest.mark.parametrize("name", ["trainer_state.json", "metrics.csv", "train.log", "metrics.jsonl"])
def test_a_text_too_long_to_be_parsed_is_refused_unread(tmp_path: Path, name: str):
    log = tmp_path / name
    log.write_text("step,loss\n")
    os.truncate(log, files.MAX_TEXT_BYTES + 1)
    began = time.process_time()
    with pytest.raises(UnreadableLog, match=r"256 MiB|binary"):
        read(log)
    assert time.process_time() - began < 0.5


def test_settings_in_a_huge_file_are_left_out_with_a_note(tmp_path: Path):
    (tmp_path / "metrics.csv").write_text("step,loss\n1,2\n2,1.5\n")
    (tmp_path / "config.yaml").write_text("learning_rate: 1\n")
    os.truncate(tmp_path / "config.yaml", sidecars.MAX_SETTINGS_BYTES + 1)
    assert "settings-not-read" in codes(read(tmp_path / "metrics.csv"))


STEPS = range(len(LOSSES))


@pytest.mark.parametrize(
    ("name", "log", "code"),
    [
        ("down.csv", "step,loss\n" + "".join(f"{-k},{LOSSES[k]}\n" for k in STEPS), "steps-negative"),
        ("few.csv", "step,loss\n" + "".join(f"{-k},{LOSSES[k]}\n" for k in STEPS[:10]), "steps-negative"),
        ("epochs.csv", "epoch,loss\n" + "".join(f"{-k},{LOSSES[k]}\n" for k in STEPS), "steps-negative"),
        ("newest.csv", "step,loss\n" + "".join(f"{k},{LOSSES[k]}\n" for k in reversed(STEPS)), "newest-first"),
        ("short.csv", "step,loss\n" + "".join(f"{k},{LOSSES[k]}\n" for k in reversed(STEPS[:15])), "newest-first"),
        ("down.jsonl", "".join(f'{{"step": {-k}, "loss": {LOSSES[k]}}}\n' for k in STEPS), "steps-negative"),
    ],
)
def test_steps_that_fall_are_put_in_order_with_a_note(tmp_path: Path, name: str, log: str, code: str):
    (tmp_path / name).write_text(log)
    run = read(tmp_path / name)
    loss = run.curves["train_loss"]
    assert loss.values.tolist() == LOSSES[: len(loss)]
    assert (loss.steps >= 0).all()
    assert code in codes(run)
    assert diagnose(run).label is not Label.UNSTABLE


def test_rising_steps_that_begin_below_zero_are_left_alone(tmp_path: Path):
    (tmp_path / "up.csv").write_text("step,loss\n" + "".join(f"{k - 5},{LOSSES[k]}\n" for k in STEPS))
    run = read(tmp_path / "up.csv")
    assert run.curves["train_loss"].steps.tolist() == [k - 5.0 for k in STEPS]
    assert codes(run) == []


def test_event_files_with_negative_steps_are_put_in_order_with_a_note(tmp_path: Path):
    down = b"".join(event(-step, simple("train/loss", loss)) for step, loss in enumerate(LOSSES))
    (tmp_path / "events.out.tfevents.1").write_bytes(version() + down)
    run = read(tmp_path)
    assert run.curves["train_loss"].values == pytest.approx(LOSSES)
    assert codes(run) == ["tags-negative"]


def test_a_step_below_zero_in_the_middle_loses_no_more_than_its_row(tmp_path: Path):
    rows = [f"{k if k != 30 else -1},{loss}\n" for k, loss in enumerate(LOSSES)]
    (tmp_path / "metrics.csv").write_text("step,loss\n" + "".join(rows))
    run = read(tmp_path / "metrics.csv")
    assert len(run.curves["train_loss"]) == len(LOSSES) - 1
    assert codes(run) == ["steps-negative"]


@pytest.mark.parametrize("points", [1, 2, 4, 5])
def test_nothing_that_is_not_at_all_sure_is_called_healthy(points: int):
    steps = range(1, points + 1)
    curves = {name: Curve.from_points(steps, [1.0] * points) for name in ("grad_norm", "learning_rate")}
    run = Run("short", {**curves, "train_loss": Curve.from_points(steps, [3.0 - 0.1 * k for k in steps])})
    found = diagnose(run)
    assert (found.label, found.confidence) == (Label.UNKNOWN, 0.0)


def test_of_very_many_curves_those_that_rules_read_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(build_run, "MAX_OTHER_CURVES", 50)
    others = [f"grad/layer.{number}/norm" for number in range(200)]
    rows = [",".join(map(str, [step, *[0.5] * 200, loss])) for step, loss in enumerate(LOSSES)]
    (tmp_path / "wide.csv").write_text("\n".join([",".join(["step", *others, "train/loss"]), *rows]))
    run = read(tmp_path / "wide.csv")
    assert run.curves["train_loss"].values.tolist() == LOSSES
    assert len(run.curves) == 51
    assert [note.values["curves"] for note in run.notes if note.code == "curves-left-out"] == [150]


def test_brackets_a_hundred_thousand_deep_are_refused_or_left_out(tmp_path: Path):
    deep = "[" * 100_000
    (tmp_path / "trainer_state.json").write_text('{"log_history": ' + deep)
    with pytest.raises(UnreadableLog, match=r"too deeply|not valid JSON"):
        read(tmp_path / "trainer_state.json")
    (tmp_path / "metrics.jsonl").write_text('{"step": 1, "loss": 2}\n' + deep + '\n{"step": 2, "loss": 1}\n')
    (tmp_path / "config.yaml").write_text("x: " + deep)
    run = read(tmp_path / "metrics.jsonl")
    assert len(run.curves["train_loss"]) == 2
    assert {"lines-skipped", "settings-not-read"} <= set(codes(run))


def test_a_part_of_a_loss_that_the_header_names_twice_counts_once(tmp_path: Path):
    header = "epoch,train/box_loss,train/cls_loss,train/cls_loss,lr/pg1\n"
    (tmp_path / "results.csv").write_text(header + "".join(f"{k},{3 - k / 9},1,1,0.01\n" for k in range(1, 9)))
    assert read(tmp_path / "results.csv").curves["train_loss"].values[0] == pytest.approx(3 - 1 / 9 + 1)
