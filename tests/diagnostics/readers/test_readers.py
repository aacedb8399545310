from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from diagnostics.model.curves import CURVES, Run
from diagnostics.model.message import message
from diagnostics.readers import READERS, UnreadableLog, find_runs, read, search
from tests.diagnostics.readers.records import event, simple, version

LOGS = Path(__file__).parents[2] / "data" / "logs"
SHARED = Path(__file__).parents[4] / "shared" / "curves"
SAMPLES = {
    "run folder": LOGS / "trl-sft",
    "TensorBoard event file": next((LOGS / "trl-sft").glob("events*")),
    "trainer_state.json": LOGS / "trl-sft" / "trainer_state.json",
    "W&B run": next((LOGS / "wandb").iterdir()),
    "JSON lines": LOGS / "llamafactory" / "trainer_log.jsonl",
    "table": LOGS / "lightning" / "metrics.csv",
    "printed output": LOGS / "printed.log",
}


def test_every_reader_has_a_sample():
    assert {reader.name for reader in READERS} == SAMPLES.keys()


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_is_claimed_first_by_its_reader(name: str):
    assert next(reader.name for reader in READERS if reader.reads(SAMPLES[name])) == name


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_gives_both_losses_and_the_learning_rate(name: str):
    run = read(SAMPLES[name])
    assert min(len(run.curves[curve]) for curve in ("train_loss", "eval_loss")) >= 2
    assert run.settings.learning_rate in (1e-3, 1e-4)
    assert "train_loss" not in run.name


def test_three_logs_of_one_run_tell_the_same_losses():
    folder, events, state, printed = (read(SAMPLES[n]) for n in SAMPLES if n not in ("JSON lines", "table", "W&B run"))
    for other in (events, state, printed):
        for name in ("train_loss", "eval_loss", "grad_norm", "epoch", "num_tokens", "mean_token_accuracy"):
            assert np.array_equal(other.curves[name].steps, folder.curves[name].steps)
            assert np.allclose(other.curves[name].values, folder.curves[name].values, rtol=1e-3)


def test_the_final_mean_of_the_run_is_not_a_point_of_the_training_loss():
    for name in ("run folder", "TensorBoard event file", "trainer_state.json", "printed output"):
        run = read(SAMPLES[name])
        assert len(run.curves["train_loss"]) == 24
        assert run.curves["train/train_loss"].values == pytest.approx([5.448], abs=1e-3)


def test_a_folder_that_holds_one_run_below_reads_as_that_run(tmp_path: Path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "loss.csv").write_text("step,loss\n1,2\n2,1\n")
    assert read(tmp_path).name == "loss"


UNREADABLE: dict[str, bytes] = {
    "empty.csv": b"",
    "empty.jsonl": b"",
    "empty.json": b"",
    "empty.log": b"",
    "events.out.tfevents.1.empty": b"",
    "events.out.tfevents.2.version": version(),
    "events.out.tfevents.3.garbage": bytes(range(256)) * 40,
    "garbage.bin": bytes(range(256)) * 40,
    "garbage.csv": bytes(range(256)) * 40,
    "garbage.json": b"\x80\x81\xff\xfe{{{",
    "cut.json": b'{"log_history": [{"step": 1, "lo',
    "deep.json": b"[" * 100_000,
    "deep.jsonl": b'{"a":' * 100_000,
    "nothing.json": b"{}",
    "number.json": b"3",
    "history.json": b'{"log_history": []}',
    "history_of_rubbish.json": b'{"log_history": [1, "a", null, {"step": null}]}',
    "words.csv": b"step,loss\nten,high\n",
    "no_header.csv": b"1,2\n2,3\n",
    "words.jsonl": b"hello\n[1]\n",
    "words.txt": b"once upon a time\n",
    "words.weird": b"once upon a time\n",
    "header.csv": b"step,loss\n",
    "long.csv": b'step,loss\n1,"' + b"x" * 200_000,
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_holds_no_log_is_refused_in_one_line(name: str, tmp_path: Path):
    path = tmp_path / name
    path.write_bytes(UNREADABLE[name])
    with pytest.raises(UnreadableLog) as error:
        read(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


def test_a_missing_path_is_refused(tmp_path: Path):
    for act in (read, find_runs):
        with pytest.raises(UnreadableLog, match="none: "):
            act(tmp_path / "none")


def test_an_empty_folder_and_one_of_several_runs_are_refused(tmp_path: Path):
    with pytest.raises(UnreadableLog, match=f"^{re.escape(str(tmp_path))}: "):
        read(tmp_path)
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text("step,loss\n1,2\n")
    with pytest.raises(UnreadableLog, match=r" 2 runs; .*a\.csv"):
        read(tmp_path)


@pytest.fixture
def nobody() -> Iterator[None]:
    """The rights of an ordinary user, since the owner of the machine may read everything."""
    if os.name != "posix":
        pytest.skip("other systems keep rights differently")
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_a_file_or_folder_without_permission_is_refused(nobody: None):
    with tempfile.TemporaryDirectory() as name:
        closed = Path(name) / "run"
        closed.mkdir()
        for log in (closed / "loss.csv", Path(name) / "loss.csv"):
            log.write_text("step,loss\n1,2\n")
            log.chmod(0)
        closed.chmod(0)
        for path in (closed, closed / "loss.csv", Path(name) / "loss.csv"):
            for act in (read, find_runs):
                with pytest.raises(UnreadableLog, match="permission denied"):
                    act(path)
        assert find_runs(name) == []
        named = sorted(str(error).split(": ")[0] for error in search(name).closed)
        assert named == [str(Path(name) / "loss.csv"), str(closed)]
        with pytest.raises(UnreadableLog, match="permission denied"):
            read(name)
        closed.chmod(0o700)


def test_a_device_is_not_a_log():
    with pytest.raises(UnreadableLog, match=r"^/dev/null: "):
        read("/dev/null")


def test_tags_name_the_loss_of_an_unknown_log(tmp_path: Path):
    path = tmp_path / "odd.csv"
    path.write_text("step,objective,loss\n1,5,0\n2,4,0\n")
    run = read(path, tags={"train_loss": "objective"})
    assert run.curves["train_loss"].values.tolist() == [5, 4]
    assert run.curves["loss"].values.tolist() == [0, 0]


def test_a_wrong_choice_of_tags_names_what_is_there(tmp_path: Path):
    path = tmp_path / "odd.csv"
    path.write_text("step,objective\n1,5\n2,4\n")
    with pytest.raises(UnreadableLog, match=r"objectiv; .*objective"):
        read(path, tags={"train_loss": "objectiv"})
    with pytest.raises(UnreadableLog, match=r"train_los; .*train_loss"):
        read(path, tags={"train_los": "objective"})


def test_a_log_without_a_known_loss_keeps_its_curves_with_a_note(tmp_path: Path):
    path = tmp_path / "odd.csv"
    path.write_text("step,objective\n1,5\n2,4\n")
    run = read(path)
    assert list(run.curves) == ["objective"]
    assert run.notes[-1] == message("no-loss-found", tags="objective")


def read_or_complaint(path: Path) -> Run | UnreadableLog:
    try:
        return read(path)
    except UnreadableLog as error:
        return error


def test_mutated_logs_give_a_run_or_one_clear_line(tmp_path: Path):
    rng = np.random.default_rng(3)
    for name, sample in SAMPLES.items():
        if sample.is_dir():
            continue
        data = sample.read_bytes()
        path = tmp_path / sample.name
        for _ in range(40):
            broken = bytearray(data[: int(rng.integers(len(data)))] if rng.random() < 0.5 else data)
            for at in rng.integers(0, max(len(broken), 1), int(rng.integers(1, 30))):
                broken[at : at + 1] = rng.bytes(int(rng.integers(0, 3)))
            path.write_bytes(bytes(broken))
            found = read_or_complaint(path)
            assert isinstance(found, Run) or "\n" not in str(found), name


def test_a_log_that_is_still_being_written_can_be_read_again_and_again(tmp_path: Path):
    path = tmp_path / "events.out.tfevents.1.host"
    rows = [version(), *(event(step, simple("train/loss", 3 - step / 10)) for step in range(1, 8))]
    data = b"".join(rows)
    seen = []
    for length in range(len(rows[0]) + len(rows[1]), len(data) + 1, 7):
        path.write_bytes(data[:length])
        seen.append(len(read(path).curves["train_loss"]))
    assert seen == sorted(seen)
    assert seen[0] == 1
    assert seen[-1] >= 6


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared curves are not here")
def test_every_shared_curve_is_read_with_its_loss():
    import json

    entries = json.loads((SHARED / "manifest.json").read_text())
    for entry in entries:
        run = read(SHARED / entry["file"])
        assert "train_loss" in run.curves, entry["id"]
        assert ("eval_loss" in run.curves) >= (entry["points"]["eval"] > 0), entry["id"]
        assert set(run.curves["train_loss"].broken).isdisjoint(run.curves["train_loss"].steps)
        assert run.settings.batch_size in (None, 1, 16, 128, 1536)
    assert len(find_runs(SHARED)) == len(entries)


def test_every_canonical_name_reads_back_from_a_table_of_its_own(tmp_path: Path):
    for name in [*CURVES, *(f"eval_{n}" for n in CURVES if n not in ("train_loss", "eval_loss", "wall_time"))]:
        path = tmp_path / "log.csv"
        path.write_text(f"step,{name}\n1,5\n2,4\n")
        assert list(read(path).curves) == [name]
